"""What is found in the table beside one member's own book: the survivor of a merge, what is due, all members."""

import pytest

from loyalty.core.table import Table, TransactionRefused
from loyalty.ledger.items import new_book_put
from loyalty.ledger.keys import due_shard, partition
from loyalty.ledger.store import DueBook, EntryPage, ListedMember
from loyalty_contract import DUE_SHARDS, MEMBER_INDEX_KEY, MEMBER_SHARDS
from tests.unit.ledger.posting import ADA, BOB, CLEO, LOT, Books, note

SHARD = int(due_shard(ADA)[-2:])
NEIGHBOUR = next(name for name in map("mbr_{}".format, range(1_000)) if due_shard(name) == due_shard(ADA))
"""Somebody whose book is in Ada's shard."""


@pytest.fixture
def books(table: Table) -> Books:
    return Books(table).open(ADA, BOB, CLEO, NEIGHBOUR)


class TestCurrent:
    def test_it_is_the_member_s_own_book_as_long_as_they_are_themselves(self, books: Books) -> None:
        books.earn("R-1", 5)
        assert books.store.current("acme", ADA) == books.book(ADA)

    def test_it_is_the_book_of_whom_they_were_merged_into_in_the_end(self, books: Books) -> None:
        books.earn("R-1", 5, member=CLEO)
        books.merge(CLEO, into=BOB)
        books.merge(BOB, into=ADA)
        assert books.store.current("acme", CLEO) == books.book(ADA)
        assert books.book(ADA).wallet().available == 5

    def test_there_is_none_of_who_is_no_member(self, books: Books) -> None:
        assert books.store.current("acme", "mbr_z") is None
        assert books.store.current("other", ADA) is None


class TestDue:
    def due(self, books: Books, moment: str, limit: int = 10) -> list[DueBook]:
        return books.store.due(SHARD, books.at(moment), limit=limit).books

    def test_a_book_is_found_from_the_moment_on_at_which_something_in_it_falls_due(self, books: Books) -> None:
        books.earn("R-1", 5, "2026-01-31")
        assert self.due(books, "2026-01-31T23:59:59.999Z") == []
        found = [DueBook(partition("acme", ADA), "2026-02-01T00:00:00.000Z")]
        assert self.due(books, "2026-02-01T00:00:00Z") == found
        other = (SHARD + 1) % DUE_SHARDS
        assert books.store.due(other, books.at("2026-02-01T00:00:00Z"), limit=10).books == []

    def test_the_longest_due_come_first_page_by_page(self, books: Books) -> None:
        books.earn("R-1", 5, "2026-02-28", ADA)
        books.earn("R-1", 5, "2026-01-31", NEIGHBOUR)
        now = books.at("2026-04-01T00:00:00Z")
        longest_first = [partition("acme", NEIGHBOUR), partition("acme", ADA)]
        assert [book.pk for book in self.due(books, now.isoformat())] == longest_first
        page = books.store.due(SHARD, now, limit=1)
        found = [book.pk for book in page.books]
        for _ in longest_first:
            page = books.store.due(SHARD, now, limit=1, start=page.next) if page.next else page
            found += [book.pk for book in page.books if book.pk not in found]
            assert len(page.books) <= 1
        assert found == longest_first


class TestEntries:
    def test_the_statement_is_newest_first_page_by_page(self, books: Books) -> None:
        earned = [books.earn(f"R-{number}", number, LOT).entry for number in (1, 2, 3)]
        assert books.store.entries("acme", ADA, limit=2) == EntryPage([earned[2], earned[1]], 2)
        assert books.store.entries("acme", ADA, limit=2, before=2) == EntryPage([earned[0]], None)
        assert books.store.entries("acme", ADA, limit=3) == EntryPage(earned[::-1], None)
        newest = books.earn("R-4", 4).entry
        assert books.store.entries("acme", ADA, limit=3) == EntryPage([newest, earned[2], earned[1]], 2)
        assert books.store.entries("acme", BOB, limit=3) == EntryPage([], None)

    def test_an_entry_is_found_by_its_identity_in_its_own_partition(self, books: Books) -> None:
        entry = books.earn("R-1", 5).entry
        assert books.store.entry("acme", ADA, entry.key) == entry
        assert books.store.entry("acme", BOB, entry.key) is None
        assert books.store.entry("other", ADA, entry.key) is None


class TestMembers:
    def listed(self, books: Books, program: str = "acme", limit: int = 10) -> list[str]:
        """Of all shards, page by page."""
        found: list[str] = []
        for shard in range(MEMBER_SHARDS):
            after = None
            while True:
                page = books.store.members(program, shard, limit=limit, after=after)
                found += [one.member_id for one in page.members]
                assert len(page.members) <= limit
                if (after := page.next_after) is None:
                    break
        return sorted(found)

    @pytest.mark.parametrize("limit", [1, 2, 10])
    def test_every_member_of_the_program_is_listed_once(self, books: Books, limit: int) -> None:
        for program in ("acm", "acme2"):
            books.table.write([new_book_put(program, ADA, "bronze", books.clock())])
        assert self.listed(books, limit=limit) == sorted((ADA, BOB, CLEO, NEIGHBOUR))
        assert self.listed(books, "acme2", limit) == [ADA]

    def test_they_come_in_the_order_of_their_ids_behind_any_id(self, books: Books) -> None:
        first, second = sorted((ADA, NEIGHBOUR))
        page = books.store.members("acme", SHARD, limit=10, after=first[:-1])
        assert [one.member_id for one in page.members] == [first, second]
        assert books.store.members("acme", SHARD, limit=10, after=first).members == [
            ListedMember(second, frozenset({"bronze"}))
        ]
        assert books.store.members("acme", SHARD, limit=10, after=second).members == []

    def test_who_was_merged_is_not_listed_nor_is_a_household(self, books: Books) -> None:
        books.merge(BOB, into=ADA)
        books.table.write([new_book_put("acme", "hsh_1", "bronze", books.clock())])
        assert self.listed(books) == sorted((ADA, CLEO, NEIGHBOUR))

    def test_a_book_from_before_the_index_is_listed_once_it_is_put_there_or_posted_to(self, books: Books) -> None:
        for member in (ADA, BOB):
            self.forget(books, member)
        assert self.listed(books) == sorted((CLEO, NEIGHBOUR))
        assert sorted(books.store.unlisted("acme")) == sorted((ADA, BOB))
        before = books.book(ADA)
        assert books.store.list_member("acme", ADA)
        books.earn("R-1", 5, member=BOB)
        assert self.listed(books) == sorted((ADA, BOB, CLEO, NEIGHBOUR))
        assert books.book(ADA) == before
        assert not books.store.list_member("acme", ADA)
        assert list(books.store.unlisted("acme")) == []

    def test_only_an_open_book_of_a_member_is_put_there(self, books: Books) -> None:
        books.merge(BOB, into=ADA)
        books.table.write([new_book_put("acme", "hsh_1", "bronze", books.clock())])
        assert [books.store.list_member("acme", name) for name in (BOB, "hsh_1", "mbr_nobody")] == [False] * 3
        assert books.store.book("acme", "mbr_nobody") is None
        assert list(books.store.unlisted("acme")) == []
        assert self.listed(books) == sorted((ADA, CLEO, NEIGHBOUR))

    def forget(self, books: Books, member: str) -> None:
        """As it was written before there was the index."""
        key = {"pk": {"S": partition("acme", member)}, "sk": {"S": "WALLET"}}
        books.table.client.update_item(
            TableName=books.table.name, Key=key, UpdateExpression=f"REMOVE {MEMBER_INDEX_KEY}"
        )


def test_the_partitions_of_a_program_are_those_of_its_members_once_each(books: Books) -> None:
    books.earn("R-1", 5)
    for program in ("acm", "acme2"):
        books.table.write([new_book_put(program, ADA, "bronze", books.clock())])
    assert sorted(books.store.partitions("acme")) == sorted(
        partition("acme", name) for name in (ADA, BOB, CLEO, NEIGHBOUR)
    )
    assert list(books.store.partitions("acme2")) == [partition("acme2", ADA)]


def test_a_book_is_opened_once(books: Books) -> None:
    books.earn("R-1", 5)
    with pytest.raises(TransactionRefused):
        books.open(ADA)
    assert books.book().wallet().available == 5


class TestRecord:
    @pytest.fixture
    def merged(self, books: Books) -> Books:
        """Cleo was merged into Bob, and Bob into Ada; each kept a note."""
        for member in (ADA, BOB, CLEO):
            books.table.write([note(f"NOTE#{member}", member, member)])
        books.merge(CLEO, into=BOB)
        books.merge(BOB, into=ADA)
        return books

    @pytest.mark.parametrize("asked", [ADA, BOB, CLEO])
    @pytest.mark.parametrize("kept", [ADA, BOB, CLEO])
    def test_it_is_found_wherever_among_those_who_are_one_member_it_is(
        self, merged: Books, asked: str, kept: str
    ) -> None:
        found = merged.store.record("acme", asked, f"NOTE#{kept}")
        assert found is not None
        assert (found["pk"]["S"], found["text"]["S"]) == (partition("acme", kept), kept)

    def test_their_own_comes_first(self, merged: Books) -> None:
        for member in (ADA, BOB, CLEO):
            merged.table.write([note("SAME", member, member)])
        found = [merged.store.record("acme", member, "SAME") for member in (ADA, BOB, CLEO)]
        assert [raw and raw["text"]["S"] for raw in found] == [ADA, BOB, CLEO]

    def test_it_may_be_nowhere(self, merged: Books) -> None:
        assert merged.store.record("acme", CLEO, "NONE") is None
        assert merged.store.record("acme", NEIGHBOUR, "NONE") is None
        assert merged.store.record("acme", "mbr_z", "NONE") is None
