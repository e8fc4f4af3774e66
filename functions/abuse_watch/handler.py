"""Watches for signs of abuse: events from the bus, through a queue."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loyalty.abuse.events import watched
from loyalty.abuse.watching import Doing, Seen, Watcher
from loyalty.core.clock import system_clock
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, failures_told, logger, metrics
from loyalty.programs.store import ProgramStore
from loyalty.publishing.events import ClientSuspected
from loyalty_contract import CLIENTS_SUSPECTED, MEMBERS_FLAGGED, MEMBERS_PUT_ON_HOLD

TABLE = Table(Settings.load().table)
WATCHER = Watcher(TABLE, ProgramStore(TABLE, system_clock), system_clock)
PROCESSOR = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
TABLE.client  # noqa: B018 - made now, and not in the first event


def watch(record: SQSRecord) -> None:
    """One event; what it raises sends this record, and no other, back to the queue and at last to its dead letters."""
    with failures_told("AbuseEventsFailed", record.message_id):
        event = watched(record.body)
        if isinstance(event, ClientSuspected):
            _suspected(event)
        elif event is not None:
            _told(event, WATCHER.see(event))


def _suspected(event: ClientSuspected) -> None:
    count(CLIENTS_SUSPECTED)
    label = {"program": event.program, "client_id": event.client_id, "signal": event.signal}
    logger.warning("client suspected", extra=label | {"counted": event.counted, "since": event.since})


def _told(doing: Doing, seen: Seen) -> None:
    count("AbuseEventsCounted" if seen.counted else "AbuseEventsKnown")
    if seen.case is None:
        return
    count(MEMBERS_FLAGGED)
    if seen.case.on_hold:
        count(MEMBERS_PUT_ON_HOLD)
    signals = [one.signal.value for one in seen.case.evidence]
    label = {"program": doing.program, "member_id": seen.case.member_id, "on_hold": seen.case.on_hold}
    logger.warning("member flagged", extra=label | {"signals": signals})


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Watches a batch; the failed records are reported and delivered again."""
    return process_partial_response(event, watch, PROCESSOR, context)
