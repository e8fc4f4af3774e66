"""Brings referrals on when something happened to a member: events from the bus, through a queue."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loyalty.core.clock import system_clock
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty.referrals.events import What, happening
from loyalty.referrals.work import Newcomers, lifecycle_over, report

TABLE = Table(Settings.load().table)
LIFECYCLE = lifecycle_over(TABLE, system_clock)
NEWCOMERS = Newcomers(TABLE, system_clock)
PROCESSOR = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
TABLE.client  # noqa: B018 - made now, and not in the first event


def wake(record: SQSRecord) -> None:
    """One event; what it raises sends this record, and no other, back to the queue and at last to its dead letters."""
    try:
        what = happening(record.body)
        if what is not None and what.what is What.PROFILE:
            NEWCOMERS.told(what)
            count("ProfilesSeen")
            return
        woken = [] if what is None else LIFECYCLE.told(what)
        count("ReferralEventsOfNobody" if not woken else "ReferralEventsOfReferrals")
        for one in woken:
            report(one)
    except Exception as error:
        # By its type alone: what it says may quote the message.
        count("ReferralEventsFailed")
        label = {"sqs_message": record.message_id, "error": type(error).__name__}
        logger.error("event failed, to be delivered again", extra=label)
        raise


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Wakes whom a batch is about; the failed records are reported and delivered again."""
    return process_partial_response(event, wake, PROCESSOR, context)
