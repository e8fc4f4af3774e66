"""Two postings to two members in one transaction: each decided by itself, both written or neither."""

from dataclasses import replace

import pytest

from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    InsufficientPoints,
    LoyaltyError,
    MemberMerged,
    MemberNotFound,
    RecordChanged,
    Undecided,
)
from loyalty.core.table import Check, Delete, Put, Table, Update
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posted, Posting, Situation
from loyalty.ledger.keys import partition
from loyalty.ledger.laid import Laid
from loyalty.ledger.model import POINTS, Facts, Movement
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.interleaving import interrupted
from tests.unit.ledger.posting import ADA, BOB, CLEO, SCOPE, Books, NoteItem, earning, key, note, nothing, spending

NOTE = (partition("acme", CLEO), "NOTE")
"""An item that both are about."""


@pytest.fixture
def books(table: Table) -> Books:
    return Books(table).open(ADA, BOB, CLEO)


def both(books: Books, first: Posting, second: Posting, *, of: tuple[str, str] = (ADA, BOB)) -> tuple[Posted, Posted]:
    return books.ledger.post_both(SCOPE, ((of[0], first), (of[1], second)))


def counting(name: str) -> Posting:
    """A posting that adds one to the note that both are about; it earns what the note then says."""

    def decide(situation: Situation) -> Decision:
        stored = situation.shared.get(NOTE)
        found = situation.written.get(NOTE, stored)
        before = None if found is None else found["text"]["S"]
        after = int(before or 0) + 1
        change = movements.accrue(situation.wallet, after, lot="2026-12-31")
        return Decision(
            Movement({POINTS: change}), Facts(situation.now, 1), [note("NOTE", str(after), CLEO, before=before)]
        )

    return Posting(key(name), "-", decide, shared=[NOTE])


def test_both_are_written_by_one_read_and_one_transaction(books: Books) -> None:
    with recorded(books.table.client) as calls:
        first, second = both(books, earning("R-1", 5), earning("R-2", 7))
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]
    assert (first.entry.member_id, second.entry.member_id) == (ADA, BOB)
    assert (books.book(ADA).wallet().available, books.book(BOB).wallet().available) == (5, 7)
    assert first.entry.posted_at == second.entry.posted_at
    books.proved()


@pytest.mark.parametrize("place", [0, 1])
def test_where_one_is_refused_neither_is_written(books: Books, place: int) -> None:
    before = books.dump()
    postings = [earning("R-1"), spending("adj_1", 5)]
    with pytest.raises(InsufficientPoints):
        both(books, *(postings if place else postings[::-1]))
    assert books.dump() == before


@pytest.mark.parametrize("who", [(ADA, "mbr_z"), ("mbr_z", BOB)])
def test_both_have_a_book(books: Books, who: tuple[str, str]) -> None:
    with pytest.raises(MemberNotFound):
        both(books, earning("R-1"), earning("R-2"), of=who)
    assert books.ids(ADA) == books.ids(BOB) == []


def test_both_are_told_again(books: Books) -> None:
    first = both(books, earning("R-1", 5), earning("R-2", 7))
    with interrupted(books.table.client, lambda: None):
        again = both(books, earning("R-1", 5), earning("R-2", 7))
    assert [one.entry for one in again] == [one.entry for one in first]
    assert [one.replayed for one in again] == [True, True]


@pytest.mark.parametrize("place", [0, 1])
def test_another_request_of_either_is_refused(books: Books, place: int) -> None:
    both(books, earning("R-1"), earning("R-2"))
    requests = ["other", "-"] if place else ["-", "other"]
    with pytest.raises(EntryExistsWithDifferentRequest):
        both(books, earning("R-1", request=requests[0]), earning("R-2", request=requests[1]))


@pytest.mark.parametrize("absorbed", [ADA, BOB])
def test_what_was_posted_before_a_merge_is_told_to_who_took_them_over(books: Books, absorbed: str) -> None:
    first = both(books, earning("R-1"), earning("R-2"))
    books.merge(absorbed, into=CLEO)
    now = [CLEO if one == absorbed else one for one in (ADA, BOB)]
    with pytest.raises(MemberMerged):
        both(books, earning("R-3"), earning("R-4"))
    again = both(books, earning("R-1"), earning("R-2"), of=(now[0], now[1]))
    assert [one.entry for one in again] == [one.entry for one in first]


def test_one_of_them_alone_was_posted_before(books: Books) -> None:
    """Then both never can be: whoever tries is told to come back, and nothing is written."""
    books.earn("R-2", 5, member=BOB)
    before = books.dump()
    with pytest.raises(LoyaltyError) as busy:
        both(books, earning("R-1"), earning("R-2"))
    assert busy.value.code == "wallet_busy"
    assert books.dump() == before


def test_what_both_are_about_is_written_once_as_the_second_leaves_it(books: Books) -> None:
    first, second = both(books, counting("R-1"), counting("R-2"))
    assert (first.entry.points, second.entry.points) == (1, 2)
    assert books.raw("NOTE", CLEO)["text"] == {"S": "2"}
    both(books, counting("R-3"), counting("R-4"), of=(BOB, ADA))
    assert books.raw("NOTE", CLEO)["text"] == {"S": "4"}


def test_what_both_are_about_changes_meanwhile(books: Books) -> None:
    with interrupted(books.table.client, lambda: books.table.write([note("NOTE", "7", CLEO)])):
        first, second = both(books, counting("R-1"), counting("R-2"))
    assert (first.entry.points, second.entry.points) == (8, 9)


def test_the_second_is_decided_on_the_book_that_the_first_leaves_where_both_are_one(books: Books) -> None:
    first, second = both(books, earning("R-1", 5), spending("adj_1", 5), of=(ADA, ADA))
    assert (first.entry.seq, second.entry.seq) == (1, 2)
    assert books.book().wallet().available == 0
    books.proved()


def test_of_one_book_too_neither_is_written_where_one_is_refused(books: Books) -> None:
    with pytest.raises(InsufficientPoints):
        both(books, earning("R-1", 5), spending("adj_1", 6), of=(ADA, ADA))
    assert books.ids() == []


def test_what_is_written_beside_them_holds_or_nothing_is_written(books: Books) -> None:
    gone = Delete(NoteItem, *NOTE, NoteItem.pk.exists())
    before = books.dump()
    with recorded(books.table.client) as calls, pytest.raises(RecordChanged):
        books.ledger.post_both(SCOPE, ((ADA, earning("R-1")), (BOB, earning("R-2"))), lambda *_: [gone])
    assert calls.names.count("TransactWriteItems") == 1  # it was read elsewhere: deciding anew is no help
    assert books.dump() == before


def test_what_is_written_beside_them_is_of_the_entries_and_the_books(books: Books) -> None:
    told: list[object] = []

    def beside(entries: object, after: object) -> list[Put]:
        told.extend([entries, after])
        return [note("NOTE", "paid", CLEO)]

    first, second = books.ledger.post_both(SCOPE, ((ADA, earning("R-1")), (BOB, earning("R-2"))), beside)
    assert told == [[first.entry, second.entry], [books.book(ADA), books.book(BOB)]]
    assert books.raw("NOTE", CLEO)["text"] == {"S": "paid"}


@pytest.mark.parametrize("of", [(ADA, BOB), (ADA, ADA)])
def test_too_many_operations_are_named_and_nothing_is_written(books: Books, of: tuple[str, str]) -> None:
    notes = [[note(f"NOTE#{number}", "x", one) for number in range(50)] for one in (ADA, BOB)]
    with pytest.raises(AssertionError, match="two postings of more than 100 operations"):
        both(books, earning("R-1", operations=notes[0]), earning("R-2", operations=notes[1]), of=of)
    assert books.ids(ADA) == books.ids(BOB) == []


@pytest.mark.parametrize("of", [(ADA, BOB), (BOB, ADA), (ADA, ADA)])
def test_what_fell_due_goes_before_where_both_do_not_fit_beside_it(books: Books, of: tuple[str, str]) -> None:
    for day in range(1, 15):
        books.earn(f"D-{day}", 1, lot=f"2026-02-{day:02}")
    books.at("2026-06-01T08:00:00Z")
    notes = [[note(f"NOTE#{number}", "x", one) for number in range(45)] for one in (ADA, BOB)]
    both(books, earning("R-1", operations=notes[0]), earning("R-2", operations=notes[1]), of=of)
    assert books.ids(of[0])[-1 - (of[0] == of[1])] == "accrual:pos:R-1"
    assert books.ids(of[1])[-1] == "accrual:pos:R-2"
    books.proved()


def test_two_that_post_nothing_are_a_mistake(books: Books) -> None:
    with pytest.raises(AssertionError):
        both(books, earning("R-1"), nothing("R-2"))
    assert books.ids() == []


class TestSeen:
    """One of them was decided on records that were read before."""

    def asking(self, books: Books, asked: list[str]) -> Posting:
        """It asks for Cleo's note, and is refused while that does not say 'yes'."""

        def finally_(situation: Situation) -> Decision:
            raw = situation.records.get("NOTE")
            text = raw["text"]["S"] if raw else "-"
            asked.append(text)
            if text != "yes":
                raise InsufficientPoints(text)
            return Decision(Movement(), Facts(situation.now, 1))

        first = Posting(key("R-2"), "-", lambda _: None)
        more = replace(first, decide=finally_, records=["NOTE"], records_of=CLEO)

        def seen(situation: Situation) -> Decision:
            del situation
            raise Undecided("more", again=replace(later, seen={(CLEO, "NOTE"): books.dump().get(NOTE)}))

        def refused(_: Situation) -> Decision:
            asked.append("refused")
            raise InsufficientPoints("by what was seen")

        later = replace(first, decide=refused, afresh=more)
        return replace(first, decide=seen)

    def test_a_refusal_counts_while_that_is_as_it_was(self, books: Books) -> None:
        asked: list[str] = []
        with pytest.raises(InsufficientPoints):
            both(books, earning("R-1"), self.asking(books, asked))
        assert asked == ["refused", "refused"]
        assert books.ids() == []

    def test_where_it_changed_it_is_read_anew(self, books: Books) -> None:
        asked: list[str] = []
        books.table.write([note("NOTE", "no", CLEO)])
        left = ["no"]

        def change(**_: object) -> None:
            if left:
                books.table.write([note("NOTE", "yes", CLEO, before=left.pop())])

        event = "before-send.dynamodb.TransactGetItems"
        books.table.client.meta.events.register(event, change)
        try:
            both(books, earning("R-1"), self.asking(books, asked))
        finally:
            books.table.client.meta.events.unregister(event, change)
        assert asked == ["refused", "refused", "yes"]
        assert (len(books.ids()), len(books.ids(BOB))) == (1, 1)


class TestLaid:
    """Two operations on one item become one."""

    put, other = note("NOTE", "1", CLEO), note("NOTE", "2", CLEO, before="1")
    check = Check(NoteItem, *NOTE, NoteItem.text == "1")

    def over(self, first: object, second: object, *, found: bool = True) -> object:
        laid = Laid()
        laid.over([first], ())  # type: ignore[list-item]
        (joined,), same = laid.over([second], {NOTE} if found else ())  # type: ignore[list-item]
        assert same == {NOTE}
        return joined

    def test_what_the_second_does_under_the_condition_of_the_first(self) -> None:
        assert self.over(self.put, self.other) == replace(self.other, condition=self.put.condition)
        gone = Delete(NoteItem, *NOTE, NoteItem.text == "1")
        assert self.over(self.put, gone) == replace(gone, condition=self.put.condition)

    def test_a_check_of_what_the_first_leaves_is_true_already(self) -> None:
        assert self.over(self.put, self.check) == self.put

    def test_what_both_check_holds(self) -> None:
        joined = self.over(self.check, self.other, found=False)
        assert isinstance(joined, Put)
        assert str(joined.condition) == str(self.check.condition & self.other.condition)
        assert isinstance(self.over(self.check, self.check, found=False), Check)

    @pytest.mark.parametrize("second", [other, check])
    def test_a_second_that_did_not_find_it_so_is_a_mistake(self, second: object) -> None:
        with pytest.raises(AssertionError):
            self.over(self.put, second, found=False)

    def test_what_is_left(self) -> None:
        laid = Laid()
        gone = Delete(NoteItem, "M#acme#mbr_a", "GONE")
        changed = Update(NoteItem, "M#acme#mbr_a", "CHANGED", [NoteItem.text.set("x")])
        laid.over([self.put, gone, changed, Check(NoteItem, "M#acme#mbr_a", "CHECKED", NoteItem.pk.exists())], ())
        assert laid.items == {NOTE: self.put.item.serialize(), ("M#acme#mbr_a", "GONE"): None}
