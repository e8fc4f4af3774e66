"""Posting to one member: exactly once, in as few transactions as it fits into, whatever falls due meanwhile."""

import pytest

from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    InsufficientPoints,
    LoyaltyError,
    MemberMerged,
    MemberNotFound,
    RecordChanged,
)
from loyalty.core.table import Delete, Table
from loyalty.ledger.draft import Posted, Result, Situation
from loyalty.ledger.keys import partition
from tests.ledgerkit.calls import recorded
from tests.unit.ledger.posting import (
    ADA,
    BOB,
    Books,
    NoteItem,
    earning,
    note,
    nothing,
    refusing,
    spending,
)


@pytest.fixture
def books(table: Table) -> Books:
    return Books(table).open()


def outcomes(results: list[Result]) -> list[str]:
    """``new``, ``again``, the code of an error, or ``nothing``."""
    return [
        ("again" if result.replayed else "new")
        if isinstance(result, Posted)
        else result.code
        if isinstance(result, LoyaltyError)
        else "nothing"
        for result in results
    ]


class TestOne:
    def test_it_is_posted_once(self, books: Books) -> None:
        first, again = books.earn("R-1", 5), books.earn("R-1", 5)
        assert (first.replayed, again.replayed) == (False, True)
        assert again.entry == first.entry
        assert (books.book().seq, books.book().wallet().available) == (1, 5)

    def test_the_same_identity_with_another_request_is_refused(self, books: Books) -> None:
        books.earn("R-1", 5)
        with pytest.raises(EntryExistsWithDifferentRequest, match="accrual:pos:R-1"):
            books.post(earning("R-1", 5, request="other"))

    def test_what_decides_on_nothing_writes_nothing(self, books: Books) -> None:
        before = books.dump()
        assert books.post(nothing("R-1")) is None
        assert books.dump() == before

    def test_what_is_refused_writes_nothing(self, books: Books) -> None:
        before = books.dump()
        with pytest.raises(InsufficientPoints):
            books.post(spending("adj_1", 1))
        assert books.dump() == before

    def test_a_member_must_have_a_book(self, books: Books) -> None:
        with pytest.raises(MemberNotFound, match="mbr_z"):
            books.post(earning("R-1"), "mbr_z")

    def test_a_repeat_that_its_own_effect_stands_in_the_way_of_has_its_first_result(self, books: Books) -> None:
        books.earn("R-1", 5)
        first, again = books.post(spending("adj_1", 5)), books.post(spending("adj_1", 5))
        assert first is not None
        assert again is not None
        assert (again.replayed, again.entry) == (True, first.entry)

    def test_it_reads_once_and_writes_once(self, books: Books) -> None:
        with recorded(books.table.client) as calls:
            books.earn("R-1", 5)
        assert calls.names == ["GetItem", "TransactWriteItems"]

    def test_a_record_is_read_with_the_book(self, books: Books) -> None:
        seen: list[Situation] = []
        books.table.write([note("NOTE", "one"), note("NOTE", "two", BOB)])
        with recorded(books.table.client) as calls:
            books.post(earning("R-1", records=["NOTE", "NONE"], seen=seen))
        assert calls.names == ["BatchGetItem", "TransactWriteItems"]
        (situation,) = seen
        assert {sk: raw["text"]["S"] for sk, raw in situation.records.items()} == {"NOTE": "one"}

    def test_records_may_be_another_member_s(self, books: Books) -> None:
        seen: list[Situation] = []
        books.table.write([note("NOTE", "one"), note("NOTE", "two", BOB)])
        posting = earning("R-1", records=["NOTE"], seen=seen)
        books.post(type(posting)(posting.key, posting.request_hash, posting.decide, posting.records, BOB))
        assert seen[0].records["NOTE"]["text"] == {"S": "two"}


class TestMany:
    def test_they_are_one_transaction(self, books: Books) -> None:
        with recorded(books.table.client) as calls:
            results = books.post_all(*(earning(f"R-{n}", n) for n in range(1, 11)))
        assert calls.names == ["BatchGetItem", "TransactWriteItems"]
        assert outcomes(results) == ["new"] * 10
        assert [entry.seq for entry in books.entries()] == list(range(1, 11))
        assert books.book().wallet().available == 55
        books.proved()

    def test_one_that_comes_twice_is_posted_once(self, books: Books) -> None:
        results = books.post_all(earning("R-1"), earning("R-1"), earning("R-1", request="other"), earning("R-2"))
        assert outcomes(results) == ["new", "again", "entry_exists_with_different_request", "new"]
        assert books.ids() == ["accrual:pos:R-1", "accrual:pos:R-2"]

    def test_a_refusal_leaves_the_others_as_they_are(self, books: Books) -> None:
        results = books.post_all(
            earning("R-1", 5), spending("adj_1", 6), nothing("R-2"), spending("adj_2", 5), spending("adj_3", 1)
        )
        assert outcomes(results) == ["new", "insufficient_points", "nothing", "new", "insufficient_points"]
        assert books.book().wallet().available == 0

    def test_those_posted_before_are_told_and_the_others_posted(self, books: Books) -> None:
        books.earn("R-2", 5)
        results = books.post_all(earning("R-1"), earning("R-2"), earning("R-2", request="other"), earning("R-3"))
        assert outcomes(results) == ["new", "again", "entry_exists_with_different_request", "new"]
        assert books.book().seq == 3

    def test_those_posted_before_are_found_by_the_same_read(self, books: Books) -> None:
        books.earn("R-2", 5)
        with recorded(books.table.client) as calls:
            assert outcomes(books.post_all(earning("R-1"), earning("R-2"))) == ["new", "again"]
            assert outcomes(books.post_all(earning("R-1"), earning("R-2"))) == ["again", "again"]
        assert calls.names == ["BatchGetItem", "TransactWriteItems", "BatchGetItem"]

    def test_more_than_fit_into_a_transaction_are_several(self, books: Books) -> None:
        with recorded(books.table.client) as calls:
            results = books.post_all(*(earning(f"R-{n}", 1) for n in range(205)))
        assert outcomes(results) == ["new"] * 205
        assert calls.names.count("TransactWriteItems") == 3
        assert books.book().wallet().available == 205
        books.proved()

    def test_one_that_reads_what_another_writes_goes_with_the_next_transaction(self, books: Books) -> None:
        seen: list[Situation] = []
        with recorded(books.table.client) as calls:
            results = books.post_all(
                earning("R-1", operations=[note("NOTE", "one")]),
                earning("R-2", records=["NOTE"], seen=seen),
                earning("R-3"),
            )
        assert outcomes(results) == ["new"] * 3
        assert calls.names.count("TransactWriteItems") == 2
        assert seen[-1].records["NOTE"]["text"] == {"S": "one"}
        assert books.ids() == ["accrual:pos:R-1", "accrual:pos:R-2", "accrual:pos:R-3"]

    def test_one_that_writes_what_another_writes_goes_with_the_next_transaction(self, books: Books) -> None:
        results = books.post_all(
            earning("R-1", operations=[note("NOTE", "one")]),
            earning("R-2", operations=[note("NOTE", "two", before="one")]),
        )
        assert outcomes(results) == ["new", "new"]
        assert books.raw("NOTE")["text"] == {"S": "two"}

    def test_one_whose_record_will_not_have_it_is_named_and_the_others_are_posted(self, books: Books) -> None:
        gone = Delete(NoteItem, partition("acme", ADA), "NONE", NoteItem.pk.exists())
        results = books.post_all(earning("R-1"), earning("R-2", operations=[gone]), earning("R-3"))
        assert outcomes(results) == ["new", "record_changed", "new"]
        assert books.ids() == ["accrual:pos:R-1", "accrual:pos:R-3"]

    def test_nothing_is_no_transaction(self, books: Books) -> None:
        with recorded(books.table.client) as calls:
            assert books.post_all() == []
        assert calls.names == []

    def test_all_of_them_need_a_book(self, books: Books) -> None:
        with pytest.raises(MemberNotFound):
            books.post_all(earning("R-1"), earning("R-2"), member="mbr_z")


class TestRecords:
    def test_one_that_will_not_have_it_is_named_and_not_waited_for(self, books: Books) -> None:
        seen: list[Situation] = []
        gone = Delete(NoteItem, partition("acme", ADA), "NONE", NoteItem.pk.exists())
        before = books.dump()
        with pytest.raises(RecordChanged):
            books.post(earning("R-1", operations=[gone], seen=seen))
        assert (len(seen), len(books.slept)) == (2, 2)
        assert books.dump() == before

    def test_what_follows_must_be_new(self, books: Books) -> None:
        books.earn("R-2", 5)
        before = books.dump()
        with pytest.raises(RecordChanged):
            books.post(earning("R-1", then=lambda _: [earning("R-2", 5)]))
        assert books.dump() == before

    def test_what_follows_is_posted_with_it_and_not_again(self, books: Books) -> None:
        posting = earning("R-1", 5, then=lambda entry: [spending(f"of {entry.entry_id}", 2)])
        assert outcomes(books.post_all(posting)) == ["new"]
        assert outcomes(books.post_all(posting)) == ["again"]
        assert books.ids() == ["accrual:pos:R-1", "adjustment:adjustment:of accrual:pos:R-1"]
        assert books.book().wallet().available == 3


class TestContention:
    def test_who_was_merged_has_no_more_postings_but_tells_of_earlier_ones(self, books: Books) -> None:
        books.earn("R-1", 5, member=BOB)
        books.merge(BOB, into=ADA)
        with pytest.raises(MemberMerged) as merged:
            books.earn("R-2", 5, member=BOB)
        assert (merged.value.member_id, merged.value.into) == (BOB, ADA)
        assert books.earn("R-1", 5, member=BOB).replayed

    def test_who_absorbed_another_posts_nothing_of_theirs_again(self, books: Books) -> None:
        books.earn("R-1", 5, member=BOB)
        books.merge(BOB, into=ADA)
        again = books.earn("R-1", 5)
        assert (again.replayed, again.entry.member_id) == (True, BOB)
        with pytest.raises(EntryExistsWithDifferentRequest):
            books.post(earning("R-1", request="other"))
        assert outcomes(books.post_all(earning("R-1"), earning("R-2"))) == ["again", "new"]
        assert books.book().wallet().available == 10
        books.proved()

    def test_a_repeat_under_the_survivor_s_id_is_not_refused_for_its_own_effect(self, books: Books) -> None:
        books.earn("R-1", 5, member=BOB)
        books.post(spending("adj_1", 5), BOB)
        books.merge(BOB, into=ADA)
        again = books.post(spending("adj_1", 5))
        assert again is not None
        assert (again.replayed, again.entry.member_id) == (True, BOB)


def test_the_error_of_a_decision_that_is_no_refusal_is_raised(books: Books) -> None:
    with pytest.raises(MemberNotFound, match="nobody"):
        books.post(refusing("R-1", MemberNotFound("nobody")))
