"""A batch of queued events: what belongs together in order, the rest side by side, and each to its own end."""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from loyalty.commerce import inbound
from loyalty.commerce.model import UNKNOWN_EVENT, CustomerRef, Ignored, Inbound, MemberActivity, MemberSignal, Refund
from loyalty.commerce.outcomes import PURCHASE_NOT_FOUND, Outcome, Unfinished, final
from loyalty.core.errors import EntryNotFound, LoyaltyError, Rejected

WORKERS: Final = 4
"""Lanes at work side by side; each waits for DynamoDB most of the time."""
REFUND_RECEIVES: Final = 4
"""Deliveries after which a refund no longer waits for its purchase; the queue itself gives up one later."""

Apply = Callable[[Inbound], list[Outcome]]
Reject = Callable[[str, Rejected], None]


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the queue; ``receives`` counts this delivery too."""

    message_id: str
    body: str
    receives: int = 1


@dataclass(slots=True)
class Result:
    """What became of a message. With an ``error`` it is to be delivered again; what it did before stands."""

    message_id: str
    outcomes: list[Outcome] = field(default_factory=list)
    rejected: Rejected | None = None
    error: Exception | None = None


class BatchRunner:
    """Applies batches. ``reject`` puts a body aside for people, with the reason; it must have done so on return."""

    def __init__(self, apply: Apply, reject: Reject, *, workers: int = WORKERS) -> None:
        self._apply = apply
        self._reject = reject
        self._workers = workers

    def run(self, messages: Sequence[Message]) -> list[Result]:
        """Every message to its end, in the batch's order. Never raises for a message."""
        results = [Result(message.message_id) for message in messages]
        events: dict[int, Inbound] = {}
        for place, message in enumerate(messages):
            try:
                events[place] = parse(message.body)
            except Rejected as refusal:
                self._put_aside(message, refusal, results[place])

        def work(lane: Sequence[int]) -> None:
            for place in lane:
                self._work(messages[place], events[place], results[place])

        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            list(pool.map(work, lanes({place: _keys(event) for place, event in events.items()})))
        return results

    def _work(self, message: Message, event: Inbound, result: Result) -> None:
        try:
            result.outcomes = self._apply(event)
        except Unfinished as part:
            result.outcomes, result.error = part.outcomes, part
        except LoyaltyError as error:
            refusal = _refusal(error, message.receives)
            if refusal is None:
                result.error = error
            else:
                self._put_aside(message, refusal, result)
        except Exception as error:  # noqa: BLE001 - one message's failure is not the batch's: it is delivered again
            result.error = error

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


def lanes(keys: Mapping[int, set[Hashable]]) -> list[list[int]]:
    """Places that share a key, by way of others too, in one lane and in order; lanes share nothing."""
    found: list[tuple[set[Hashable], list[int]]] = []
    for place, own in keys.items():
        touching = [lane for lane in found if lane[0] & own]
        merged: tuple[set[Hashable], list[int]] = (
            set(own).union(*(lane[0] for lane in touching)),
            sorted([place, *(before for lane in touching for before in lane[1])]),
        )
        found = [lane for lane in found if lane not in touching] + [merged]
    return [places for _, places in found]


def _keys(event: Inbound) -> set[Hashable]:
    """What tells that two events may touch the same wallet: the purchase, the buyer, the member."""
    match event:
        case Ignored():
            return set()
        case MemberSignal():
            return {("member", event.member_id)}
        case Refund():
            return {("event", event.source, event.purchase_source_id)}
    member = {("member", event.member_id)} if isinstance(event, MemberActivity) and event.member_id else set()
    return {("event", event.source, event.source_id), *member, *_buyer(event.customer)}


def _buyer(customer: CustomerRef | None) -> set[Hashable]:
    if customer is None:
        return set()
    external = {("external", customer.platform, customer.external_id)} if customer.external_id else set()
    return external | ({("email", customer.email.casefold())} if customer.email else set())


def _refusal(error: LoyaltyError, receives: int) -> Rejected | None:
    if isinstance(error, EntryNotFound) and receives >= REFUND_RECEIVES:
        return Rejected(PURCHASE_NOT_FOUND, f"{error.detail} Redrive the refund once its purchase counted.")
    return final(error)


def failures(results: Sequence[Result]) -> dict[str, Any]:
    """The answer that makes the queue deliver the failed messages, and only those, again."""
    return {"batchItemFailures": [{"itemIdentifier": one.message_id} for one in results if one.error is not None]}
