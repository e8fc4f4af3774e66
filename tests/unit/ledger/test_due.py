"""What fell due is written down by whoever posts next, by a sweep, or by either side of a pair."""

from datetime import date, timedelta

import pytest

from loyalty.core.errors import InsufficientPoints, MemberNotFound
from loyalty.core.table import Table
from loyalty.ledger.draft import Posting, Situation
from loyalty.ledger.items import due_at
from loyalty.ledger.keys import due_shard
from loyalty.ledger.model import POINTS, Scope, Terms
from tests.ledgerkit.calls import recorded
from tests.unit.ledger.posting import ADA, BOB, LOT, SCOPE, Books, earning, spending

WARNING = Scope("acme", 2, SCOPE.zone, {POINTS: Terms(30, (7,))})


def daily(count: int) -> list[Posting]:
    """A point each, which expire one a day from 1 February on."""
    lots = [(date(2026, 2, 1) + timedelta(days=number)).isoformat() for number in range(count)]
    return [earning(f"R-{lot}", 1, lot=lot) for lot in lots]


@pytest.fixture
def books(table: Table) -> Books:
    return Books(table).open()


class TestWhatFellDue:
    def test_it_is_written_down_with_the_posting(self, books: Books) -> None:
        books.earn("R-1", 5, "2026-01-31")
        books.at("2026-02-03T08:00:00Z")
        with recorded(books.table.client) as calls:
            books.earn("R-2", 7)
        assert calls.names == ["GetItem", "TransactWriteItems"]
        assert books.ids() == ["accrual:pos:R-1", "expiry:points:2026-01-31", "accrual:pos:R-2"]
        assert books.book().wallet().lots == {LOT: 7}
        books.proved()

    def test_a_posting_that_reads_what_falls_due_just_now_is_decided_after_it(self, books: Books) -> None:
        seen: list[Situation] = []
        books.earn("R-1", 5, "2026-01-31")
        books.at("2026-02-03T08:00:00Z")
        sk = "ENTRY#expiry#points#2026-01-31"
        with recorded(books.table.client) as calls:
            books.post(earning("R-2", records=[sk], seen=seen))
        assert calls.names == ["BatchGetItem", "TransactWriteItems"] * 2
        assert sk in seen[-1].records

    def test_much_that_fell_due_is_written_by_itself_first(self, books: Books) -> None:
        books.post_all(*daily(45))
        books.at("2026-06-01T08:00:00Z")
        with recorded(books.table.client) as calls:
            books.earn("R-99", 7)
        assert calls.names.count("TransactWriteItems") == 2
        assert (books.book().seq, books.book().wallet().available) == (45 + 45 + 1, 7)
        books.proved()

    def test_a_refused_posting_leaves_it_for_the_next(self, books: Books) -> None:
        books.earn("R-1", 5, "2026-01-31")
        books.at("2026-02-03T08:00:00Z")
        before = books.dump()
        with pytest.raises(InsufficientPoints):
            books.post(spending("adj_1", 1))
        assert books.dump() == before

    def test_a_slower_clock_dates_nothing_before_what_was_swept(self, books: Books) -> None:
        books.earn("R-1", 5, "2026-01-31")
        books.at("2026-02-03T08:00:00Z")
        assert books.ledger.settle(books.scope, ADA) == 1
        books.at("2026-02-03T07:59:58Z")
        assert books.earn("R-2", 7).entry.posted_at.isoformat() == "2026-02-03T08:00:00+00:00"
        books.proved()

    def test_moments_are_kept_in_milliseconds(self, books: Books) -> None:
        books.clock.set("2026-02-03T08:00:00.123987Z")
        assert books.earn("R-1", 5).entry == books.entries()[0]


class TestSweep:
    def due(self, books: Books, member: str = ADA) -> tuple[str | None, str | None]:
        raw = books.raw(member=member)
        return raw.get("due_shard", {}).get("S"), raw.get("due_at", {}).get("S")

    def test_what_fell_due_is_written_down_once(self, books: Books) -> None:
        books.earn("R-1", 5, "2026-01-31")
        books.earn("R-2", 6, "2026-02-28")
        books.at("2026-03-05T08:00:00Z")
        assert books.ledger.settle(books.scope, ADA) == 2
        assert books.ids()[2:] == ["expiry:points:2026-01-31", "expiry:points:2026-02-28"]
        before = books.dump()
        with recorded(books.table.client) as calls:
            assert books.ledger.settle(books.scope, ADA) == 0
        assert (calls.names, books.dump()) == (["GetItem"], before)
        books.proved()

    def test_the_book_is_in_the_index_while_something_is_to_fall_due(self, books: Books) -> None:
        assert self.due(books) == (None, None)
        books.earn("R-1", 5, "2026-01-31")
        books.earn("R-2", 6, "2026-02-28")
        assert self.due(books) == (due_shard(ADA), "2026-02-01T00:00:00.000Z")
        books.at("2026-02-01T00:00:00Z")
        books.ledger.settle(books.scope, ADA)
        assert self.due(books) == (due_shard(ADA), "2026-03-01T00:00:00.000Z")
        books.at("2026-03-01T00:00:00Z")
        books.ledger.settle(books.scope, ADA)
        assert self.due(books) == (None, None)
        assert due_at(books.raw()) is None

    def test_a_book_in_the_wrong_place_is_moved_and_no_entry_made(self, books: Books) -> None:
        """The program's next version warns of what this one does not."""
        books.earn("R-1", 5, "2026-02-28")
        assert books.ledger.settle(WARNING, ADA) == 0
        assert self.due(books) == (due_shard(ADA), "2026-02-21T00:00:00.000Z")
        assert books.book().seq == 1
        books.at("2026-02-21T00:00:00Z")
        assert books.ledger.settle(WARNING, ADA) == 1
        assert books.ids()[-1] == "warning:points:2026-02-28/7"

    def test_more_than_fits_into_a_transaction_is_several(self, books: Books) -> None:
        books.post_all(*daily(90))
        books.at("2026-06-01T08:00:00Z")
        with recorded(books.table.client) as calls:
            assert books.ledger.settle(books.scope, ADA) == 90
        assert calls.names == ["GetItem", "TransactWriteItems"] * 3
        dates = [entry.posted_at for entry in books.entries()]
        assert dates == sorted(dates)
        books.proved()

    def test_who_was_merged_has_nothing_to_fall_due(self, books: Books) -> None:
        books.earn("R-1", 5, "2026-02-28", BOB)
        books.merge(BOB, into=ADA)
        assert self.due(books, BOB) == (None, None)
        assert self.due(books) == (due_shard(ADA), "2026-03-01T00:00:00.000Z")
        assert books.ledger.settle(books.scope, BOB) == 0

    def test_a_member_must_have_a_book(self, books: Books) -> None:
        with pytest.raises(MemberNotFound):
            books.ledger.settle(books.scope, "mbr_z")


class TestPair:
    def test_it_is_written_down_of_both_until_one_moment(self, books: Books) -> None:
        books.earn("R-1", 5, "2026-01-31")
        books.earn("R-2", 50)
        books.earn("R-1", 6, "2026-01-31", BOB)
        books.at("2026-02-03T08:00:00Z")
        books.give(20)
        assert books.ids()[2:] == ["expiry:points:2026-01-31", "transfer_out:transfer:trf_1"]
        assert books.ids(BOB)[1:] == ["expiry:points:2026-01-31", "transfer_in:transfer:trf_1"]
        books.proved()

    def test_no_points_come_to_a_lot_that_has_expired_by_the_faster_of_two_clocks(self, books: Books) -> None:
        books.earn("R-1", 5, "2026-01-31")
        books.at("2026-02-01T00:00:01Z")
        books.earn("R-1", 6, LOT, BOB)
        books.at("2026-01-31T23:59:59Z")
        with pytest.raises(InsufficientPoints):
            books.give(5)
        books.earn("R-2", 7)
        out, into = books.give(7)
        assert out.entry.posted_at == into.entry.posted_at
        books.proved()

    def test_much_that_fell_due_is_written_by_itself_first(self, books: Books) -> None:
        books.post_all(*daily(45))
        books.post_all(*daily(45), member=BOB)
        books.earn("R-99", 50)
        books.at("2026-06-01T08:00:00Z")
        books.give(20)
        assert (books.book().seq, books.book(BOB).seq) == (46 + 45 + 1, 45 + 45 + 1)
        books.proved()
