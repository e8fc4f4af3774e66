"""A long day, and a chain that somebody cut: linking goes on, and what was done is found."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from loyalty.audit.links import ChainStore
from loyalty.audit.store import parse_trail
from loyalty.core.table import Table
from tests.ledgerkit.clock import at
from tests.ledgerkit.trails import ACME, Trails

NOON = at("2026-03-16T12:00:00Z")


class Counting(Table):
    """Counts the keys that are read."""

    def __init__(self, table: Table) -> None:
        self.__dict__ |= table.__dict__
        self.keys = Counter[str]()

    def get_many(self, keys: Any) -> Any:
        self.keys.update(sk for _, sk in keys)
        return super().get_many(keys)


def test_a_long_day_is_caught_up_with_one_look_at_each_line(table: Table) -> None:
    trails = Trails(table, NOON)
    for number in range(130):  # four transactions
        trails.clock.now = NOON + timedelta(seconds=number)
        trails.write(f"members/mbr_{number}")
    counting = Counting(table)
    assert ChainStore(counting, sleep=lambda _: None).catch_up(ACME, NOON.date()) == 130
    assert set(counting.keys.values()) == {1}
    trails.clock.now += timedelta(hours=1)
    assert trails.verify(bucket=False).findings == []


def test_a_chain_whose_head_somebody_removed_goes_on_and_is_named(table: Table) -> None:
    """Else one item removed would keep every later line, of every program, from being linked."""
    trails = Trails(table, NOON)
    trails.grow("a", "b")
    trails.export()
    trails.remove(f"AL#{ACME}#2026-03-16", "HEAD")
    done = trails.link(*trails.write("c"))
    assert (done.links, done.again_from) == (1, None)
    head = trails.chains.head(ACME, NOON.date())
    assert head is not None
    assert head.number == 3
    trails.clock.now += timedelta(hours=1)
    # Which day it followed nobody knows any more: here none, so that nothing is lost.
    assert trails.found() == set()


def test_what_followed_another_day_follows_nothing_once_its_head_was_removed(table: Table) -> None:
    trails = Trails(table, NOON)
    trails.grow("a")
    trails.clock.now = NOON + timedelta(days=1)
    trails.grow("b")
    trails.remove(f"AL#{ACME}#2026-03-17", "HEAD")
    assert trails.link(*trails.write("c")).links == 1
    trails.clock.now += timedelta(hours=1)
    assert trails.found(bucket=False, start=NOON.date()) == {"chain_broken", "days_not_joined"}


@pytest.mark.parametrize("day", ["20260316", "2026-W12-1", "2026-3-16", ""])
def test_a_day_has_one_spelling(day: str) -> None:
    assert parse_trail(f"A#{ACME}#{day}") is None
    assert parse_trail(f"A#{ACME}#2026-03-16") == (ACME, NOON.date())
