"""Records that are no member's own, and that members write side by side: read with a posting, and read again where somebody
else got in first."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from loyalty.core.errors import InsufficientPoints, LoyaltyError
from loyalty.core.table import Put, Table
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posted, Posting, Situation
from loyalty.ledger.keys import partition
from loyalty.ledger.model import POINTS, Facts, Movement
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.interleaving import interrupted
from tests.unit.ledger.posting import ADA, BOB, LOT, Books, NoteItem, earning, key

POT, OTHER = (partition("acme", "pot"), "POT"), (partition("acme", "pot"), "OTHER")
LEAST = 5


@pytest.fixture
def books(table: Table) -> Books:
    opened = Books(table).open()
    fill(opened, 20)
    return opened


def fill(books: Books, left: int) -> None:
    """What is in the pot."""
    books.table.write([Put(NoteItem(*POT, text=str(left)), NoteItem.pk.does_not_exist() | NoteItem.pk.exists())])


def left(books: Books) -> int:
    raw = books.table.read(*POT)
    assert raw is not None
    return int(raw["text"]["S"])


def drawing(name: str, points: int = LEAST, seen: list[Situation] | None = None) -> Posting:
    """Takes points out of the pot, if there are as many."""

    def decide(situation: Situation) -> Decision:
        if seen is not None:
            seen.append(situation)
        before = situation.shared[POT]["text"]["S"]
        if int(before) < points:
            raise InsufficientPoints(f"The pot has {before} points.")
        rest = Put(NoteItem(*POT, text=str(int(before) - points)), NoteItem.text == before, shared=True)
        change = movements.accrue(situation.wallet, points, lot=LOT)
        return Decision(Movement({POINTS: change}), Facts(situation.now, 1), (rest,))

    return Posting(key(name), "-", decide, shared=(POT, OTHER))


def by_another(books: Books, points: int) -> Callable[[], object]:
    """Somebody else draws, once."""
    return lambda: books.post(drawing("of another", points), BOB)


def test_those_that_there_are_decide(books: Books) -> None:
    seen: list[Situation] = []
    posted = books.post(drawing("R-1", seen=seen))
    assert posted is not None
    assert (posted.entry.points, left(books)) == (5, 15)
    (situation,) = seen
    assert situation.shared.keys() == {POT}
    assert situation.records == {}


def test_they_are_read_with_the_book(books: Books) -> None:
    with recorded(books.table.client) as calls:
        books.post(drawing("R-1"))
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]


def test_those_of_one_member_draw_one_after_the_other(books: Books) -> None:
    seen: list[Situation] = []
    results = books.post_all(drawing("R-1", 12), drawing("R-2", 8, seen), earning("R-3", 1))
    assert [isinstance(one, Posted) for one in results] == [True] * 3
    assert [one.shared[POT]["text"]["S"] for one in seen] == ["8"]
    assert (left(books), books.book().wallet().available) == (0, 21)
    assert books.ids() == ["accrual:pos:R-1", "accrual:pos:R-2", "accrual:pos:R-3"]


def test_one_that_finds_too_little_is_refused_and_leaves_the_others(books: Books) -> None:
    refused = books.post_all(drawing("R-1", 12), drawing("R-2", 9), drawing("R-3", 8))
    assert [one.code if isinstance(one, LoyaltyError) else "new" for one in refused] == [
        "new",
        "insufficient_points",
        "new",
    ]
    assert left(books) == 0


def test_where_somebody_draws_first_what_is_left_decides(books: Books) -> None:
    seen: list[Situation] = []
    with interrupted(books.table.client, by_another(books, 6)):
        posted = books.post(drawing("R-1", seen=seen))
    assert posted is not None
    assert [one.shared[POT]["text"]["S"] for one in seen] == ["20", "14"]
    assert left(books) == 9


def test_where_somebody_draws_too_much_first_it_is_refused(books: Books) -> None:
    with interrupted(books.table.client, by_another(books, 16)), pytest.raises(InsufficientPoints, match="has 4"):
        books.post(drawing("R-1"))
    assert (left(books), books.book().wallet().available) == (4, 0)


def test_it_is_no_member_s_fault_how_often_somebody_else_draws_first(books: Books) -> None:
    """A record of the member's own would be given up after the second time."""
    events, number = books.table.client.meta.events, iter(range(8))
    event = "provide-client-params.dynamodb.TransactWriteItems"

    def draw(**_: object) -> None:
        events.unregister(event, draw)
        if (name := next(number, None)) is not None:
            books.post(drawing(f"of another {name}", 1), BOB)
            events.register(event, draw)

    events.register(event, draw)
    try:
        posted = books.post(drawing("R-1"))
    finally:
        events.unregister(event, draw)
    assert posted is not None
    assert left(books) == 20 - 8 - 5


def test_a_refusal_is_decided_on_what_is_of_one_moment(books: Books) -> None:
    """What is filled between the first read and the second is there for the second."""
    seen: list[Situation] = []
    fill(books, 4)
    posting = drawing("R-1", seen=seen)

    def decide(situation: Situation) -> Decision | None:
        try:
            return posting.decide(situation)
        finally:
            fill(books, 7)

    posted = books.post(replace(posting, decide=decide))
    assert posted is not None
    assert [one.shared[POT]["text"]["S"] for one in seen] == ["4", "7"]
    assert books.book().wallet().available == 5


def test_as_many_are_read_as_one_read_takes(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each needs its entry and two notes besides the book: of seven keys, two postings fit into one read."""
    monkeypatch.setattr("loyalty.ledger.service.MOST_READS", 7)
    pots = [((partition("acme", f"pot{n}"), "POT"), (partition("acme", f"pot{n}"), "OTHER")) for n in range(4)]
    with recorded(books.table.client) as calls:
        results = books.post_all(*(replace(earning(f"R-{n}", 1), shared=pot) for n, pot in enumerate(pots)))
    assert [isinstance(one, Posted) for one in results] == [True] * 4
    assert calls.names == ["BatchGetItem", "TransactWriteItems"] * 2
    assert books.book(ADA).wallet().available == 4
