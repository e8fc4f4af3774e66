"""The largest purchase whose details an entry keeps can be posted and taken back.

An item may have 400 KB together with its copy in the local index, which of the engines DynamoDB Local enforces.
"""

from loyalty.accruals.model import Refund
from loyalty.accruals.told import deed_of
from loyalty.accruals.views import AccrualBody
from loyalty.core.table import Table
from loyalty.ledger.items import entry_of
from loyalty.ledger.keys import entry_sk, partition
from tests.ledgerkit.largest import WHAT_FITS, generous, largest
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, World


def test_the_largest_purchase_is_posted_and_reversed(table: Table) -> None:
    world = World(table, of=program(**generous())).enroll()
    activity = AccrualBody.model_validate(largest(WHAT_FITS)).activity_done()
    entry = world.accruals.accrue(world.program, MEMBER, activity).entry
    raw = table.read(partition("acme", MEMBER), entry_sk(entry.key))
    assert raw is not None
    assert deed_of(entry_of(raw).facts) == activity.deed
    lines = {line.line_id or "": line.quantity for line in activity.lines}
    refund = Refund(activity.source, "F-1", activity.source_id, activity.occurred_at, lines=lines)
    back = world.accruals.reverse(world.program, MEMBER, refund).entry
    assert back.movement.change().points == -entry.movement.change().points < 0
    assert world.audit() == []
