"""Writes down what fell due, and gives up refunds whose purchase never came. Started by the clock."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from loyalty.commerce.dead_letters import DeadLetters
from loyalty.commerce.items import shard_name as refund_shard
from loyalty.commerce.store import CommerceStore
from loyalty.commerce.waiting import WaitingRefunds
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.error_names import code_of
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics, seconds
from loyalty.sweeping.service import SHARDS, Failure, Sweep, Sweeper
from loyalty_contract import ENTRIES_SETTLED, MEMBERS_SETTLED, SETTLEMENT_LAG, SETTLEMENTS_FAILED

RESERVE: Final = timedelta(seconds=75)
"""Before the time-out no more members are taken up: time for those under way, however slow the table is."""
AT_ONCE: Final = 10
"""Purchases of one shard whose refunds a run puts aside: even on a slow table within the reserve."""
NAMED: Final = 50
"""Failures that a run names in its log."""


class SweeperSettings(Settings):
    """What this function is told: ``inbound_dlq`` takes the refunds whose purchase never came."""

    inbound_dlq: str


SETTINGS = SweeperSettings.load()
TABLE = Table(SETTINGS.table)
SWEEPER = Sweeper(TABLE, system_clock)
REFUNDS = WaitingRefunds(
    CommerceStore(TABLE),
    lambda body, why: DeadLetters(client("sqs"), SETTINGS.inbound_dlq).send(body, why),
    system_clock,
)
TABLE.client  # noqa: B018 - made now, and not in the first run


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sweeps the shards that the event names, or all. What fails is counted and left to the next run."""
    shards = event.get("shards", SHARDS)
    deadline = system_clock() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - RESERVE
    put_aside, failures = _put_aside(shards, deadline)
    sweep = SWEEPER.run(shards, deadline=deadline)
    sweep.failures += failures
    _report(sweep)
    done = {
        "shards": list(shards), "members": sweep.members, "entries": sweep.entries, "current": sweep.current,
        "refunds_put_aside": put_aside, "failed": len(sweep.failures), "finished": sweep.finished, "lag_seconds": None if sweep.lag is None else sweep.lag.total_seconds(),
    }  # fmt: skip
    logger.info("swept", extra=done)
    return done


def _put_aside(shards: Iterable[int], deadline: datetime) -> tuple[int, list[Failure]]:
    """Puts refunds aside that waited too long for their purchase; how many, and the shards that gave trouble."""
    put_aside, failures = 0, []
    for shard in shards:
        if system_clock() >= deadline:
            break
        try:
            put_aside += REFUNDS.expire(shard, limit=AT_ONCE)
        except Exception as error:  # noqa: BLE001 - counted and named; the other shards are looked at all the same
            failures.append(Failure(refund_shard(shard), code_of(error)))
    return put_aside, failures


def _report(sweep: Sweep) -> None:
    for failure in sweep.failures[:NAMED]:
        logger.error("not settled, to be tried again", extra={"where": failure.where, "error": failure.error})
    count(MEMBERS_SETTLED, sweep.members)
    count(ENTRIES_SETTLED, sweep.entries)
    count(SETTLEMENTS_FAILED, len(sweep.failures))
    if sweep.lag is not None:
        seconds(SETTLEMENT_LAG, sweep.lag.total_seconds())
