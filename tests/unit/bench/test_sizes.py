"""The rules by which units are counted: what the service was seen to say of items of known sizes."""

from typing import Any

import pytest

from tests.bench.meter import BY_DUE, BY_SEQ, Engine, Part
from tests.bench.sizes import WriteUnits, item_bytes, query_units, read_units, write_units


def item(size: int = 100, **more: Any) -> dict[str, Any]:
    """An item of about so many bytes."""
    return {"pk": {"S": "p"}, "sk": {"S": "s"}, "text": {"S": "x" * size}, **more}


def entry(size: int = 100, seq: int = 1) -> dict[str, Any]:
    return item(size, seq={"N": str(seq)})


def due(at: str, size: int = 100) -> dict[str, Any]:
    return item(size, due_shard={"S": "DUE#book#00"}, due_at={"S": at})


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, item(), WriteUnits(2)),
        (item(), item(), WriteUnits(2)),
        (None, item(3000), WriteUnits(6)),
        (item(3000), item(), WriteUnits(6)),
        (item(3000), None, WriteUnits(6)),
        (None, None, WriteUnits(2)),
        (None, entry(), WriteUnits(2, local=1)),
        (entry(), entry(), WriteUnits(2)),
        (entry(), entry(200), WriteUnits(2, local=1)),
        (entry(), entry(seq=2), WriteUnits(2, local=2)),
        (entry(1500), entry(1500, seq=2), WriteUnits(4, local=4)),
        (entry(3000), None, WriteUnits(6, local=3)),
        (None, due("1"), WriteUnits(2, global_=1)),
        (due("1"), due("1", 200), WriteUnits(2)),
        (due("1"), due("2", 3000), WriteUnits(6, global_=2)),
        (due("1"), item(), WriteUnits(2, global_=1)),
    ],
)
def test_a_transaction_doubles_the_table_and_not_its_indexes(before: Any, after: Any, units: WriteUnits) -> None:
    assert write_units(before, after, local=[BY_SEQ], global_=[BY_DUE], transactional=True) == units


def test_outside_of_a_transaction_nothing_is_doubled() -> None:
    plain = write_units(None, entry(1500), local=[BY_SEQ], global_=[BY_DUE], transactional=False)
    assert plain == WriteUnits(2, local=2)


def test_reads_round_up_each_item_alone_and_a_page_as_a_whole() -> None:
    small, large = item(3000), item(4090)
    assert item_bytes(large) > 4096
    assert [read_units(None), read_units(small), read_units(large)] == [1, 1, 2]
    assert query_units([small, small, small], consistent=True) == 3
    assert query_units([item()] * 10, consistent=True) == 1
    assert [query_units([], consistent=True), query_units([], consistent=False)] == [1, 0.5]


@pytest.mark.parametrize(
    ("parts", "local", "ministack"),
    [
        ([Part("Put", None, item()), Part("Put", None, item(10))], 2, 4),
        ([Part("Put", None, entry()), Part("Put", None, due("1"))], 8, 6),
        ([Part("Put", None, entry(920))], 6, 3),
        ([Part("ConditionCheck", item(3000), item(3000))], 2, 6),
        ([Part("Delete", None, None), Part("Put", None, item())], 3, 4),
        ([Part("Put", None, entry(), transactional=False)], 2, 2),
    ],
)
def test_what_each_engine_says_of_a_write(parts: list[Part], local: int, ministack: int) -> None:
    """As both were seen to say, whichever way the rules go."""
    assert Engine.DYNAMODB_LOCAL.says(parts) == local
    assert Engine.MINISTACK.says(parts) == ministack
