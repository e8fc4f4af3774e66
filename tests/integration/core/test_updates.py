"""Updates as members of a transaction: what they change, what their conditions see, and how a refusal tells of them."""

from functools import partial

import pytest
from pynamodb.attributes import UnicodeAttribute

from loyalty.core.table import Check, Delete, IntegerAttribute, Item, Operation, Put, Table, TransactionRefused, Update
from tests.integration.ledger.test_concurrency import together

pytestmark = pytest.mark.integration


class Tally(Item):
    total = IntegerAttribute()
    name = UnicodeAttribute(null=True)


def stored(table: Table, sk: str) -> tuple[int, str | None] | None:
    item = table.get(Tally, "pk", sk)
    return None if item is None else (item.total, item.name)


def test_it_changes_what_it_names_and_makes_what_is_not_there(table: Table) -> None:
    table.write([Put(Tally("pk", "1", total=5, name="five"))])
    table.write(
        [
            Update(Tally, "pk", "1", [Tally.total.add(-2)]),
            Update(Tally, "pk", "2", [Tally.total.add(7), Tally.name.set("new")]),
        ]
    )
    assert (stored(table, "1"), stored(table, "2")) == ((3, "five"), (7, "new"))


def test_a_refusal_names_its_place_in_the_call_and_shows_what_is_stored(table: Table) -> None:
    """pynamodb sends updates last, whatever the order of the call."""
    table.write([Put(Tally("pk", "1", total=1)), Put(Tally("pk", "gone", total=0))])
    operations: list[Operation] = [
        Update(Tally, "pk", "1", [Tally.total.add(-2)], Tally.total >= 2),
        Put(Tally("pk", "3", total=3)),
        Update(Tally, "pk", "2", [Tally.total.add(-1)], Tally.total >= 1),
        Delete(Tally, "pk", "gone"),
        Check(Tally, "pk", "4", Tally.pk.does_not_exist()),
    ]
    with pytest.raises(TransactionRefused) as refusal:
        table.write(operations)
    assert set(refusal.value.failed) == {0, 2}
    assert refusal.value.failed[0] is not None
    assert refusal.value.failed[0]["total"] == {"N": "1"}
    assert refusal.value.failed[2] is None, "there is no such item"
    assert (stored(table, "1"), stored(table, "3"), stored(table, "gone")) == ((1, None), None, (0, None))


def test_of_many_at_once_as_many_take_as_there_are(table: Table) -> None:
    table.write([Put(Tally("pk", "1", total=10))])

    def take() -> str:
        for _ in range(200):
            try:
                table.write([Update(Tally, "pk", "1", [Tally.total.add(-1)], Tally.total >= 1)])
            except TransactionRefused as refusal:
                if refusal.failed:
                    return "refused"
                continue
            return "taken"
        raise AssertionError("never got through")

    outcomes = together(16, [partial(take)] * 40)
    assert outcomes == {"taken": 10, "refused": 30}
    assert stored(table, "1") == (0, None)


def test_a_number_moves_on_for_one_at_a_time(table: Table) -> None:
    told: list[int] = []
    outcomes = together(16, [lambda: told.append(table.advance("pk", "turns", "turns_from", least=100, by=7))] * 80)
    assert outcomes == {"None": 80}
    assert sorted(told) == [100 + 7 * place for place in range(80)]
    assert table.advance("pk", "turns", "turns_from", least=1_000, by=7) == 1_000
    assert table.advance("pk", "turns", "turns_from", least=0, by=7) == 1_007
