"""What goes into one transaction: what fell due, postings and what follows them, checks; and what its refusal means."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from loyalty.core.errors import InsufficientPoints
from loyalty.core.table import Check, Put, RawItem, TransactionRefused
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Draft, Full, Posting, Refused, Situation, Write
from loyalty.ledger.items import entry_of
from loyalty.ledger.keys import entry_sk
from loyalty.ledger.model import POINTS, Book, Entry, Facts, Movement, Wallet
from tests.ledgerkit.clock import at
from tests.unit.ledger.posting import ADA, LOT, SCOPE, START, earning, key, note, spending


def book(lots: Mapping[str, int] | None = None, maturing: Mapping[str, int] | None = None, **more: object) -> Book:
    wallet = Wallet(sum((lots or {}).values()), sum((maturing or {}).values()), 0, 0, lots or {}, maturing or {})
    opened = Book("acme", ADA, "bronze", seq=7, settled_to=START, wallets={POINTS: wallet})
    return replace(opened, **more)  # type: ignore[arg-type]


def buckets(count: int, *, days: int) -> dict[str, int]:
    """As many buckets, so many days apart, each of a lot of its own."""
    first = date(2026, 2, 1)
    return {f"{first + timedelta(days=n * days)}/{date(2027, 1, 1) + timedelta(days=n)}": 1 for n in range(count)}


def add(draft: Draft, posting: Posting, place: int = 0) -> Entry:
    decision = posting.decide(Situation(draft.book, {}, draft.now))
    assert decision is not None
    return draft.add(place, posting, decision)


def entries(draft: Draft) -> list[Entry]:
    puts = [write.operation for write in draft.writes()[1:] if isinstance(write.operation, Put)]
    items = [put.item.to_dynamodb_dict() for put in puts]
    return [entry_of(raw) for raw in items if "seq" in raw]


class TestSettling:
    def test_what_fell_due_comes_first_and_is_dated_as_it_is_written(self) -> None:
        draft = Draft(SCOPE, book({"2026-01-31": 5, LOT: 10}), at("2026-02-03T08:00:00Z"))
        add(draft, spending("adj_1", 3))
        expiry, spent = entries(draft)
        assert (expiry.entry_id, expiry.seq, spent.seq) == ("expiry:points:2026-01-31", 8, 9)
        assert expiry.posted_at == spent.posted_at == at("2026-02-03T08:00:00Z")
        assert expiry.facts.occurred_at == at("2026-02-01")
        assert (expiry.balances.available, spent.balances.available) == (10, 7)
        assert draft.book.settled_to == at("2026-02-03T08:00:00Z")
        assert draft.settled == 1

    def test_who_has_a_slower_clock_comes_after_what_was_settled(self) -> None:
        swept = Draft(SCOPE, book({"2026-01-31": 5}), at("2026-02-03T08:00:00Z")).book
        late = Draft(SCOPE, swept, at("2026-02-03T07:59:58Z"))
        assert add(late, earning("R-1")).posted_at == at("2026-02-03T08:00:00Z")

    def test_more_than_fit_are_settled_up_to_a_moment_and_dated_then(self) -> None:
        now = at("2026-06-01T12:00:00Z")
        first = Draft(SCOPE, book({}, buckets(50, days=1)), now)
        assert (first.complete, first.settled) == (False, 40)
        assert first.now == first.book.settled_to == at("2026-03-12")
        second = Draft(SCOPE, first.book, now)
        assert (second.complete, second.settled, second.now) == (True, 10, now)
        dates = [entry.posted_at for draft in (first, second) for entry in entries(draft)]
        assert dates == [at("2026-03-12")] * 40 + [now] * 10
        assert second.book.wallet().available == 50

    def test_what_falls_due_at_one_moment_stays_together(self) -> None:
        draft = Draft(SCOPE, book({}, buckets(50, days=0)), at("2026-06-01"))
        assert (draft.complete, draft.settled) == (True, 50)

    def test_nothing_due_is_nothing_to_write(self) -> None:
        draft = Draft(SCOPE, book({LOT: 5}), at("2026-06-01"))
        assert (draft.settled, len(draft.writes())) == (0, 1)


class TestPostings:
    def test_each_is_decided_on_the_book_after_the_one_before(self) -> None:
        draft = Draft(SCOPE, book(), START)
        add(draft, earning("R-1", 5))
        add(draft, spending("adj_1", 5), 1)
        with pytest.raises(InsufficientPoints):
            add(draft, spending("adj_2", 1), 2)
        assert [(entry.seq, entry.balances.available) for entry in entries(draft)] == [(8, 5), (9, 0)]
        assert [write.place for write in draft.writes()] == [None, 0, 1]

    def test_what_follows_is_in_the_same_transaction_and_belongs_to_the_same_posting(self) -> None:
        draft = Draft(SCOPE, book(), START)
        add(draft, earning("R-1", 5, then=lambda entry: [spending(entry.key.source_id, 2), spending("adj_2", 3)]), 4)
        assert [entry.entry_id for entry in entries(draft)] == [
            "accrual:pos:R-1",
            "adjustment:adjustment:R-1",
            "adjustment:adjustment:adj_2",
        ]
        assert [(write.place, write.identity) for write in draft.writes()[1:]] == [(4, True), (4, False), (4, False)]
        assert draft.book.wallet().available == 0

    def test_what_follows_may_be_nothing(self) -> None:
        draft = Draft(SCOPE, book(), START)
        add(draft, earning("R-1", then=lambda _: [Posting(key("-"), "-", lambda _: None)]))
        assert len(entries(draft)) == 1

    def test_what_follows_reads_no_records(self) -> None:
        seen: list[Situation] = []
        draft = Draft(SCOPE, book(), START)
        add(draft, earning("R-1", then=lambda _: [earning("R-2", seen=seen)]))
        assert [(situation.records, situation.book.seq) for situation in seen] == [({}, 8)]

    def test_where_what_follows_is_refused_nothing_of_it_is_left(self) -> None:
        draft = Draft(SCOPE, book(), START)
        add(draft, earning("R-1"))
        before = (draft.book, draft.writes()[1:], dict(draft.posted))
        with pytest.raises(InsufficientPoints):
            add(draft, earning("R-2", 5, then=lambda _: [spending("adj_1", 100)]), 1)
        assert (draft.book, draft.writes()[1:], draft.posted) == before

    def test_who_was_absorbed_must_not_have_posted_the_same(self) -> None:
        draft = Draft(SCOPE, book(absorbed=("mbr_x", "mbr_y")), START)
        add(draft, earning("R-1", then=lambda _: [spending("adj_1", 1)]))
        checks = [write for write in draft.writes() if isinstance(write.operation, Check)]
        assert [(write.operation.key, write.identity) for write in checks] == [
            (("M#acme#mbr_x", entry_sk(key("R-1"))), True),
            (("M#acme#mbr_y", entry_sk(key("R-1"))), True),
            (("M#acme#mbr_x", "ENTRY#adjustment#adjustment#adj_1"), False),
            (("M#acme#mbr_y", "ENTRY#adjustment#adjustment#adj_1"), False),
        ]

    @pytest.mark.parametrize(
        ("known", "decided", "kept"),
        [
            ("2026-01-05", None, "2026-01-05"),
            (None, "2026-01-02", "2026-01-02"),
            ("2026-01-05", "2026-01-02", "2026-01-02"),
            ("2026-01-05", "2026-01-08", "2026-01-05"),
        ],
    )
    def test_a_member_is_one_since_the_earliest_day_that_is_known(
        self, known: str | None, decided: str | None, kept: str
    ) -> None:
        draft = Draft(SCOPE, book(opened_at=at(known) if known else None), START)
        movement = Movement({POINTS: movements.accrue(Wallet(), 5, lot=LOT)})
        opened_at = at(decided) if decided else None
        draft.add(0, earning("R-1"), Decision(movement, Facts(START, 1), opened_at=opened_at))
        assert draft.book.opened_at == at(kept)

    def test_it_counts_how_many_reversals_wait_and_never_fewer_than_none(self) -> None:
        draft = Draft(SCOPE, book(awaiting=1), START)
        facts = Facts(START, 1)
        draft.add(0, earning("R-1"), Decision(Movement(), facts, awaiting=2))
        assert draft.book.awaiting == 3
        draft.add(1, earning("R-2"), Decision(Movement(), facts, awaiting=-3))
        assert draft.book.awaiting == 0
        with pytest.raises(AssertionError, match="fewer than no reversals"):
            draft.add(2, earning("R-3"), Decision(Movement(), facts, awaiting=-1))

    def test_a_transaction_has_room_for_so_many_operations(self) -> None:
        draft = Draft(SCOPE, book(), START)
        for number in range(99):
            add(draft, earning(f"R-{number}", 1), number)
        with pytest.raises(Full):
            add(draft, earning("R-99", 1), 99)
        assert (len(draft.writes()), draft.book.wallet().available) == (100, 99)

    def test_one_that_never_fits_is_not_put_off_when_it_is_alone(self) -> None:
        """It is for the table to refuse: put off, it would be tried for ever."""
        draft = Draft(SCOPE, book(), START)
        notes = [note(f"NOTE#{number}", "x") for number in range(100)]
        assert add(draft, earning("R-1", operations=notes)).seq == 8
        with pytest.raises(Full):
            add(draft, earning("R-2"))

    def test_an_item_is_written_once_in_a_transaction(self) -> None:
        draft = Draft(SCOPE, book(), START)
        add(draft, earning("R-1", operations=[note("NOTE", "one")]))
        with pytest.raises(Full):
            add(draft, earning("R-2", operations=[note("NOTE", "two")]), 1)
        assert list(draft.posted) == [key("R-1")]
        assert draft.touched == {("M#acme#mbr_a", entry_sk(key("R-1"))), ("M#acme#mbr_a", "NOTE")}

    def test_what_does_not_fit_beside_what_fell_due_goes_by_itself(self) -> None:
        many = [note(f"NOTE#{number}", "-") for number in range(70)]
        late = Draft(SCOPE, book({}, buckets(40, days=1)), at("2026-06-01"))
        with pytest.raises(Full):
            add(late, earning("R-1", operations=many))
        assert (late.settled, late.posted) == (40, {})
        alone = Draft(SCOPE, late.book, at("2026-06-01"))
        add(alone, earning("R-1", operations=many))
        assert len(alone.writes()) == 72


WRITES = [
    Write(note("WALLET", "-")),
    Write(note("DUE", "-")),
    Write(note("ENTRY", "-"), 3, identity=True),
    Write(note("NOTE", "-"), 3),
    Write(note("FOLLOWING", "-"), 5),
]
FOUND: RawItem = {"pk": {"S": "M#acme#mbr_a"}}


class TestRefused:
    @pytest.mark.parametrize(
        ("failed", "refused"),
        [
            ({0: None}, Refused(moved=True)),
            ({1: FOUND}, Refused(moved=True)),
            ({2: FOUND}, Refused(existing={3: FOUND})),
            ({2: None}, Refused(records={3})),
            ({3: FOUND}, Refused(records={3})),
            ({4: FOUND}, Refused(records={5})),
            ({0: FOUND, 2: FOUND, 4: None}, Refused(moved=True, existing={3: FOUND}, records={5})),
        ],
    )
    def test_it_says_what_is_not_as_it_must_be(self, failed: dict[int, RawItem | None], refused: Refused) -> None:
        assert Refused.of(WRITES, TransactionRefused(failed, ["-"], contended=False)) == refused

    def test_another_transaction_in_the_way_is_as_if_the_book_had_moved(self) -> None:
        assert Refused.of(WRITES, TransactionRefused({}, ["-"], contended=True)) == Refused(moved=True)


def test_an_entry_tells_of_the_wallets_that_it_changed_and_of_the_points() -> None:
    draft = Draft(SCOPE, book({LOT: 5}), START)
    cash = earning("R-1", 7).decide(Situation(draft.book, {}, START))
    assert cash is not None
    moved = Movement({"cash": cash.movement.change()})
    entry = draft.add(0, earning("R-1"), Decision(moved, Facts(START, 1)))
    assert {name: after.available for name, after in entry.after.items()} == {POINTS: 5, "cash": 7}
