"""One step of a bulk fulfilment, called by the state machine."""

from typing import Any, Final

from loyalty.bulk.batches import Batches
from loyalty.bulk.service import Campaigns
from loyalty.bulk.steps import StepRequest, Steps
from loyalty.bulk.store import CampaignStore
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.files import Bucket
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore
from loyalty_contract import BULK_LINES_HELD, BULK_LINES_REFUSED


class BulkSettings(Settings):
    """What this function is told."""

    reports: str


SETTINGS: Final = BulkSettings.load()
TABLE: Final = Table(SETTINGS.table)
FILES: Final = Bucket(SETTINGS.reports, client("s3"))
STORE: Final = CampaignStore(TABLE)
REDEMPTIONS: Final = RedemptionService(Ledger(TABLE, system_clock), RedemptionStore(TABLE), system_clock)
# A store for each step: one that is kept remembers versions for a minute.
STEPS: Final = Steps(
    Campaigns(STORE, FILES, system_clock),
    Batches(STORE, FILES, REDEMPTIONS),
    lambda program: ProgramStore(TABLE, system_clock).current(program),
)
TABLE.client  # noqa: B018 - made now, and not in the first step


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> Any:
    """Takes one step. What it raises fails the task under the error's own name, by which the state machine goes on."""
    count("BulkSteps")
    asked = StepRequest.model_validate(event)
    logger.append_keys(step=asked.step, program=asked.request.program, campaign=asked.request.campaign)
    if asked.step == "begin":
        batches = STEPS.begin(asked.request)
        logger.info("bulk fulfilment begins", extra={"batches": len(batches)})
        return batches
    if asked.batch is not None:
        done = STEPS.batch(asked.request, asked.batch)
        logger.info("batch worked off", extra=done)
        return done
    if asked.step == "stop":
        stopped = STEPS.stop(asked.request)
        logger.error("bulk fulfilment could not begin", extra=stopped)
        return stopped
    told, progress = STEPS.sum(asked.request)
    count(BULK_LINES_HELD, progress.held)
    count(BULK_LINES_REFUSED, progress.refused)
    logger.info("bulk fulfilment ended", extra=told)
    return told
