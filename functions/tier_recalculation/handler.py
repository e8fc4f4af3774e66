"""Recalculates a member's tier after points were earned: events from the bus, through a queue."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loyalty.core.clock import from_text, system_clock
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, failures_told, logger, metrics
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.publishing.events import PointsEvent
from loyalty.tiers.service import TierService

TABLE = Table(Settings.load().table)
PROGRAMS = ProgramStore(TABLE, system_clock)
TIERS = TierService(Ledger(TABLE, system_clock))
PROCESSOR = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
TABLE.client  # noqa: B018 - made now, and not in the first event


def recalculate(record: SQSRecord) -> None:
    """One event; what it raises sends this record, and no other, back to the queue and at last to its dead letters."""
    with failures_told("TierEventsFailed", record.message_id):
        _recalculate(record)


def _recalculate(record: SQSRecord) -> None:
    event = PointsEvent.model_validate(record.json_body["detail"])
    posted = TIERS.recalculate(
        PROGRAMS.current(event.program), event.member_id, cause=event.entry_id, posted_at=from_text(event.posted_at)
    )
    if posted is not None and not posted.replayed:
        count("TiersChanged")
        logger.info("tier changed", extra={"entry_id": posted.entry.entry_id, "tier": posted.entry.movement.tier})


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Processes a batch; the failed records are reported and delivered again."""
    count("EventsReceived", len(event["Records"]))
    return process_partial_response(event, recalculate, PROCESSOR, context)
