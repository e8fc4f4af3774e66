"""Which shards a claim takes from, and when it is refused; what a restock adds and withdraws where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.errors import Undecided
from loyalty.core.table import RawItem
from loyalty.ledger.stock import SHARDS, Key, shard_of, stock_key
from loyalty.stock.claim import Claim
from loyalty.stock.errors import OutOfStock, StockTooLow
from loyalty.stock.model import parts_added, parts_withdrawn

FIRST = 5
"""crc32("rdm_12") % 16"""


def claim(units: int, *, everywhere: bool = True) -> Claim:
    found = Claim("acme", "mug", units, "rdm_12", everywhere=everywhere)
    assert found.shards[0] == shard_of("mug", FIRST)
    return found


def stored(left: dict[int, int]) -> dict[Key, RawItem]:
    return {stock_key("acme", shard_of("mug", number)): {"left": {"N": str(units)}} for number, units in left.items()}


@pytest.mark.parametrize(
    ("left", "units", "taken"),
    [
        ({5: 3, 6: 9}, 3, {5: 3}),
        ({5: 3, 6: 9}, 4, {6: 4}),
        ({4: 4, 5: 3}, 4, {4: 4}),
        ({4: 4, 5: 3, 15: 4}, 4, {15: 4}),
        ({0: 2, 5: 3, 9: 4}, 6, {9: 4, 5: 2}),
        ({0: 2, 5: 3, 9: 4}, 9, {0: 2, 5: 3, 9: 4}),
        (dict.fromkeys(range(16), 1), 16, dict.fromkeys(range(16), 1)),
    ],
)
def test_the_own_shard_then_one_that_has_enough_then_the_fullest(
    left: dict[int, int], units: int, taken: dict[int, int]
) -> None:
    assert claim(units).taken(stored(left)) == {shard_of("mug", number): part for number, part in taken.items()}


def test_one_shard_is_enough_or_all_are_asked_for() -> None:
    one = claim(3, everywhere=False)
    assert one.keys == [stock_key("acme", "mug/05")]
    assert one.taken(stored({5: 3})) == {"mug/05": 3}
    with pytest.raises(Undecided):
        one.taken(stored({5: 2}))
    with pytest.raises(Undecided):
        one.taken({})
    assert len(set(one.of_all().keys)) == SHARDS


@pytest.mark.parametrize(
    ("left", "units", "said"),
    [({}, 1, "is out of stock"), ({5: 0, 6: 0}, 1, "is out of stock"), ({5: 1, 6: 2}, 4, "3 of 'mug' are left")],
)
def test_all_together_have_too_little(left: dict[int, int], units: int, said: str) -> None:
    with pytest.raises(OutOfStock, match=said):
        claim(units).taken(stored(left))


@pytest.mark.parametrize(("units", "parts"), [(1, [1]), (16, [1] * 16), (35, [3] * 3 + [2] * 13)])
def test_what_is_added_is_dealt_out_evenly(units: int, parts: list[int]) -> None:
    added = parts_added("mug", "rst_1", units)
    assert sorted(added.values(), reverse=True) == parts
    assert set(added) <= {shard_of("mug", number) for number in range(SHARDS)}


def test_small_deliveries_do_not_all_come_to_one_shard() -> None:
    assert len({next(iter(parts_added("mug", f"rst_{number}", 1))) for number in range(100)}) == SHARDS


@pytest.mark.parametrize(
    ("left", "units", "stays"),
    [
        ([5, 5, 5], 3, [4, 4, 4]),
        ([9, 1, 0], 4, [5, 1, 0]),
        ([9, 7, 1], 5, [6, 5, 1]),
        ([9, 7, 1], 17, [0, 0, 0]),
        ([2, 0, 0], 1, [1, 0, 0]),
        ([3, 3], 5, [1, 0]),
    ],
)
def test_what_is_withdrawn_comes_from_the_fullest(left: list[int], units: int, stays: list[int]) -> None:
    before = {shard_of("mug", number): one for number, one in enumerate(left)}
    parts = parts_withdrawn("mug", units, before)
    assert sorted((one + parts.get(shard, 0) for shard, one in before.items()), reverse=True) == stays


@given(left=st.lists(st.integers(0, 50), min_size=16, max_size=16), data=st.data())
def test_a_withdrawal_takes_so_much_and_never_more_than_there_is(left: list[int], data: st.DataObject) -> None:
    before = {shard_of("mug", number): one for number, one in enumerate(left)}
    units = data.draw(st.integers(1, max(1, sum(left))))
    if units > sum(left):
        with pytest.raises(StockTooLow, match="withdraw that many at most"):
            parts_withdrawn("mug", units, before)
        return
    parts = parts_withdrawn("mug", units, before)
    after = {shard: one + parts.get(shard, 0) for shard, one in before.items()}
    assert sum(parts.values()) == -units
    assert all(part < 0 for part in parts.values())
    assert min(after.values()) >= 0
    lowered = [after[shard] for shard in parts]
    assert max(after.values()) - min(lowered) <= 1, "something fuller was left as it was"
