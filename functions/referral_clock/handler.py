"""Brings on the referrals whose moment has come: deadlines, reminders, payments. Started by the clock."""

from datetime import timedelta
from typing import Any, Final

from loyalty.core.clock import system_clock
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics, seconds
from loyalty.referrals.due import DueReferrals
from loyalty.referrals.lifecycle import Woken
from loyalty.referrals.work import lifecycle_over, report
from loyalty.sweeping.walk import SHARDS, Sweep
from loyalty_contract import REFERRALS_FAILED, REFERRALS_LAG

RESERVE: Final = timedelta(seconds=75)
"""Before the time-out no more referrals are taken up: time for those under way, however slow the table is."""
NAMED: Final = 50
"""Failures that a run names in its log."""

TABLE = Table(Settings.load().table)
WOKEN: list[Woken] = []
"""What threads brought on, until it is reported: metrics are of one thread."""
DUE = DueReferrals(TABLE, lifecycle_over(TABLE, system_clock), system_clock, told=WOKEN.append)
TABLE.client  # noqa: B018 - made now, and not in the first run


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Works off the shards that the event names, or all. What fails is counted and left to the next run."""
    shards = event.get("shards", SHARDS)
    deadline = system_clock() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - RESERVE
    WOKEN.clear()  # of a run that was cut off
    sweep = DUE.run(shards, deadline=deadline, progress=_progress)
    for failure in sweep.failures[:NAMED]:
        logger.error("not brought on, to be tried again", extra={"where": failure.where, "error": failure.error})
    count(REFERRALS_FAILED, len(sweep.failures))
    if sweep.lag is not None:
        seconds(REFERRALS_LAG, sweep.lag.total_seconds())
    done = _told(sweep) | {
        "finished": sweep.finished,
        "lag_seconds": None if sweep.lag is None else sweep.lag.total_seconds(),
    }
    logger.info("referrals worked off", extra=done)
    return done


def _progress(sweep: Sweep) -> None:
    while WOKEN:
        report(WOKEN.pop())
    logger.info("under way", extra=_told(sweep))


def _told(sweep: Sweep) -> dict[str, Any]:
    return {
        "referrals": sweep.members, "steps": sweep.entries, "current": sweep.current, "failed": len(sweep.failures),
    }  # fmt: skip
