"""Other writers get in first, or a read shows a part of what they write: what is tried again, and how long."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from loyalty.core import backoff
from loyalty.core.errors import InsufficientPoints, LoyaltyError, Undecided, WalletBusy
from loyalty.core.table import Operation, RawItem, Table, TransactionRefused
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.keys import partition
from loyalty.ledger.model import POINTS, EntryKind, Facts, Movement
from loyalty.ledger.pairs import Side
from loyalty.ledger.service import ATTEMPTS
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.interleaving import interrupted
from tests.unit.ledger.posting import ADA, BOB, CLEO, LOT, SCOPE, Books, earning, key, note, spending
from tests.unit.ledger.test_due import daily

WRITE = "provide-client-params.dynamodb.TransactWriteItems"


@pytest.fixture
def books(table: Table) -> Books:
    opened = Books(table).open(ADA, BOB, CLEO)
    opened.earn("R-0", 50)
    opened.earn("R-1", 5, "2026-01-31")
    return opened


@contextmanager
def always_first(books: Books, member: str) -> Iterator[list[int]]:
    """Within the block another writer gets in before each write; gives the numbers that they left in the book."""
    events, numbers = books.table.client.meta.events, list[int]()

    def write(**_: object) -> None:
        numbers.append(100 + len(numbers))
        item = {**books.raw(member=member), "last_seq": {"N": str(numbers[-1])}}
        events.unregister(WRITE, write)
        books.table.client.put_item(TableName=books.table.name, Item=item)
        events.register(WRITE, write)

    events.register(WRITE, write)
    try:
        yield numbers
    finally:
        events.unregister(WRITE, write)


@contextmanager
def without(table: Table, sk: str) -> Iterator[None]:
    """No batch of reads within the block has the item."""

    def tear(parsed: dict[str, Any], **_: object) -> None:
        items = parsed["Responses"][table.name]
        items[:] = [item for item in items if item["sk"]["S"] != sk]

    table.client.meta.events.register("after-call.dynamodb.BatchGetItem", tear)
    try:
        yield
    finally:
        table.client.meta.events.unregister("after-call.dynamodb.BatchGetItem", tear)


ACTS: dict[str, Callable[[Books], object]] = {
    "a posting": lambda books: books.earn("R-2", 5),
    "many": lambda books: books.post_all(earning("R-2"), earning("R-3")),
    "a pair": lambda books: books.give(20),
    "a sweep": lambda books: books.ledger.settle(books.scope, ADA),
}


class TestBusy:
    @pytest.mark.parametrize("act", ACTS)
    def test_so_many_tries_are_made_each_after_twice_the_wait_up_to_a_third_of_a_second(
        self, books: Books, act: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backoff._RANDOM, "uniform", lambda _, longest: longest)
        books.at("2026-02-03T08:00:00Z")
        with always_first(books, ADA) as numbers:
            if act == "many":
                assert {getattr(result, "code", "") for result in books.post_all(earning("R-2"), earning("R-3"))} == {
                    "wallet_busy"
                }
            else:
                with pytest.raises(WalletBusy):
                    ACTS[act](books)
        assert len(numbers) == ATTEMPTS == 12
        assert books.slept == [0.01, 0.02, 0.04, 0.08, 0.16] + [0.3] * 7

    @pytest.mark.parametrize("act", ACTS)
    def test_one_writer_who_gets_in_first_is_no_matter(self, books: Books, act: str) -> None:
        books.at("2026-02-03T08:00:00Z")
        with interrupted(books.table.client, lambda: books.earn("R-9", 7)):
            ACTS[act](books)
        assert books.ids().count("accrual:pos:R-9") == books.ids().count("expiry:points:2026-01-31") == 1
        books.proved()

    def test_a_pair_that_met_another_writer_is_read_once_more_and_nothing_else_is(self, books: Books) -> None:
        with recorded(books.table.client) as calls, interrupted(books.table.client, lambda: books.earn("R-9", 7)):
            books.give(20)
        other = ["GetItem", "TransactWriteItems"]
        assert calls.names == ["BatchGetItem", *other, "TransactWriteItems", "BatchGetItem", "TransactWriteItems"]


class TestTornReads:
    """A decision refuses because a batch of reads lacks a record; it is decided once more on what is of one moment."""

    def posting(self, *, of: str, operations: int = 0) -> Posting:
        added: list[Operation] = [note(f"NOTE#{number}", "x", BOB) for number in range(operations)]

        def decide(situation: Situation) -> Decision:
            if "NOTE" not in situation.records:
                raise InsufficientPoints("not read")
            change = movements.accrue(situation.wallet, 5, lot=LOT)
            return Decision(Movement({POINTS: change}), Facts(situation.now, 1), added)

        return Posting(key("R-2"), "-", decide, ["NOTE"], of)

    @pytest.mark.parametrize("of", [ADA, BOB])
    def test_it_counts_what_is_of_one_moment(self, books: Books, of: str) -> None:
        books.table.write([note("NOTE", "one", of)])
        with without(books.table, "NOTE"):
            posted = books.post(self.posting(of=of))
        assert posted is not None
        assert not posted.replayed
        assert books.book().wallet().available == 60

    def test_what_is_not_there_at_one_moment_either_is_refused(self, books: Books) -> None:
        before = books.dump()
        with pytest.raises(InsufficientPoints):
            books.post(self.posting(of=BOB))
        assert books.dump() == before

    def test_it_is_tried_again_while_another_gets_in_first(self, books: Books) -> None:
        books.table.write([note("NOTE", "one", BOB)])
        with without(books.table, "NOTE"), interrupted(books.table.client, lambda: books.earn("R-9", 7)):
            books.post(self.posting(of=BOB))
        assert books.ids()[-2:] == ["accrual:pos:R-9", "accrual:pos:R-2"]
        books.proved()

    def test_what_does_not_fit_with_what_fell_due_goes_after_it(self, books: Books) -> None:
        books.post_all(*daily(30))
        books.table.write([note("NOTE", "one", BOB)])
        books.at("2026-06-01T08:00:00Z")
        before = books.book().seq
        with without(books.table, "NOTE"), recorded(books.table.client) as calls:
            books.post(self.posting(of=BOB, operations=80))
        assert calls.names.count("TransactWriteItems") == 2
        assert books.book().seq == before + 31 + 1
        assert books.ids()[-1] == "accrual:pos:R-2"


class TestPairs:
    def give(self, books: Books, *, spoiled: int) -> list[str]:
        """A gift that replaces a note of Bob's, which somebody else replaced right before each of so many writes."""
        books.table.write([note("NOTE", "0", BOB)])
        left, seen = [spoiled], list[str]()

        def spoil(**_: object) -> None:
            if left[0]:
                left[0] -= 1
                item = {**books.raw("NOTE", BOB), "text": {"S": f"{spoiled - left[0]}"}}
                books.table.client.put_item(TableName=books.table.name, Item=item)

        def decide(giver: Situation, receiver: Situation) -> tuple[Decision, Decision]:
            assert not giver.records
            if "NOTE" not in receiver.records:
                raise InsufficientPoints("not read")
            seen.append(receiver.records["NOTE"]["text"]["S"])
            nothing, facts = Movement(), Facts(giver.now, 1, other_member=BOB)
            replaced = note("NOTE", "given", BOB, before=seen[-1])
            return Decision(nothing, facts), Decision(nothing, Facts(giver.now, 1, other_member=ADA), [replaced])

        out, into = key("trf_1", EntryKind.TRANSFER_OUT, "transfer"), key("trf_1", EntryKind.TRANSFER_IN, "transfer")
        books.table.client.meta.events.register(WRITE, spoil)
        try:
            books.ledger.post_pair(SCOPE, (Side(ADA, out), Side(BOB, into, ["NOTE"])), "-", decide)
        finally:
            books.table.client.meta.events.unregister(WRITE, spoil)
        return seen

    def test_a_record_that_was_not_read_with_the_books_is_read_of_one_moment_with_them(self, books: Books) -> None:
        with without(books.table, "NOTE"):
            assert self.give(books, spoiled=0) == ["0"]

    def test_a_record_that_changed_meanwhile_is_read_again_and_decided_on_anew(self, books: Books) -> None:
        assert self.give(books, spoiled=1) == ["0", "1"]
        assert books.raw("NOTE", BOB)["text"] == {"S": "given"}

    def test_one_that_changes_each_time_is_named(self, books: Books) -> None:
        with pytest.raises(LoyaltyError) as changed:
            self.give(books, spoiled=2)
        assert changed.value.code == "record_changed"
        assert books.ids(BOB) == []

    @pytest.mark.parametrize(("due", "transactions"), [(19, 1), (20, 2)])
    def test_of_each_side_so_much_that_fell_due_goes_with_it_and_more_before(
        self, books: Books, due: int, transactions: int
    ) -> None:
        """Twenty: R-1 is one of them."""
        books.post_all(*daily(due))
        books.at("2026-06-01T08:00:00Z")
        with recorded(books.table.client) as calls:
            books.give(20)
        assert calls.names.count("TransactWriteItems") == transactions
        assert books.book().seq == 2 + due + due + 1 + 1
        books.proved()

    def test_what_does_not_fit_with_what_fell_due_goes_after_it(self, books: Books) -> None:
        books.post_all(*daily(15), member=BOB)
        books.at("2026-06-01T08:00:00Z")
        with recorded(books.table.client) as calls:
            books.give(20, received=[note(f"NOTE#{number}", "x", BOB) for number in range(85)])
        assert calls.names.count("TransactWriteItems") == 2
        assert books.book(BOB).seq == 15 + 15 + 1

    def test_what_was_given_before_the_giver_s_merge_is_told_again_to_who_took_them_over(self, books: Books) -> None:
        first = books.give(20)
        books.merge(ADA, into=CLEO)
        again = books.give(20, giver=CLEO)
        assert [posted.entry for posted in again] == [posted.entry for posted in first]
        assert [posted.replayed for posted in again] == [True, True]


class TestSeen:
    """A refusal counts as long as the records of others that it was decided on are as they were seen."""

    @pytest.fixture(autouse=True)
    def few_in_one_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("loyalty.ledger.work.MOST_READS", 20)

    def refused(self, seen: dict[tuple[str, str], RawItem | None], afresh: Posting | None = None) -> Posting:
        return replace(spending("adj_1", 1_000), seen=seen, afresh=afresh)

    def notes(self, books: Books, text: str) -> dict[tuple[str, str], RawItem | None]:
        """More than one read takes: two that there are, of which the last says ``text``, and many that there are not."""
        books.table.write([note("NOTE", "one", BOB), note("NOTE#LAST", text, CLEO)])
        missing: dict[tuple[str, str], RawItem | None] = {(BOB, f"NONE#{number}"): None for number in range(45)}
        return {(BOB, "NOTE"): books.raw("NOTE", BOB), **missing, (CLEO, "NOTE#LAST"): books.raw("NOTE#LAST", CLEO)}

    def test_it_counts_while_all_is_as_it_was_seen(self, books: Books) -> None:
        with pytest.raises(InsufficientPoints):
            books.post(self.refused(self.notes(books, "two")))

    @pytest.mark.parametrize("key", [(BOB, "NOTE"), (CLEO, "NOTE#LAST"), (BOB, "NONE#0"), (BOB, "NONE#44")])
    def test_where_one_of_them_is_another_there_is_another_posting_to_decide(
        self, books: Books, key: tuple[str, str]
    ) -> None:
        seen, afresh = self.notes(books, "two"), earning("R-9")
        seen[key] = {**books.raw("NOTE", BOB), "text": {"S": "older"}}
        with pytest.raises(Undecided) as undecided:
            books.post(self.refused(seen, afresh))
        assert undecided.value.again is afresh

    def test_where_somebody_is_writing_them_too(self, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
        together, seen = books.table.get_together, self.notes(books, "two")

        def busy(keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], RawItem]:
            if (partition("acme", BOB), "NOTE") in keys:
                raise TransactionRefused({}, ["TransactionConflict"], contended=True)
            return together(keys)

        monkeypatch.setattr(books.table, "get_together", busy)
        with pytest.raises(Undecided):
            books.post(self.refused(seen))
