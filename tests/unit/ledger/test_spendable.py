"""What may be spent is decided by the date in the program's own zone, to the second."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty.core.clock import local_date
from loyalty.ledger.model import Wallet
from tests.ledgerkit.clock import at

WALLET = replace(Wallet("acme", "mbr_1", "bronze"), available=15, lots={"2026-03-31": 10, "2026-04-30": 5})


@pytest.mark.parametrize(
    ("zone", "last_moment"),
    [
        ("UTC", "2026-03-31T23:59:59Z"),
        ("Europe/Rome", "2026-03-31T21:59:59Z"),  # summer time began two days before
        ("Asia/Jakarta", "2026-03-31T16:59:59Z"),
        ("Asia/Dubai", "2026-03-31T19:59:59Z"),
        ("America/Los_Angeles", "2026-04-01T06:59:59Z"),
        ("Pacific/Kiritimati", "2026-03-31T09:59:59Z"),
        ("Pacific/Pago_Pago", "2026-04-01T10:59:59Z"),
        ("Asia/Kathmandu", "2026-03-31T18:14:59Z"),
    ],
)
def test_points_die_with_their_last_day_in_the_program_s_zone(zone: str, last_moment: str) -> None:
    last = at(last_moment)
    assert WALLET.spendable(local_date(last, ZoneInfo(zone))) == 15
    assert WALLET.spendable(local_date(last + timedelta(seconds=1), ZoneInfo(zone))) == 5


def test_an_open_debt_is_no_credit() -> None:
    indebted = replace(WALLET, available=-5, lots={}, debt=5)
    assert indebted.spendable(at("2026-03-01").date()) == -5


def test_held_points_are_in_no_lot_and_so_not_spendable() -> None:
    assert replace(WALLET, held=100).spendable(at("2026-03-01").date()) == 15
