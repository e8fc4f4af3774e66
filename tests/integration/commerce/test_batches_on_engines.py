"""Batches on real engines: cut off anywhere and delivered again, and sixty-four of them at once for one member."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from loyalty.accruals.service import AccrualService
from loyalty.commerce.batch import LEDGER_ATTEMPTS, BatchRunner, Message, Result, parse
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.store import CommerceStore
from loyalty.commerce.waiting import WaitingRefunds
from loyalty.core import table as table_module
from loyalty.core.errors import Rejected, WalletBusy
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty_contract import DUE_SHARDS
from tests.engines.fixtures import REGION, TableEngine
from tests.integration.commerce.test_inbound_on_engines import dump, restore
from tests.ledgerkit.calls import Cut, killed_at, recorded
from tests.unit.commerce.shopify_samples import SHOP
from tests.unit.commerce.test_bulk import order, refund
from tests.unit.commerce.test_claims import came
from tests.unit.commerce.world import PROGRAM, Commerce

pytestmark = pytest.mark.integration

THREADS = 64
RECEIVES = 5
"""Deliveries after which the queue gives a message up."""


def play(commerce: Commerce, bodies: Sequence[str]) -> None:
    """A batch without threads, so that it makes the same calls in the same order each time."""
    tasks = [commerce.service.plan(parse(body)) for body in bodies]
    for lane in commerce.service.look(tasks):
        commerce.service.work(lane)
    assert not [task.done for task in tasks if isinstance(task.done, Exception)]


def a_members_day(_: Commerce) -> list[str]:
    """Purchases, told twice, and refunds of them, of what counted before, and of what came after its refund."""
    return [
        order(1), order(2), order(1), refund(11, 1), refund(12, 1, "1.00"), refund(13, 500), order(3), order(501),
    ]  # fmt: skip


def two_members_and_a_stranger(_: Commerce) -> list[str]:
    return [
        order(1), order(2, 1), order(3, 9), refund(31, 3), refund(32, 777), order(4, 1), refund(21, 2), order(1),
    ]  # fmt: skip


def a_claim_among_others(commerce: Commerce) -> list[str]:
    member = commerce.enroll("buyer7@example.com")
    return [order(1), came(member), order(73, 7), refund(75, 73)]


def prepared(commerce: Commerce) -> None:
    for number in range(2):
        commerce.enroll(f"buyer{number}@example.com")
    play(commerce, [order(500), order(71, 7), order(72, 7), refund(74, 71)])
    play(commerce, [refund(510, 501), refund(511, 501, "1.00")])


@pytest.mark.parametrize("make", [a_members_day, two_members_and_a_stranger, a_claim_among_others])
def test_a_batch_cut_off_anywhere_and_delivered_again_leaves_what_one_run_leaves(
    commerce: Commerce, make: Callable[[Commerce], list[str]]
) -> None:
    prepared(commerce)
    bodies = make(commerce)
    commerce.programs.for_shop(SHOP)  # cached from now on
    client, before = commerce.table.client, dump(commerce)
    with recorded(client) as calls:
        play(commerce, bodies)
    wanted, round_trips = dump(commerce), len(calls.names)
    commerce.audit()
    for number in range(1, round_trips + 1):
        for cut in Cut:
            restore(commerce, before)
            with killed_at(client, number, cut) as cut_calls:
                play(commerce, bodies)
            assert len(cut_calls.names) == number, "the run was not cut off"
            play(commerce, bodies)
            assert dump(commerce) == wanted, f"cut off {cut} number {number}"
    play(commerce, bodies)
    assert dump(commerce) == wanted
    commerce.audit()


def test_giving_up_refunds_cut_off_anywhere_loses_none(commerce: Commerce) -> None:
    put_aside: list[str] = []

    def give_up() -> None:
        waiting = WaitingRefunds(commerce.store, lambda body, _: put_aside.append(body), commerce.clock)
        for shard in range(DUE_SHARDS):
            waiting.expire(shard)

    play(commerce, [refund(number, 1000 + number // 2) for number in range(1, 7)])
    commerce.clock.advance(days=30)
    client, before = commerce.table.client, dump(commerce)
    with recorded(client) as calls:
        give_up()
    assert (len(put_aside), commerce.keys("PURCHASE")) == (6, [])
    for number in range(1, len(calls.names) + 1):
        for cut in Cut:
            restore(commerce, before)
            put_aside.clear()
            with killed_at(client, number, cut):
                give_up()
            give_up()
            assert {json.loads(body)["detail"]["payload"]["id"] for body in put_aside} == set("123456")
            assert commerce.keys("PURCHASE") == []


class Writer:
    """One function instance among many: its own client, ledger and runner."""

    def __init__(self, commerce: Commerce, table: Table, attempts: int) -> None:
        self.put_aside: list[Rejected] = []
        ledger = Ledger(table, commerce.clock, attempts=attempts)
        service = commerce.service_with(
            store=CommerceStore(table), accruals=AccrualService(ledger, commerce.clock), programs=commerce.programs
        )
        # Its time stands still: how long all of this takes is this machine's business.
        reject = lambda _, refusal: self.put_aside.append(refusal)  # noqa: E731
        self._runner = BatchRunner(service, reject, workers=1, seconds=lambda: 0.0)

    def run(self, bodies: Sequence[str]) -> list[Result]:
        return self._runner.run([Message(str(place), body) for place, body in enumerate(bodies)])

    def until_done(self, bodies: Sequence[str]) -> Counter[Any]:
        """As the queue delivers; by outcome, and how often something went back."""
        found: Counter[Any] = Counter()
        left = list(bodies)
        for _ in range(RECEIVES):
            results = self.run(left) if left else []
            found.update(outcome for result in results for outcome in result.outcomes)
            left = [body for body, result in zip(left, results, strict=True) if result.error]
            found.update(type(result.error) for result in results if result.error)
            found["went back"] += len(left)
        found["given up"] += len(left)
        return found


@pytest.fixture
def writers(
    commerce: Commerce, table_engine: TableEngine, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, int], list[Writer]]:
    """So many writers, with so many attempts each; eight share a client, since more would only take longer to make.

    The engines are slower with so many at once than the library's time-outs allow for: those are not what is tested.
    """
    monkeypatch.setattr(table_module, "READ_SECONDS", 60.0)
    monkeypatch.setattr(table_module, "CONNECT_SECONDS", 60.0)
    commerce.programs.current(PROGRAM)  # cached from now on
    commerce.programs.for_shop(SHOP)

    def make(count: int, attempts: int) -> list[Writer]:
        name, endpoint = table_engine.table_name, table_engine.endpoint_url
        tables = [Table(name, endpoint=endpoint, region=REGION) for _ in range(count // 8)]
        for table in tables:
            assert table.client
        return [Writer(commerce, tables[number % len(tables)], attempts) for number in range(count)]

    return make


def at_once(writers: Sequence[Writer], batches: Sequence[Sequence[str]]) -> Counter[Any]:
    barrier = Barrier(len(writers))

    def run(writer: Writer, bodies: Sequence[str]) -> Counter[Any]:
        barrier.wait(timeout=30)
        return writer.until_done(bodies)

    with ThreadPoolExecutor(len(writers)) as pool:
        return sum(pool.map(run, writers, batches), Counter[Any]())


def test_sixty_four_batches_of_one_member_at_once_are_all_posted(
    commerce: Commerce, writers: Callable[[int, int], list[Writer]], record_property: Callable[[str, object], None]
) -> None:
    """Each has two purchases of its own, a refund of one of them, and one purchase that all of them tell of."""
    member = commerce.enroll("buyer0@example.com")
    batches = [
        [order(1000 + number), order(1), refund(3000 + number, 1000 + number), order(2000 + number)]
        for number in range(THREADS)
    ]
    many = writers(THREADS, LEDGER_ATTEMPTS)
    found = at_once(many, batches)
    record_property("outcomes", {str(outcome): times for outcome, times in found.items()})
    assert found["given up"] == 0
    assert not [refusal for writer in many for refusal in writer.put_aside]
    assert (found[Outcome.ACCRUED], found[Outcome.REVERSED]) == (2 * THREADS + 1, THREADS)
    assert commerce.points(member) == (2 * THREADS + 1) * 320 - THREADS * 64
    commerce.audit()


def test_who_gets_no_turn_goes_back_to_the_queue_and_to_nobody_else(
    commerce: Commerce, writers: Callable[[int, int], list[Writer]]
) -> None:
    """With a single attempt each nearly all lose; none is refused for that, and a later delivery posts them."""
    member = commerce.enroll("buyer0@example.com")
    many = writers(16, 1)
    batches = [[order(1000 + number)] for number in range(16)]
    found = at_once(many, batches)
    assert found[WalletBusy] > 0
    assert not [refusal for writer in many for refusal in writer.put_aside]
    play(commerce, [body for batch in batches for body in batch])
    assert commerce.points(member) == 16 * 320
    commerce.audit()
