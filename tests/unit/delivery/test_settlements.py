"""Cashback and donations: each redemption in one batch for ever, totals to the cent, closed once, paid once."""

import csv
import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.delivery.errors import SettlementNotClosed, SettlementNotFound, SettlementPaidOtherwise
from loyalty.delivery.lines import BatchId
from loyalty.delivery.model import Outcome
from loyalty.delivery.settlement import Report
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.tables import empty_table
from tests.unit.delivery.rig import REWARDS, Killed, Rig

DAY = BatchId("acme", date(2026, 3, 15), "cashback", "EUR")


@pytest.fixture
def rig(table: Table) -> Rig:
    return Rig(table).ready()


def redeemed(rig: Rig, key: str, reward: str = "back", quantity: int = 1) -> str:
    redemption_id = rig.hold(key, reward, quantity)[0].redemption_id
    assert rig.deliver(redemption_id) is Outcome.DELIVERED
    return redemption_id


def closed_at(rig: Rig, moment: str) -> Report:
    rig.clock.set(moment)
    return rig.settlements.close_due()


def test_a_days_redemptions_are_written_out_once_it_is_over(rig: Rig) -> None:
    ids = [redeemed(rig, "a"), redeemed(rig, "b", quantity=3), redeemed(rig, "c", "trees")]
    assert closed_at(rig, "2026-03-16T00:59:59Z") == Report(0, 0)
    assert closed_at(rig, "2026-03-16T01:00:00Z") == Report(2, 3)
    batch = rig.settlements.get(DAY)
    assert (batch.status, batch.lines, batch.total) == ("closed", 2, Money.of("10.00", "EUR"))
    rows = list(csv.DictReader(io.StringIO(rig.files.texts["settlements/acme/2026-03-15.cashback.EUR.csv"])))
    assert sorted(row["redemption_id"] for row in rows) == sorted(ids[:2])
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("10.00")
    document = json.loads(rig.files.texts["settlements/acme/2026-03-15.cashback.EUR.json"])
    assert (document["total"], document["lines"], document["currency"]) == ("10.00", 2, "EUR")
    assert json.loads(rig.files.texts["settlements/acme/2026-03-15.donation.EUR.wood.json"])["lines"] == 1
    assert closed_at(rig, "2026-03-17T01:00:00Z") == Report(0, 0)


def test_a_line_says_of_which_wallet_its_points_are(table: Table) -> None:
    cups: dict[str, Any] = {
        "wallets": [{"id": "cups", "name": "Cups", "expiry": BASE["expiry"]}],
        "earn_rules": [*BASE["earn_rules"], {"id": "c", "activity": "visit", "wallet": "cups", "fixed_points": 10}],
        "rewards": [*REWARDS, REWARDS[2] | {"id": "cup-back", "wallet": "cups"}],
    }
    rig = Rig(table, of=program(**cups)).ready()
    rig.accrue("V-1", None, activity="visit")
    ids = {redeemed(rig, "a"): "points", redeemed(rig, "b", "cup-back"): "cups"}
    assert (rig.wallet().available, rig.wallet(wallet="cups").available) == (990, 0)
    assert closed_at(rig, "2026-03-16T01:00:00Z") == Report(1, 2)
    rows = csv.DictReader(io.StringIO(rig.files.texts["settlements/acme/2026-03-15.cashback.EUR.csv"]))
    assert {row["redemption_id"]: row["wallet"] for row in rows} == ids
    document = json.loads(rig.files.texts["settlements/acme/2026-03-15.cashback.EUR.json"])
    assert {line["redemption_id"]: line["wallet"] for line in document["redemptions"]} == ids
    assert rig.audit() == []


def test_who_comes_after_the_gates_goes_into_the_next_day(rig: Rig) -> None:
    redeemed(rig, "a")
    late = rig.hold("late", "back")[0].redemption_id
    rig.batches.close_gates(DAY, rig.clock())
    assert rig.deliver(late) is Outcome.DELIVERED
    following = BatchId("acme", date(2026, 3, 16), "cashback", "EUR")
    assert [line.redemption_id for line in rig.batches.lines(following)] == [late]
    assert closed_at(rig, "2026-03-17T02:00:00Z") == Report(2, 2)
    assert rig.settlements.get(DAY).lines == 1


def test_gates_that_close_between_the_look_and_the_capture_refuse_it(rig: Rig) -> None:
    """It is decided on an open gate; the transaction finds it closed, and the next attempt goes a day further."""
    redeemed(rig, "a")
    late = rig.hold("late", "back")[0].redemption_id
    looks = rig.batches.is_closed
    closed: list[bool] = []

    def closing(batch: BatchId, redemption_id: str) -> bool:
        found = looks(batch, redemption_id)
        if not closed:
            closed.append(found)
            rig.batches.close_gates(DAY, rig.clock())
        return found

    rig.batches.is_closed = closing  # type: ignore[method-assign]
    assert rig.deliver(late) is Outcome.DELIVERED
    assert closed == [False]
    assert [
        str(batch.id)
        for batch in rig.batches.all("acme")
        if late in {one.redemption_id for one in rig.batches.lines(batch.id)}
    ] == ["2026-03-16.cashback.EUR"]


def test_the_day_is_the_programs(table: Table) -> None:
    rig = Rig(table, of=program(rewards=REWARDS, time_zone="Asia/Jakarta")).ready()
    rig.clock.set("2026-03-15T17:30:00Z")
    redeemed(rig, "a")
    assert [str(batch.id) for batch in rig.batches.all("acme")] == ["2026-03-16.cashback.EUR"]
    assert closed_at(rig, "2026-03-16T17:59:59Z") == Report(0, 0)
    assert closed_at(rig, "2026-03-16T18:00:00Z") == Report(1, 1)


def test_a_batch_is_paid_once_under_one_reference(rig: Rig) -> None:
    redeemed(rig, "a")
    with pytest.raises(SettlementNotClosed):
        rig.settlements.pay(DAY, reference="SEPA-1", by="staff-4")
    closed_at(rig, "2026-03-16T01:00:00Z")
    paid = rig.settlements.pay(DAY, reference="SEPA-1", by="staff-4")
    assert (paid.status, paid.reference, paid.paid_by) == ("paid", "SEPA-1", "staff-4")
    rig.clock.advance(days=1)
    assert rig.settlements.pay(DAY, reference="SEPA-1", by="staff-5") == paid
    with pytest.raises(SettlementPaidOtherwise, match="SEPA-1"):
        rig.settlements.pay(DAY, reference="SEPA-2", by="staff-4")
    with pytest.raises(SettlementNotFound):
        rig.settlements.get(BatchId("acme", date(2026, 3, 1), "cashback", "EUR"))


def test_a_closer_that_dies_anywhere_and_is_started_again_writes_the_same(table: Table) -> None:
    def ready() -> Rig:
        empty_table(table)
        rig = Rig(table).ready()
        redeemed(rig, "a")
        redeemed(rig, "b", quantity=2)
        rig.clock.set("2026-03-16T01:00:00Z")
        return rig

    rig = ready()
    with rig.fused():
        rig.settlements.close_due()
        places = len(rig.fuse.passed)
    wanted = rig.files.texts
    assert places > 30
    for place in range(0, places, 5):
        rig = ready()
        with rig.fused(place), pytest.raises(Killed):
            rig.settlements.close_due()
        rig.settlements.close_due()
        assert rig.settlements.get(DAY).total == Money.of("7.50", "EUR")
        assert rig.files.texts == wanted
