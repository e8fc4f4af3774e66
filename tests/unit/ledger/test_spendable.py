"""What may be spent is decided by the date in the program's own zone, to the millisecond, whoever has settled it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty.core.errors import InsufficientPoints
from loyalty.ledger import movements
from loyalty.ledger.model import POINTS, Account, Book, Scope, Wallet
from loyalty.ledger.settlement import as_of
from tests.ledgerkit.clock import at

LOTS = {"2026-03-31": 10, "2026-04-30": 5}
BOOK = Book("acme", "mbr_1", "bronze", settled_to=at("2026-03-01"), wallets={POINTS: Wallet(15, lots=LOTS)})


@pytest.mark.parametrize(
    ("zone", "last_moment"),
    [
        ("UTC", "2026-03-31T23:59:59.999Z"),
        ("Europe/Rome", "2026-03-31T21:59:59.999Z"),  # summer time began two days before
        ("Asia/Jakarta", "2026-03-31T16:59:59.999Z"),
        ("Asia/Dubai", "2026-03-31T19:59:59.999Z"),
        ("America/Los_Angeles", "2026-04-01T06:59:59.999Z"),
        ("Pacific/Kiritimati", "2026-03-31T09:59:59.999Z"),
        ("Pacific/Pago_Pago", "2026-04-01T10:59:59.999Z"),
        ("Asia/Kathmandu", "2026-03-31T18:14:59.999Z"),
    ],
)
def test_points_die_with_their_last_day_in_the_program_s_zone(zone: str, last_moment: str) -> None:
    scope, last = Scope("acme", 1, ZoneInfo(zone)), at(last_moment)
    assert as_of(BOOK, scope, last).wallet().available == 15
    assert as_of(BOOK, scope, last + timedelta(milliseconds=1)).wallet().available == 5


def test_points_bought_with_on_their_last_day_are_taken_from_what_dies_with_it() -> None:
    scope = Scope("acme", 1, ZoneInfo("Asia/Jakarta"))
    wallet = as_of(BOOK, scope, at("2026-03-31T16:59:59Z")).wallet()
    assert movements.spend(wallet, 12, Account.HELD).lots == {"2026-03-31": -10, "2026-04-30": -2}
    with pytest.raises(InsufficientPoints, match="5 can be spent"):
        movements.spend(as_of(BOOK, scope, at("2026-03-31T17:00:00Z")).wallet(), 12, Account.HELD)
