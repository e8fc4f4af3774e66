"""A batch of queued events: what belongs together in order, the rest side by side, and each to its own end."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, Protocol

from loyalty.commerce import inbound
from loyalty.commerce.model import UNKNOWN_EVENT, Inbound
from loyalty.commerce.outcomes import Outcome, Unfinished, final
from loyalty.commerce.tasks import Task
from loyalty.core.errors import LoyaltyError, Rejected

WORKERS: Final = 4
"""Lanes at work side by side; each waits for DynamoDB most of the time."""
LEDGER_ATTEMPTS: Final = 40
"""Times that a posting is tried while others write to the same member: nobody waits for a queue's answer."""
BUDGET_SECONDS: Final = 35.0
"""After which nothing new is begun: what is under way ends before the function is stopped, and the rest comes again."""

Reject = Callable[[str, Rejected], None]


class Service(Protocol):
    """What applies events: :class:`loyalty.commerce.service.InboundService`."""

    def plan(self, event: Inbound) -> Task:
        """The event as a task."""

    def look(self, tasks: Sequence[Task]) -> list[list[Task]]:
        """Looks at what became of them before; returns the lanes of those that are not done."""

    def work(self, lane: Sequence[Task], late: Callable[[], bool]) -> None:
        """Takes the tasks of a lane to their ends."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the queue."""

    message_id: str
    body: str


@dataclass(slots=True)
class Result:
    """What became of a message. With an ``error`` it is to be delivered again; what it did before stands."""

    message_id: str
    outcomes: list[Outcome] = field(default_factory=list)
    rejected: Rejected | None = None
    error: Exception | None = None


class BatchRunner:
    """Applies batches. ``reject`` puts a body aside for people, with the reason; it must have done so on return."""

    def __init__(
        self, service: Service, reject: Reject, *, workers: int = WORKERS, seconds: Callable[[], float] = monotonic
    ) -> None:
        """``seconds`` is a clock that only goes forward."""
        self._service = service
        self._reject = reject
        self._workers = workers
        self._seconds = seconds

    def run(self, messages: Sequence[Message]) -> list[Result]:
        """Every message to its end, in the batch's order. Never raises for a message."""
        until = self._seconds() + BUDGET_SECONDS
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            tasks = [self._plan(message) for message in messages]
            list(pool.map(lambda lane: self._work(lane, until), self._look(tasks)))
            return list(pool.map(self._result, messages, tasks))

    def _plan(self, message: Message) -> Task | Rejected:
        try:
            return self._service.plan(parse(message.body))
        except Rejected as refusal:
            return refusal

    def _look(self, planned: Sequence[Task | Rejected]) -> list[list[Task]]:
        tasks = [task for task in planned if isinstance(task, Task)]
        try:
            return self._service.look(tasks)
        except Exception as error:  # noqa: BLE001 - nothing was done; all come again
            _fail(tasks, error)
            return []

    def _work(self, lane: Sequence[Task], until: float) -> None:
        try:
            self._service.work(lane, lambda: self._seconds() > until)
        except Exception as error:  # noqa: BLE001 - one lane's failure is not the batch's: it is delivered again
            _fail(lane, error)

    def _result(self, message: Message, task: Task | Rejected) -> Result:
        result = Result(message.message_id)
        done = task if isinstance(task, Rejected) else task.done
        if isinstance(done, list):
            result.outcomes = done
            return result
        if isinstance(done, Unfinished):
            result.outcomes = done.outcomes
        refusal = final(done) if isinstance(done, LoyaltyError) else None
        if refusal is None:
            result.error = done or RuntimeError("nothing became of the event")
        else:
            self._put_aside(message, refusal, result)
        return result

    def _put_aside(self, message: Message, refusal: Rejected, result: Result) -> None:
        try:
            self._reject(message.body, refusal)
        except Exception as error:  # noqa: BLE001 - as above: nothing was put aside, so nothing is lost
            result.error = error
        else:
            result.rejected = refusal


def parse(body: str) -> Inbound:
    """The event in a message's body.

    Raises:
        Rejected: see :func:`loyalty.commerce.inbound.parse`; ``unknown_event`` where it is no JSON object.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise Rejected(UNKNOWN_EVENT, "The message is not JSON.") from None
    if not isinstance(event, dict):
        raise Rejected(UNKNOWN_EVENT, "The message is not a JSON object.")
    return inbound.parse(event)


def failures(results: Sequence[Result]) -> dict[str, Any]:
    """The answer that makes the queue deliver the failed messages, and only those, again."""
    return {"batchItemFailures": [{"itemIdentifier": one.message_id} for one in results if one.error is not None]}


def _fail(tasks: Sequence[Task], error: Exception) -> None:
    for task in tasks:
        task.done = task.done or error
