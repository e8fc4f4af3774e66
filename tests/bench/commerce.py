"""Round trips of a batch of commerce events, and of the same events one by one, on a real engine."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from loyalty.commerce.batch import BatchRunner, Message
from loyalty.commerce.outcomes import Outcome
from loyalty.core.errors import Rejected
from loyalty.core.table import Table
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.ledgerkit.calls import recorded
from tests.unit.commerce.shopify_samples import ORDER, SHOP, envelope
from tests.unit.commerce.world import PROGRAM, Commerce

EVENTS, MEMBERS = 100, 10
LEAST_GAIN = 5
"""Times that a batch must need fewer round trips than its events need one by one."""


def figures(running: Running) -> Iterator[Figure]:
    """Of a hundred purchases by ten members."""
    table = running.table("batch")
    commerce = Commerce(table)
    commerce.programs.current(PROGRAM)  # cached, as in a function that is warm
    commerce.programs.for_shop(SHOP)
    for number in range(MEMBERS):
        commerce.enroll(f"buyer{number}@example.com")
    runner = BatchRunner(commerce.service, never, workers=1)
    together = [order(1000 + place, place % MEMBERS) for place in range(EVENTS)]
    in_batch = _round_trips(table, lambda: accrued(runner, together))
    apart = [order(2000 + place, place % MEMBERS) for place in range(EVENTS)]
    one_by_one = sum(_round_trips(table, partial(accrued, runner, [message])) for message in apart)
    commerce.audit()
    running.drop(table)
    yield Figure("batch.round_trips", in_batch, "round trips")
    yield Figure("one_by_one.round_trips", one_by_one, "round trips")
    yield Figure("batch.times_fewer", round(one_by_one / in_batch, 2), "times", LEAST_GAIN, "min")


def order(number: int, buyer: int) -> Message:
    """A purchase of one of the bench's buyers, as the queue brings it."""
    by = {"email": f"buyer{buyer}@example.com", "contact_email": None, "customer": None}
    return Message(str(number), json.dumps(envelope("orders/paid", ORDER | {"id": number} | by)))


def accrued(runner: BatchRunner, messages: Sequence[Message]) -> None:
    """Runs a batch; every event of it must earn."""
    for result in runner.run(messages):
        if result.outcomes != [Outcome.ACCRUED]:
            raise AssertionError(f"an event of the bench did not earn: {result}")


def _round_trips(table: Table, run: Callable[[], object]) -> int:
    with recorded(table.client) as calls:
        run()
    return len(calls.names)


def never(_body: str, refusal: Rejected) -> None:
    """For what is refused: here nothing is."""
    raise AssertionError(f"an event of the bench was refused: {refusal.reason}")
