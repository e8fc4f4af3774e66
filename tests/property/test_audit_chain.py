"""Whatever the stream repeats, delays or cuts up: each line is linked once, and the chain has no gap."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.audit.links import LINK_PREFIX, ChainStore, link_of, links_pk
from loyalty.core.table import Table, TransactionRefused
from tests.ledgerkit.clock import at
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.trails import ACME, Trails

EVE = at("2026-03-16T23:59:58Z")


@st.composite
def deliveries(draw: Any, lines: int = 6) -> list[list[int]]:
    """Batches of lines by number: all of them at least once, some again, in any order."""
    order = draw(st.permutations([*range(lines), *draw(st.lists(st.integers(0, lines - 1), max_size=6))]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=4)))
    return [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]


class Flaky(Table):
    """Writes, and now and then says that it did not; or does not."""

    def __init__(self, table: Table, faults: list[str]) -> None:
        self.__dict__ |= table.__dict__
        self.faults = faults

    def write(self, operations: Any) -> None:
        fault = self.faults.pop() if self.faults else ""
        if fault == "refused":
            raise TransactionRefused({}, ["TransactionConflict"], contended=True)
        super().write(operations)
        if fault == "lost":
            raise TransactionRefused({}, ["TransactionConflict"], contended=True)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(batches=deliveries(), faults=st.lists(st.sampled_from(["", "refused", "lost"]), max_size=6))
def test_each_line_is_linked_once_however_it_is_delivered(
    table: Table, batches: list[list[int]], faults: list[str]
) -> None:
    empty_table(table)
    trails = Trails(table, EVE)
    told = []
    for number in range(6):  # across midnight: three lines on each day
        trails.clock.now = EVE + timedelta(seconds=number * 2 // 3)
        told += trails.write(f"members/mbr_{number}")
    trails.chains = ChainStore(Flaky(table, faults), sleep=lambda _: None)
    for batch in batches:
        assert trails.link(*(told[number] for number in batch)).again_from is None
    days = {image["dynamodb"]["Keys"]["pk"]["S"].rpartition("#")[2] for image in told}
    linked = Counter(
        link.line
        for day in days
        for raw in trails.items(links_pk(ACME, at(f"{day}T00:00:00Z").date()))
        if raw["sk"]["S"].startswith(LINK_PREFIX)
        for link in [link_of(raw)]
    )
    assert linked == Counter(image["dynamodb"]["Keys"]["sk"]["S"] for image in told)
    trails.clock.now = EVE + timedelta(hours=1)
    assert trails.verify(bucket=False).findings == []


@pytest.mark.parametrize("begun", [False, True])
def test_two_who_link_the_same_day_at_once_make_one_chain(table: Table, begun: bool) -> None:
    """The second is in the middle of its transaction when the first one's is written."""
    trails = Trails(table, EVE)
    told = trails.write(*(f"members/mbr_{number}" for number in range(4)))
    other = ChainStore(table, sleep=lambda _: None)
    images = [one["dynamodb"]["NewImage"] for one in told]
    if begun:
        other.link(ACME, EVE.date(), images[:1])

    class Overtaken(Table):
        def __init__(self) -> None:
            self.__dict__ |= table.__dict__
            self.overtaken = False

        def write(self, operations: Any) -> None:
            if not self.overtaken:
                self.overtaken = True
                other.link(ACME, EVE.date(), images[:3])
            super().write(operations)

    assert ChainStore(Overtaken(), sleep=lambda _: None).link(ACME, EVE.date(), images) == 1
    trails.clock.now = EVE + timedelta(hours=1)
    assert trails.verify(bucket=False).findings == []
    assert len([raw for raw in trails.items(links_pk(ACME, EVE.date())) if raw["sk"]["S"].startswith(LINK_PREFIX)]) == 4


def test_what_cannot_be_linked_comes_again_from_there(table: Table) -> None:
    trails = Trails(table, EVE)
    told = trails.write("a", "b")
    trails.chains = ChainStore(Flaky(table, ["refused"] * 100), sleep=lambda _: None)
    done = trails.link(*told)
    assert (done.links, done.again_from, done.error) == (0, told[0]["dynamodb"]["SequenceNumber"], "Unavailable")


def test_what_happens_to_a_line_afterwards_is_told_and_links_nothing(table: Table) -> None:
    trails = Trails(table, EVE)
    (told,) = trails.write("a")
    image = told["dynamodb"]["NewImage"]
    done = trails.link(trails.told(image, "MODIFY"), trails.told(image, "REMOVE"))
    assert (done.links, len(done.touched)) == (0, 2)
    strange = image | {"pk": {"S": "A#acme#someday"}}
    assert trails.link(trails.told(strange)).unreadable == [f"A#acme#someday/{image['sk']['S']}"]


def test_a_batch_that_comes_again_links_nothing(table: Table) -> None:
    trails = Trails(table, EVE)
    told = trails.write("a", "b", "c")
    assert [trails.link(*batch).links for batch in (told[:2], told[:2], told, told[::-1])] == [2, 0, 1, 0]
    head = trails.chains.head(ACME, EVE.date())
    assert head is not None
    assert head.number == 3
