"""Publishes what the table's stream says. The stream is the outbox: no other function publishes."""

from typing import Any, Final

from loyalty.commerce.dead_letters import DeadLetters
from loyalty.core.aws import client
from loyalty.core.errors import Rejected
from loyalty.core.settings import Settings
from loyalty.core.telemetry import count, logger, metrics
from loyalty.publishing.outbox import Unreadable, read
from loyalty.publishing.service import Publisher


class PublisherSettings(Settings):
    """What this function is told; it reads the stream's records, never the table."""

    table: str = ""
    bus: str
    unpublished: str


UNREADABLE: Final = "unreadable_record"
SETTINGS = PublisherSettings.load()
PUBLISHER = Publisher(client("events"), SETTINGS.bus)


def put_aside(record: Unreadable) -> None:
    """Leaves the record to a person, so that what comes after it in its shard need not wait."""
    DeadLetters(client("sqs"), SETTINGS.unpublished).send(record.body, Rejected(UNREADABLE, record.error))
    count("EventsUnpublishable")
    label = {"sequence_number": record.sequence_number, "change": record.change, "error": record.error}
    logger.error("record put aside: no event can be made of it", extra=label)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Publishes a batch. Lambda repeats a stream's batch from the first failed record on, so one is enough to name."""
    events, unreadable = read(event["Records"])
    failed = PUBLISHER.publish(events)
    count("EventsPublished", len(events) - len(failed))
    again_from = int(failed[0].sequence_number) if failed else None
    for record in unreadable:
        if again_from is None or int(record.sequence_number) < again_from:
            put_aside(record)
    if again_from is None:
        return {"batchItemFailures": []}
    logger.error("events not taken by the bus", extra={"failed": len(failed), "of": len(events)})
    return {"batchItemFailures": [{"itemIdentifier": failed[0].sequence_number}]}
