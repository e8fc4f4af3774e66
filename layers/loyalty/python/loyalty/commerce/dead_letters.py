"""Where events wait for people: the queue's dead-letter queue, each with its reason."""

from typing import Any, Final

from loyalty.core.errors import Rejected

_DETAIL_LENGTH: Final = 256


class DeadLetters:
    """Sends bodies to a queue, labelled. The body is the event as it came; the labels never hold personal data."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, body: str, refusal: Rejected) -> None:
        """Puts a body aside, with ``reason`` and ``detail`` as message attributes."""
        labels = {"reason": refusal.reason, "detail": refusal.detail[:_DETAIL_LENGTH] or "-"}
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=body,
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in labels.items()},
        )
