"""Wherever and however often a recalculation is cut off, everybody is looked at, and nobody is changed twice."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.walking.runs import Walked
from tests.ledgerkit.calls import Killed
from tests.ledgerkit.climbers import Climbers
from tests.ledgerkit.tables import create_table
from tests.simulation.client import table_over
from tests.simulation.engine import MemoryDynamoDb


class Mortal:
    """The service, over which a process dies at a call: before it is sent, or with its answer unread."""

    def __init__(self) -> None:
        self._service = MemoryDynamoDb()
        self._left: int | None = None
        self._answered = False
        self.wallets: list[str] = []
        """The members whose wallets were read."""

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if self._left is not None:
            self._left -= 1
        if self._left == 0 and not self._answered:
            raise Killed
        answer = self._service.call(operation, request)
        if operation == "GetItem" and request["Key"]["sk"]["S"] == "WALLET":
            self.wallets.append(request["Key"]["pk"]["S"].rpartition("#")[2])
        if self._left is not None and self._left <= 0:
            raise Killed
        return answer

    @contextmanager
    def dying(self, number: int, *, answered: bool) -> Iterator[None]:
        """Ends what runs in the block at its call ``number``, if it makes so many."""
        self._left, self._answered = number, answered
        try:
            yield
        except Killed:
            pass
        finally:
            self._left = None


CUTS = st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=8)


@settings(max_examples=100, deadline=None)
@given(
    members=st.sets(st.integers(0, 999), max_size=20),
    page=st.integers(1, 5),
    cuts=CUTS,
    joining=st.lists(st.integers(1000, 1999), max_size=8, unique=True),
)
def test_everybody_is_looked_at_and_counted_once(
    members: set[int], page: int, cuts: list[tuple[int, bool]], joining: list[int]
) -> None:
    """While others enroll: they may be met or not, and need not be."""
    service = Mortal()
    table = table_over(service, "ledger")
    create_table(table.client, table.name)
    ours = [f"mbr_{number:03}" for number in members]
    climbers = Climbers(table).join(*ours)
    done = Walked()
    service.wallets.clear()
    for place, (number, answered) in enumerate(cuts):
        with service.dying(number, answered=answered):
            done = climbers.recalculate(page=page)
        if place < len(joining):
            climbers.world.enroll(f"mbr_{joining[place]}")
    done = climbers.recalculate(page=page)
    read = list(service.wallets)

    assert set(ours) <= set(read)
    assert climbers.tiers(ours) == ["silver"] * len(ours)
    assert [climbers.raised(member) for member in ours] == [["run:x"]] * len(ours)
    assert done.unfinished == ()
    assert done.members == len(set(read)), "each page is counted once"
    assert len(read) <= done.members + len(cuts) * page, "at most a page is done again"
    assert done.changed <= len(ours)
    assert climbers.world.audit() == []
    before = climbers.world.dump()
    assert climbers.recalculate(page=page) == done
    assert climbers.world.dump() == before
