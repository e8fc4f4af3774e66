"""Posting to two members: both entries or none, once."""

import pytest

from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    InsufficientPoints,
    MemberMerged,
    MemberNotFound,
    RecordChanged,
)
from loyalty.core.table import Delete, Put, Table
from loyalty.ledger.items import EntryItem
from loyalty.ledger.keys import entry_sk, partition
from loyalty.ledger.service import Ledger
from tests.ledgerkit.calls import recorded
from tests.unit.ledger.posting import ADA, BOB, CLEO, LOT, Books, NoteItem, note


@pytest.fixture
def books(table: Table) -> Books:
    opened = Books(table).open(ADA, BOB, CLEO)
    opened.earn("R-1", 50)
    return opened


def test_both_have_their_entry_and_the_points_have_moved(books: Books) -> None:
    out, into = books.give(20)
    assert (out.replayed, into.replayed) == (False, False)
    assert (out.entry.member_id, into.entry.member_id) == (ADA, BOB)
    assert (out.entry.points, into.entry.points) == (-20, 20)
    assert out.entry.posted_at == into.entry.posted_at
    assert (books.book().wallet().lots, books.book(BOB).wallet().lots) == ({LOT: 30}, {LOT: 20})
    books.proved()


def test_it_is_one_read_and_one_transaction(books: Books) -> None:
    with recorded(books.table.client) as calls:
        books.give(20)
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]


def test_the_same_again_tells_of_the_first(books: Books) -> None:
    first, again = books.give(20), books.give(20)
    assert [posted.replayed for posted in again] == [True, True]
    assert [posted.entry for posted in again] == [posted.entry for posted in first]
    assert books.book().wallet().available == 30
    books.proved()


def test_the_same_again_is_not_refused_for_its_own_effect(books: Books) -> None:
    first, again = books.give(50), books.give(50)
    assert [posted.entry for posted in again] == [posted.entry for posted in first]


def test_the_same_identity_with_another_request_is_refused(books: Books) -> None:
    books.give(20)
    before = books.dump()
    for points in (20, 50):
        with pytest.raises(EntryExistsWithDifferentRequest):
            books.give(points, request="other")
    assert books.dump() == before


def test_while_the_first_becomes_visible_item_by_item_its_other_side_is_waited_for(books: Books) -> None:
    first = books.give(20)
    sk = entry_sk(first[0].entry.key)
    unseen = EntryItem.from_raw_data(books.raw(sk))
    books.table.write([Delete(EntryItem, partition("acme", ADA), sk, EntryItem.pk.exists())])
    books.ledger = Ledger(books.table, books.clock, sleep=lambda _: books.table.write([Put(unseen)]))
    again = books.give(20)
    assert [posted.replayed for posted in again] == [True, True]
    assert [posted.entry for posted in again] == [posted.entry for posted in first]
    books.proved()


def test_what_is_refused_writes_nothing(books: Books) -> None:
    before = books.dump()
    with pytest.raises(InsufficientPoints):
        books.give(51)
    assert books.dump() == before


@pytest.mark.parametrize(("giver", "to"), [("mbr_z", BOB), (ADA, "mbr_z")])
def test_both_must_have_a_book(books: Books, giver: str, to: str) -> None:
    before = books.dump()
    with pytest.raises(MemberNotFound):
        books.give(20, giver=giver, to=to)
    assert books.dump() == before


@pytest.mark.parametrize("side", ["given", "received"])
def test_where_a_record_of_one_side_will_not_have_it_neither_is_written(books: Books, side: str) -> None:
    before = books.dump()
    gone = Delete(NoteItem, partition("acme", CLEO), "NONE", NoteItem.pk.exists())
    with pytest.raises(RecordChanged):
        books.give(20, given=[gone] * (side == "given"), received=[gone] * (side == "received"))
    assert books.dump() == before


def test_records_of_both_sides_are_written_with_it(books: Books) -> None:
    books.give(20, given=[note("NOTE", "out")], received=[note("NOTE", "in", BOB)])
    assert (books.raw("NOTE")["text"], books.raw("NOTE", BOB)["text"]) == ({"S": "out"}, {"S": "in"})


@pytest.mark.parametrize(("giver", "to"), [(BOB, CLEO), (CLEO, BOB)])
def test_who_was_merged_neither_gives_nor_receives(books: Books, giver: str, to: str) -> None:
    books.earn("R-1", 50, member=CLEO)
    books.merge(BOB, into=ADA)
    before = books.dump()
    with pytest.raises(MemberMerged) as merged:
        books.give(20, giver=giver, to=to)
    assert merged.value.into == ADA
    assert books.dump() == before


def test_what_was_given_before_a_merge_is_told_again_after_it(books: Books) -> None:
    first = books.give(20)
    books.merge(BOB, into=CLEO)
    again = books.give(20)
    assert [posted.entry for posted in again] == [posted.entry for posted in first]
    books.proved()


class TestMerge:
    def test_one_has_what_both_had(self, books: Books) -> None:
        books.earn("R-1", 7, member=BOB)
        into, gone = books.merge()
        assert (into.entry.points, gone.entry.points) == (7, -7)
        assert books.book().wallet().available == 57
        assert (books.book().absorbed, books.book(BOB).merged_into) == ((BOB,), ADA)
        books.proved()

    def test_the_same_again_tells_of_the_first(self, books: Books) -> None:
        first, again = books.merge(), books.merge()
        assert [posted.replayed for posted in again] == [True, True]
        assert [posted.entry for posted in again] == [posted.entry for posted in first]

    def test_who_is_merged_on_takes_along_whom_they_absorbed(self, books: Books) -> None:
        books.earn("R-9", 7, member=BOB)
        books.merge(BOB, into=CLEO)
        books.merge(CLEO, into=ADA)
        assert books.book().absorbed == (BOB, CLEO)
        again = books.earn("R-9", 7)
        assert (again.replayed, again.entry.member_id) == (True, BOB)
        books.proved()

    def test_whom_the_absorbed_had_absorbed_is_no_merge_of_the_survivor(self, books: Books) -> None:
        books.merge(BOB, into=CLEO)
        books.merge(CLEO, into=ADA)
        before = books.dump()
        with pytest.raises(MemberMerged) as merged:
            books.merge(BOB, into=ADA)
        assert merged.value.into == CLEO
        assert books.dump() == before
