"""What a hold, or its end, writes: the movement of the points, the facts of the entry, and everything beside them."""

from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition

from loyalty.core.clock import local_date
from loyalty.core.table import Put
from loyalty.ledger.draft import Decision, Situation
from loyalty.ledger.model import Facts, Scope
from loyalty.programs.model import Program
from loyalty.rewards.beside import beside_end, beside_hold
from loyalty.rewards.ending import Ending
from loyalty.rewards.holding import Granted
from loyalty.rewards.model import Redemption, RedemptionStatus
from loyalty.rewards.store import RedemptionItem, write_end


def hold_decision(program: Program, situation: Situation, granted: Granted) -> Decision:
    """Holds the points, and writes the redemption that was granted."""
    facts = _facts(program.version, situation.now, granted.redemption)
    return Decision(granted.movement, facts, beside_hold(program, granted.redemption, situation), granted.then)


def end_decision(
    scope: Scope, situation: Situation, ending: Ending, item: RedemptionItem, ended: Redemption
) -> Decision:
    """Moves the points, and writes the redemption as it ended: ``item`` as it was read, if nobody has changed it since."""
    as_read = _as_read(item)
    write_end(item, ended)
    movement = ending.movement(
        situation.book,
        ended,
        today=local_date(situation.now, scope.zone),
        grace_days=scope.terms_of(ended.wallet).grace_days,
    )
    beside = [Put(item, as_read), *beside_end(item, ended, situation, scope.zone), *ending.giving]
    return Decision(movement, _facts(ended.program_version, situation.now, ended), beside)


def _as_read(item: RedemptionItem) -> Condition:
    """The item goes back whole, so nothing that fulfilment writes on its own may have changed since it was read."""
    same_status = RedemptionItem.status == item.status
    same_requests = _still(RedemptionItem.order_requests, item.order_requests)
    same_order = _still(RedemptionItem.supplier_order_id, item.supplier_order_id)
    unchanged: Condition = same_status & same_requests & same_order
    return unchanged


def _still(attribute: Any, value: int | str | None) -> Condition:
    unchanged: Condition = attribute.does_not_exist() if value is None else attribute == value
    return unchanged


def _facts(program_version: int, now: datetime, redemption: Redemption) -> Facts:
    held = redemption.status is RedemptionStatus.HELD
    return Facts(
        occurred_at=now,
        program_version=program_version,
        redemption_id=redemption.redemption_id,
        reward_id=redemption.reward_id,
        stock=_stock_moved(redemption),
        hold_expires_at=redemption.expires_at if held else None,
    )


def _stock_moved(redemption: Redemption) -> dict[str, int]:
    """What an entry that leaves the redemption so takes of finite stock; below zero what comes back. Captured, it is gone."""
    if redemption.status is RedemptionStatus.CAPTURED:
        return {}
    sign = 1 if redemption.status is RedemptionStatus.HELD else -1
    return {shard: sign * units for shard, units in redemption.stock.items()}
