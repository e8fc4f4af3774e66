"""What a hold takes besides points, and what its end gives back: the operations that go into its transaction.

One place for all of it, so that whatever is claimed with a redemption is claimed, kept and given back with its points.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from loyalty.core.clock import local_date
from loyalty.core.table import Operation, Put
from loyalty.ledger.draft import Situation
from loyalty.ledger.keys import parse_partition
from loyalty.programs.model import Program
from loyalty.rewards.history import history_put
from loyalty.rewards.limits import LIMITS_SK, Taken
from loyalty.rewards.model import Redemption
from loyalty.rewards.store import RedemptionItem, redemption_item


def beside_hold(program: Program, held: Redemption, situation: Situation) -> Sequence[Operation]:
    """The redemption itself, its place in the history, and what it counts under limits."""
    operations: list[Operation] = [Put(redemption_item(held), RedemptionItem.pk.does_not_exist()), history_put(held)]
    if held.counted:
        taken = Taken.read(situation.records.get(LIMITS_SK))
        today = local_date(situation.now, program.document.zone)
        operations.append(taken.with_hold(held, today).put(held.program, held.member_id))
    return operations


def beside_end(item: RedemptionItem, ended: Redemption, situation: Situation, zone: ZoneInfo) -> Sequence[Operation]:
    """What it counts under limits from now on; ``item`` is the redemption's, beside which that is kept.

    Raises:
        NotOfOneMoment: what was read is not of one moment.
    """
    if not ended.counted:
        return []
    taken = Taken.read(situation.records.get(LIMITS_SK))
    after = taken.after(ended, local_date(situation.now, zone))
    return [] if after is None else [after.put(*parse_partition(item.pk))]
