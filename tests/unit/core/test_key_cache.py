from datetime import timedelta

import pytest

from loyalty.core.key_cache import AGE, KeyCache
from tests.ledgerkit.clock import SettableClock, at


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(at("2026-11-22T09:00:00Z"))


def test_who_was_used_longest_ago_makes_place(clock: SettableClock) -> None:
    cache = KeyCache(clock, entries=2)
    cache.put("ada", b"a")
    cache.put("bob", b"b")
    assert cache.get("ada") == b"a"
    cache.put("cleo", b"c")
    assert [cache.get(name) for name in ("ada", "bob", "cleo")] == [b"a", None, b"c"]
    assert len(cache) == 2


@pytest.mark.parametrize(
    ("later", "there"),
    [(timedelta(0), True), (AGE - timedelta(seconds=1), True), (AGE, False), (timedelta(seconds=-1), False)],
    ids=["at once", "in time", "too late", "the clock was set back"],
)
def test_a_key_is_used_for_a_time(clock: SettableClock, later: timedelta, there: bool) -> None:
    cache = KeyCache(clock)
    cache.put("ada", b"a")
    clock.now += later
    assert (cache.get("ada") == b"a") is there
    assert len(cache) == int(there)


def test_reading_makes_no_key_younger(clock: SettableClock) -> None:
    cache = KeyCache(clock)
    cache.put("ada", b"a")
    found = []
    for _ in range(5):
        clock.now += AGE / 5
        found.append(cache.get("ada"))
    assert found == [b"a"] * 4 + [None]


@pytest.mark.parametrize("uses", [1, 2, 3])
def test_a_key_is_used_so_many_times_with_the_first(clock: SettableClock, uses: int) -> None:
    cache = KeyCache(clock, uses=uses)
    cache.put("ada", b"a")
    assert [cache.get("ada") for _ in range(4)].count(b"a") == uses - 1
    assert len(cache) == 0
