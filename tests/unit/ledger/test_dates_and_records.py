"""Expiry to the day, tiers over New Year, and what the ledger does when a record or the table will not have it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty.core.errors import RecordChanged, Unavailable
from loyalty.core.table import Delete, Put, Table
from loyalty.ledger import movements
from loyalty.ledger.model import EntryKey, EntryKind, Facts
from loyalty.ledger.service import Decision, Ledger, Situation
from loyalty.ledger.store import EntryItem, WalletItem, entry_put, partition
from loyalty.ledger.verify import audit_table
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, World


def test_an_upgrade_that_waits_over_new_year_still_comes(table: Table) -> None:
    world = World(table, clock=SettableClock(at("2026-12-31T23:59:58Z"))).enroll()
    posted_at = world.accrue("R-1", "600").entry.posted_at
    world.clock.set("2027-01-01T00:00:03Z")
    upgraded = world.tiers.recalculate(world.program, MEMBER, cause="accrual:pos:R-1", posted_at=posted_at)
    assert upgraded is not None
    assert world.proven().tier == "silver"


def _expire_early(world: World, days: int) -> None:
    """Writes an expiry that is consistent in itself, so many days before the lot's last day is over."""
    world.accrue("R-1", "100")
    (lot,) = world.wallet().lots
    world.clock.set(f"{lot}T23:59:59Z")
    world.clock.advance(days=-days)
    wallet, now = world.wallet(), world.clock()
    movement = movements.expire(wallet, (now + timedelta(days=days + 1)).date())
    assert movement is not None
    after = movements.apply(wallet, movement)
    entry = replace(
        world.entries()[-1],
        key=EntryKey(EntryKind.EXPIRY, "wallet", str(after.seq)),
        seq=after.seq,
        movement=movement,
        available=after.available,
        facts=Facts(occurred_at=now, program_version=1),
        posted_at=now,
    )
    item = WalletItem.from_raw_data(world.dump()[partition("acme", MEMBER), "WALLET"])
    item.last_seq, item.available, item.lots = after.seq, after.available, dict(after.lots)
    world.table.write([Put(item), entry_put(entry)])


def test_an_expiry_on_a_lots_last_day_is_found_where_the_zone_is_known(world: World) -> None:
    _expire_early(world, days=0)
    zone = world.program.document.zone
    findings = audit_table(world.table, zone_of=lambda _program, _version: zone).findings
    assert [finding.code for finding in findings] == ["expired_early"]


def test_an_expiry_days_before_is_found_in_any_zone(world: World) -> None:
    _expire_early(world, days=2)
    assert [finding.code for finding in audit_table(world.table).findings] == ["expired_early"]


def test_an_entry_between_accounts_of_another_kind_is_found(world: World) -> None:
    entry = world.accrue("R-1", "100").entry
    item = entry_put(entry).item
    item.postings = {"member:available": 100, "program:redeemed": -100}  # type: ignore[attr-defined]
    world.table.write([Put(item)])
    assert [finding.code for finding in world.audit()] == ["accounts_wrong"]


def test_a_record_that_will_not_have_it_is_named_and_not_waited_for(table: Table) -> None:
    world = World(table).enroll()
    asked: list[Situation] = []
    slept: list[float] = []

    def decide(situation: Situation) -> Decision:
        asked.append(situation)
        movement = movements.accrue(situation.wallet, 5, lot="2027-03-31", year="2026")
        gone = Delete(EntryItem, "nobody", "nothing", EntryItem.pk.exists())
        return Decision(movement, Facts(occurred_at=situation.now, program_version=1), [gone])

    before = world.dump()
    ledger = Ledger(table, world.clock, sleep=slept.append)
    with pytest.raises(RecordChanged):
        ledger.post(program().scope, MEMBER, EntryKey(EntryKind.ACCRUAL, "pos", "R-1"), "hash", decide)
    assert (len(asked), len(slept)) == (2, 1)
    assert world.dump() == before


def test_a_table_that_never_answers_for_a_key_is_unavailable() -> None:
    slept: list[float] = []
    table = Table("busy", region="eu-south-1", sleep=slept.append)

    class Busy:
        def batch_get_item(self, _name: str, keys: list[Any], **_: Any) -> dict[str, Any]:
            left = [{name: {"S": value} for name, value in key.items()} for key in keys]
            return {"Responses": {}, "UnprocessedKeys": {"busy": {"Keys": left}}}

    table.connection = Busy()  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        table.get_many([("pk", "sk")])
    assert 0 < len(slept) < 10
