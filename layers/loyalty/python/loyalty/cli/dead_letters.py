"""A dead-letter queue, as a command works it off. Bodies may hold personal data: nothing here prints one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

HIDDEN_SECONDS: Final = 900
"""How long a letter that was read is hidden from others: time to ask the operator, and to move it."""
_WAIT_SECONDS: Final = 1
_EMPTY_ANSWERS: Final = 2
"""So many empty answers in a row, each of which asked every server of the queue, mean that nothing is left."""
_BATCH: Final = 10


class Unmovable(Exception):
    """This letter cannot be moved, and stays; the message says why and holds nothing of the letter."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that waits for a person; ``labels`` are its attributes that are texts."""

    message_id: str
    receipt: str
    body: str = field(repr=False)
    labels: dict[str, str]


class DeadLetterQueue:
    """Reads, removes and gives back letters.

    Args:
        sqs: a client.
        url: of the queue.
    """

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def receive(self) -> Iterator[Letter]:
        """Every letter that is visible, once, hidden from now on for :data:`HIDDEN_SECONDS` (see :meth:`release`)."""
        seen: set[str] = set()
        empty = 0
        while empty < _EMPTY_ANSWERS:
            messages = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=_WAIT_SECONDS,
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            new = [_letter(message) for message in messages if message["MessageId"] not in seen]
            seen.update(letter.message_id for letter in new)
            empty = 0 if new else empty + 1
            yield from new

    def delete(self, letter: Letter) -> None:
        """Removes it for good."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)

    def release(self, receipts: Sequence[str]) -> None:
        """Makes letters visible again. One that cannot be (its time is over already) is visible anyway, or gone."""
        for start in range(0, len(receipts), _BATCH):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                    for place, receipt in enumerate(receipts[start : start + _BATCH])
                ],
            )


def _letter(message: dict[str, Any]) -> Letter:
    attributes = message.get("MessageAttributes", {})
    labels = {name: value["StringValue"] for name, value in attributes.items() if "StringValue" in value}
    return Letter(message["MessageId"], message["ReceiptHandle"], message["Body"], labels)
