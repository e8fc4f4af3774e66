"""One step of a recalculation of tiers, called by the state machine."""

from datetime import timedelta
from typing import Any, Final

from loyalty.core.clock import system_clock
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty.programs.store import ProgramStore
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.steps import StepRequest, Steps, counts_of
from loyalty.walking.runs import Walked
from loyalty_contract import MEMBERS_NOT_RECALCULATED, MEMBERS_RECALCULATED

RESERVE: Final = timedelta(seconds=75)
"""Before the time-out no more members are taken up: time for those under way, however slow the table is."""

TABLE = Table(Settings.load().table)
RECALCULATION = Recalculation(TABLE, system_clock)
# A store for each step: one that is kept remembers versions for a minute.
STEPS = Steps(RECALCULATION, lambda program: ProgramStore(TABLE, system_clock).current(program))
TABLE.client  # noqa: B018 - made now, and not in the first step


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> Any:
    """Takes one step. What it raises fails the task under the error's own name, by which the state machine goes on."""
    count("RecalculationSteps")
    asked = StepRequest.model_validate(event)
    logger.append_keys(step=asked.step, program=asked.request.program, run=asked.request.run)
    if asked.step == "begin":
        logger.info("recalculation begins")
        return STEPS.begin(asked.request)
    if asked.step == "shard":
        deadline = system_clock() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - RESERVE
        at = STEPS.shard(asked.request, asked.shard, deadline)
        told = ("shard", "done", "pages", "members", "changed", "failed")
        logger.info("recalculation goes on", extra={name: at[name] for name in told})
        return at
    return _ended(STEPS.member(asked.request) if asked.step == "member" else STEPS.sum(asked.request))


def _ended(done: Walked) -> dict[str, Any]:
    """Of the whole run; a run that was gone on with tells all of it again."""
    told = counts_of(done)
    count(MEMBERS_RECALCULATED, done.members)
    count(MEMBERS_NOT_RECALCULATED, done.failed)
    logger.info("recalculated", extra=told)
    return told
