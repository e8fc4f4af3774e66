"""The last hundred of something, wanted by ten thousand at once: who gets it, what it costs, and what gets hot."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Lock
from typing import Any, Final
from unittest.mock import patch

from pynamodb.exceptions import PynamoDBException

from loyalty.core import problems
from loyalty.core import table as core_table
from loyalty.core.errors import LoyaltyError, WalletBusy
from loyalty.core.table import Table, TransactionRefused
from loyalty.stock.errors import OutOfStock
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.history import items
from tests.bench.progress import bar
from tests.engines.fixtures import REGION
from tests.ledgerkit.bulk import load
from tests.ledgerkit.stocked import Stocked

CLAIMS, LEFT = 10_000, 100
POINTS = 1
THREADS: Final = 32
HOTTEST = 0.2
"""Share of the write units of all shards that the hottest may have; 1/16 is even."""
_SENT = "provide-client-params.dynamodb"


class _Traffic:
    """What all threads sent: calls, and write units asked for by the partition of each item."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self._lock = Lock()

    def listen(self, table: Table) -> None:
        table.client.meta.events.register(_SENT, self._sent)

    def _sent(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        with self._lock:
            self.calls[model.name] += 1
            for part in params["TransactItems"] if model.name == "TransactWriteItems" else ():
                ((_, request),) = part.items()
                # An item below one kilobyte: two units in a transaction, whether it is written or refused.
                self.units[(request.get("Key") or request["Item"])["pk"]["S"]] += 2


def figures(running: Running) -> Iterator[Figure]:
    """Of ten thousand members, each of whom wants one of the last hundred, in as many threads as the engine bears."""
    table = running.table("stock")
    shop = Stocked(table)
    members = [f"mbr_{number:026}" for number in range(CLAIMS)]
    with bar(f"{CLAIMS:,} members", CLAIMS * (POINTS + 1)) as told:
        load(running.client, table.name, (raw for one in members for raw in items(shop, one, POINTS)), told=told)
    shop.restock(LEFT)
    yield from _of_one(running, shop)
    traffic = _Traffic()
    outcomes = _claimed(running, table.name, members, traffic)
    shards = {pk: units for pk, units in traffic.units.items() if pk.startswith("K#")}
    yield Figure("stock.claims", outcomes.total(), "claims", CLAIMS, "min")
    yield Figure("stock.succeeded", outcomes["held"], "claims", LEFT)
    yield Figure("stock.succeeded_at_least", outcomes["held"], "claims", LEFT, "min")
    yield Figure("stock.refused", outcomes[OutOfStock.code], "claims", CLAIMS - LEFT, "min")
    yield Figure("stock.left", shop.level().left, "units", 0)
    yield Figure("stock.findings", _findings(running, table.name), "findings", 0)
    yield Figure("stock.hottest_shard_share", max(shards.values()) / sum(shards.values()), "of shards", HOTTEST)
    yield Figure(
        "stock.hottest_item_share", max(traffic.units.values()) / sum(traffic.units.values()), "of all units", 0.05
    )
    yield Figure("stock.round_trips_per_claim", sum(traffic.calls.values()) / CLAIMS, "calls")
    running.drop(table)


def _of_one(running: Running, shop: Stocked) -> Iterator[Figure]:
    """What one hold, its release, and a refused one cost, with nobody else there."""
    member = "mbr_of_one"
    shop.enroll(member)
    shop.accrue("R-1", "1000", member=member)
    held: list[str] = []

    def hold() -> None:
        held.append(shop.hold("one", "mug", member=member)[0].redemption_id)

    def refused() -> None:
        try:
            shop.hold("too-many", "mug", 100, member=member)
        except OutOfStock:
            return
        raise AssertionError("more were held than there are")

    def release() -> None:
        shop.release(held[0], member=member)

    for name, run, trips in (("hold", hold, 2), ("refused", refused, 3), ("release", release, 2)):
        cost = running.cost(shop.table, run)
        yield Figure(f"stock.{name}.round_trips", cost.round_trips, "calls", trips)
        yield Figure(f"stock.{name}.write_units", cost.write_units, "units")
        yield Figure(f"stock.{name}.read_units", cost.read_units, "units")


def _findings(running: Running, name: str) -> int:
    """What the proof finds: by a client that waits for a page of the scan for as long as it takes."""
    with patch.object(core_table, "READ_SECONDS", 300.0):
        return len(Stocked(Table(name, endpoint=running.endpoint, region=REGION)).audit())


def _claimed(running: Running, name: str, members: Sequence[str], traffic: _Traffic) -> Counter[str]:
    shops = [Stocked(Table(name, endpoint=running.endpoint, region=REGION)) for _ in range(THREADS)]
    for shop in shops:
        traffic.listen(shop.table)
    waiting, lock = iter(members), Lock()

    def work(shop: Stocked, told: Callable[[int], None]) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        while True:
            with lock:
                batch = list(islice(waiting, 10))
            if not batch:
                return outcomes
            for member in batch:
                outcomes[_claim(shop, member)] += 1
            told(len(batch))

    what = f"{len(members):,} claims of {LEFT}, in {THREADS} threads"
    with bar(what, len(members)) as told, ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda shop: work(shop, told), shops), Counter[str]())


def _claim(shop: Stocked, member: str) -> str:
    """What a client is told in the end: it sends the same again for as long as it is told to."""
    while True:
        try:
            return shop.hold("key", "mug", member=member)[0].status
        except WalletBusy:
            continue
        except LoyaltyError as refusal:
            return refusal.code
        except (PynamoDBException, TransactionRefused) as error:
            if problems.of(error).status != 503:
                raise
