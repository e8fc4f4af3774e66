"""Starts the workflow of each gift card for which points are held: events from the bus, through a queue."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loyalty.core.aws import client
from loyalty.core.errors import Rejected
from loyalty.core.settings import Settings
from loyalty.core.telemetry import count, logger, metrics
from loyalty.fulfillment.start import FulfillmentStarter


class StartSettings(Settings):
    """What this function is told; it never looks at the table."""

    table: str = ""
    state_machine: str


STARTER = FulfillmentStarter(client("stepfunctions"), StartSettings.load().state_machine)
PROCESSOR = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def start(record: SQSRecord) -> None:
    """One event; what it raises sends this record, and no other, back to the queue and at last to its dead letters."""
    try:
        redemption_id, started = STARTER.start(record.body)
    except Rejected as rejection:
        count("FulfillmentEventsRejected")
        logger.error(str(rejection), extra={"reason": rejection.reason, "message_id": record.message_id})
        raise
    count("FulfillmentsStarted" if started else "FulfillmentsAlreadyStarted")
    logger.info("fulfilment started", extra={"redemption_id": redemption_id, "first": started})


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Starts a batch; the failed records are reported and delivered again."""
    return process_partial_response(event, start, PROCESSOR, context)
