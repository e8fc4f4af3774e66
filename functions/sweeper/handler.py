"""Writes down what fell due. Started by the clock, once for each share of the due index."""

from datetime import timedelta
from typing import Any, Final

from loyalty.core.clock import system_clock
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics, seconds
from loyalty.sweeping.service import SHARDS, Sweep, Sweeper
from loyalty_contract import ENTRIES_SETTLED, MEMBERS_SETTLED, SETTLEMENT_LAG, SETTLEMENTS_FAILED

RESERVE: Final = timedelta(seconds=75)
"""Before the time-out no more members are taken up: time for those under way, however slow the table is."""
NAMED: Final = 50
"""Failures that a run names in its log."""

TABLE = Table(Settings.load().table)
SWEEPER = Sweeper(TABLE, system_clock)
TABLE.client  # noqa: B018 - made now, and not in the first run


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sweeps the shards that the event names, or all. What fails is counted and left to the next run."""
    shards = event.get("shards", SHARDS)
    time_left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    sweep = SWEEPER.run(shards, deadline=system_clock() + time_left - RESERVE)
    _report(sweep)
    done = {
        "shards": list(shards), "members": sweep.members, "entries": sweep.entries, "current": sweep.current,
        "failed": len(sweep.failures), "finished": sweep.finished, "lag_seconds": None if sweep.lag is None else sweep.lag.total_seconds(),
    }  # fmt: skip
    logger.info("swept", extra=done)
    return done


def _report(sweep: Sweep) -> None:
    for failure in sweep.failures[:NAMED]:
        logger.error("not settled, to be tried again", extra={"where": failure.where, "error": failure.error})
    count(MEMBERS_SETTLED, sweep.members)
    count(ENTRIES_SETTLED, sweep.entries)
    count(SETTLEMENTS_FAILED, len(sweep.failures))
    if sweep.lag is not None:
        seconds(SETTLEMENT_LAG, sweep.lag.total_seconds())
