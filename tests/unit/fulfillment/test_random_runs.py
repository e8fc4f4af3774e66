"""Many redemptions, each with faults, crashes and people drawn at random, against the sandbox supplier over HTTP.

``LOYALTY_RANDOM_RUNS`` is how many (1,000 for the full proof), ``LOYALTY_RANDOM_SEED`` which. At the end the supplier's own
list, the vault, the ledger, the runs, our orders and the daily reports say the same, to the cent and the point; what they do
not, a run says that waits for a person, or that a person settled.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from infra.local.supplier.orders import OrderBook
from infra.local.supplier.server import SandboxSupplier
from loyalty.fulfillment.policy import FulfillmentPolicy
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.world import NOON
from tests.unit.fulfillment.books import Books
from tests.unit.fulfillment.faults import LAG_SECONDS
from tests.unit.fulfillment.lives import CATALOGUE, Life
from tests.unit.fulfillment.rig import Rig
from tests.unit.fulfillment.tables import new_table

RUNS: Final = int(os.environ.get("LOYALTY_RANDOM_RUNS", "60"))
SEED: Final = int(os.environ.get("LOYALTY_RANDOM_SEED", "20261122"))
CAREFUL: Final = FulfillmentPolicy(permits_per_second=1, breaker_failures=6, breaker_seconds=5, requests=3, queries=4)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOON)


@pytest.fixture
def supplier(clock: SettableClock) -> Iterator[SandboxSupplier]:
    """One that dates its orders by the same clock, so that a day's report compares the same day."""
    with SandboxSupplier(book=OrderBook(clock=clock)) as supplier:
        yield supplier


def test_the_books_of_all_sides_agree(supplier: SandboxSupplier, clock: SettableClock) -> None:
    began = time.monotonic()
    rig = Rig(new_table(), supplier, of=CATALOGUE, read_seconds=0.1, policy=CAREFUL, clock=clock)
    life = Life(rig, random.Random(SEED))  # noqa: S311 - a history, no secret
    life.run(RUNS)
    rig.faults()
    clock.advance(seconds=LAG_SECONDS)  # a day's report comes after what its lists lag behind
    books = Books(rig, life.held)
    books.require_agreement()
    found = books.require_report()
    print(  # the figures of a long run, shown with -s
        f"{len(books.runs)} runs in {time.monotonic() - began:.0f} s, {life.kills} executions died, decided {life.decided};"
        f"\n{books.statuses()}; {len(books.listed)} orders there, {len(books.theirs)} executed, {len(books.ours)} ours;"
        f"\ndifferences {Counter(one.kind.value for one in found)} of {len({one.redemption_id for one in found})} runs;"
        f"\n{(clock() - NOON).days} days"
    )
    assert len(books.runs) == RUNS
    assert len(books.theirs) >= RUNS // 4
