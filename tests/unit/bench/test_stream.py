"""The stream of the bench finds what it is there to find."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from loyalty.ledger.model import Book
from tests.bench import stream
from tests.bench.cdnow import Purchase
from tests.bench.recount import Expected, recount
from tests.bench.stream import Stream
from tests.ledgerkit.tables import create_table
from tests.simulation.client import table_over
from tests.simulation.engine import MemoryDynamoDb

BOUGHT = [
    Purchase(number, f"{number % 7:05}", date(1997, 12, 1) + timedelta(days=number // 4), 199 * number % 5000)
    for number in range(1, 61)
]


def played() -> stream.Played:
    table = table_over(MemoryDynamoDb(), "stream")
    create_table(table.client, table.name)
    return Stream(table, workers=1).play("purchases", BOUGHT)


def test_everybody_has_what_the_file_says_although_some_is_told_twice() -> None:
    found = played()
    assert (found.wrong, found.off) == (0, 0)
    assert found.twice > 0
    assert found.events == len(BOUGHT) + found.twice
    assert found.points == sum(purchase.cents * 3 // 200 for purchase in BOUGHT)


@pytest.mark.parametrize(
    "wrongly",
    [
        lambda one: replace(one, points=one.points + 1),
        lambda one: replace(one, purchases=one.purchases - 1),
        lambda one: replace(one, lots=dict.fromkeys(one.lots, 1)),
        lambda one: replace(one, years={"1998": one.points}),
    ],
)
def test_a_single_member_with_anything_else_is_noticed(
    monkeypatch: pytest.MonkeyPatch, wrongly: Callable[[Expected], Expected]
) -> None:
    expected = recount(BOUGHT)
    expected["00003"] = wrongly(expected["00003"])
    monkeypatch.setattr(stream, "recount", lambda _: expected)
    assert played().wrong == 1


def test_a_member_too_many_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    books = Stream._books

    def with_another(self: Stream) -> list[Book]:
        found = list(books(self))
        return [*found, replace(found[0], member_id="mbr_" + "9" * 26)]

    monkeypatch.setattr(Stream, "_books", with_another)
    assert played().wrong == 1


def test_the_recount_knows_the_last_day_of_a_month() -> None:
    of_february = recount([Purchase(1, "00001", date(1998, 2, 3), 1000), Purchase(2, "00001", date(1996, 2, 29), 999)])
    assert dict(of_february["00001"].lots) == {"2000-02-29": 15, "1998-02-28": 14}
