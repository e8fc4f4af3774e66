"""Publishes what the table's stream says. The stream is the outbox: no other function publishes."""

from typing import Any

from loyalty.core.aws import client
from loyalty.core.settings import Settings
from loyalty.core.telemetry import count, logger, metrics
from loyalty.publishing.service import Publisher, events_of


class PublisherSettings(Settings):
    """What this function is told; it reads the stream's records, never the table."""

    table: str = ""
    bus: str


PUBLISHER = Publisher(client("events"), PublisherSettings.load().bus)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Publishes a batch. Lambda repeats a stream's batch from the first failed record on, so one is enough to name."""
    events = [outgoing for record in event["Records"] for outgoing in events_of(record)]
    failed = PUBLISHER.publish(events)
    count("EventsPublished", len(events) - len(failed))
    if not failed:
        return {"batchItemFailures": []}
    logger.error("events not taken by the bus", extra={"failed": len(failed), "of": len(events)})
    return {"batchItemFailures": [{"itemIdentifier": failed[0].sequence_number}]}
