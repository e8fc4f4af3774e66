"""Reversals that come before their accrual: kept once, posted with it, never in its way."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from loyalty.accruals import awaited
from loyalty.accruals.awaited import Kept
from loyalty.accruals.errors import (
    AmountExceedsAccrual,
    LineNotInAccrual,
    OccurredBeforeEnrollment,
    OccurredInFuture,
    TooManyAwaitedReversals,
)
from loyalty.accruals.model import MAX_AWAITED, Activity, BoughtLine, Refund
from loyalty.accruals.records import WaitingStatus
from loyalty.core.errors import EntryExistsWithDifferentRequest, MemberNotFound
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.draft import Posted, Posting
from loyalty.ledger.model import EntryKind
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, NOON, World
from tests.unit.accruals.rules import INACTIVITY, merge, pending, rule

LINES = (BoughtLine(Money.of("60", "EUR"), 3, "a"), BoughtLine(Money.of("40", "EUR"), 1, "b"))


def refund(source_id: str, amount: str | None = "30", *, of: str = "R-1", **more: object) -> Refund:
    money = Money.of(amount, "EUR") if amount else None
    return Refund("pos", source_id, of, **({"occurred_at": NOON, "amount": money} | more))  # type: ignore[arg-type]


def send(world: World, *refunds: Refund, member: str = MEMBER) -> list[Posted | Kept]:
    return [world.reversals.reverse(world.program, member, one) for one in refunds]


def waiting(world: World, member: str = MEMBER) -> list[tuple[str, str | None]]:
    page = world.reversals.page("acme", member, limit=100)
    return [(one.refund.source_id, one.code) for one in page.items]


def kinds(world: World) -> list[EntryKind]:
    return [entry.key.kind for entry in world.entries()]


class TestKeeping:
    def test_it_is_kept_once_however_often_it_comes(self, world: World) -> None:
        (first,) = send(world, refund("F-1"))
        assert isinstance(first, Kept)
        assert (first.replayed, first.waiting.status, first.waiting.received_at) == (False, "waiting", NOON)
        before = world.dump()
        world.clock.advance(days=1)
        (again,) = send(world, refund("F-1"))
        assert again == Kept(first.waiting, replayed=True)
        assert world.dump() == before
        assert (waiting(world), world.book().seq) == ([("F-1", None)], 0)
        world.proven()

    @pytest.mark.parametrize(
        "other", [refund("F-1", "31"), refund("F-1", of="R-2"), refund("F-1", None, everything=True)]
    )
    def test_its_identity_with_another_content_is_a_conflict(self, world: World, other: Refund) -> None:
        world.accrue("R-3")
        send(world, refund("F-1"))
        before = world.dump()
        with pytest.raises(EntryExistsWithDifferentRequest):
            send(world, other)
        with pytest.raises(EntryExistsWithDifferentRequest):
            send(world, refund("F-1", of="R-3"))
        assert world.dump() == before

    def test_twenty_wait_for_one_accrual_and_no_more(self, world: World) -> None:
        send(world, *(refund(f"F-{number:02}", "1") for number in range(MAX_AWAITED)))
        before = world.dump()
        with pytest.raises(TooManyAwaitedReversals):
            send(world, refund("F-x", "1"))
        assert world.dump() == before
        send(world, refund("F-x", "1", of="R-2"))
        world.accrue("R-1")
        assert world.book().seq == 1 + MAX_AWAITED
        assert world.proven().available == 80

    def test_what_would_be_refused_anyhow_is_not_kept(self, world: World) -> None:
        before = world.dump()
        with pytest.raises(OccurredInFuture):
            send(world, refund("F-1", occurred_at=NOON + timedelta(hours=1)))
        with pytest.raises(MemberNotFound):
            send(world, refund("F-1"), member="mbr_nobody")
        with pytest.raises(MemberNotFound):
            world.reversals.page("acme", "mbr_nobody", limit=10)
        assert world.dump() == before

    def test_one_from_before_the_member_existed_is_not_kept(self, table: Table) -> None:
        world = World(table, of=program(limits={"backdating_days": 30})).enroll()
        before = world.dump()
        with pytest.raises(OccurredBeforeEnrollment):
            send(world, refund("F-1", occurred_at=NOON - timedelta(days=30, milliseconds=1)))
        assert world.dump() == before
        assert isinstance(send(world, refund("F-1", occurred_at=NOON - timedelta(days=30)))[0], Kept)

    def test_so_many_wait_for_one_member_and_no_more(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(awaited, "MAX_AWAITED_OF_MEMBER", 2)
        send(world, refund("F-1", of="R-1"), refund("F-2", of="R-2"))
        before = world.dump()
        with pytest.raises(TooManyAwaitedReversals):
            send(world, refund("F-3", of="R-3"))
        assert world.dump() == before
        world.accrue("R-1")
        assert isinstance(send(world, refund("F-3", of="R-3"))[0], Kept)

    def test_a_list_of_them_has_pages(self, world: World) -> None:
        assert waiting(world) == []
        send(world, *(refund(f"F-{number}", of=f"R-{number % 3}") for number in range(7)))
        world.accrue("R-9")
        after, seen, pages = None, list[str](), 0
        while pages == 0 or after:
            page = world.reversals.page("acme", MEMBER, limit=3, after=after)
            seen += [one.refund.source_id for one in page.items]
            after, pages = page.next_after, pages + 1
        assert seen == [f"F-{number}" for number in range(7)]
        assert pages == 3


class TestPosting:
    @pytest.mark.parametrize(
        "refunds",
        [
            [refund("F-1", "33.33")],
            [refund("F-1", None, everything=True)],
            [refund("F-1", None, lines={"a": 2}), refund("F-2", "10"), refund("F-3", None, lines={"b": 1})],
        ],
    )
    @pytest.mark.parametrize("policy", ["allow_negative", "clamp_with_debt", "refuse"])
    def test_the_book_is_the_same_whichever_comes_first(self, table: Table, refunds: list[Refund], policy: str) -> None:
        early, late = "mbr_early", "mbr_late"
        world = World(table, of=program(reversal=policy)).enroll(early, late)
        send(world, *refunds, member=early)
        world.accrue("R-1", member=early, lines=LINES)
        world.accrue("R-1", member=late, lines=LINES)
        send(world, *refunds, member=late)
        left, right = world.book(early), world.book(late)
        assert (left.wallets, left.qualifying, left.seq) == (right.wallets, right.qualifying, right.seq)
        for mine, other in zip(world.entries(early), world.entries(late), strict=True):
            assert (mine.key, mine.movement, mine.facts) == (other.key, other.movement, other.facts)
        assert waiting(world, early) == []
        assert not [sk for _, sk in world.dump() if sk.startswith(("WAITING#", "AWAITED#"))]
        records = [raw for (_, sk), raw in world.dump().items() if sk == "REVERSED#pos#R-1"]
        assert {**records[0], "pk": None} == {**records[1], "pk": None}
        world.proven(early)

    def test_both_are_in_one_transaction(self, world: World) -> None:
        send(world, refund("F-1"), refund("F-2"))
        with recorded(world.table.client) as calls:
            accrual = world.accrue("R-1").entry
        assert calls.names.count("TransactWriteItems") == 1
        assert accrual.balances.available == 100
        assert [entry.posted_at for entry in world.entries()] == [NOON] * 3
        assert world.proven().available == 40

    def test_an_accrual_looks_for_what_waits_only_while_something_does(self, world: World) -> None:
        reads = [[], ["BatchGetItem"], ["BatchGetItem"] * 2]
        for number, (waits_for, names) in enumerate(zip([None, "R-9", "R-2"], reads, strict=True)):
            if waits_for:
                send(world, refund(f"F-{number}", of=waits_for))
            with recorded(world.table.client) as calls:
                world.accrue(f"R-{number}")
            assert calls.names == ["GetItem", *names, "TransactWriteItems"]
        assert world.book().awaiting == 1
        assert world.proven().available == 270

    def test_whichever_is_sent_again_is_answered_by_its_entry(self, world: World) -> None:
        send(world, refund("F-1"))
        accrual = world.accrue("R-1")
        before = world.dump()
        assert world.accrue("R-1") == Posted(accrual.entry, replayed=True)
        (again,) = send(world, refund("F-1"))
        assert again == Posted(world.entries()[1], replayed=True)
        with pytest.raises(EntryExistsWithDifferentRequest):
            send(world, refund("F-1", "31"))
        assert world.dump() == before

    def test_they_are_posted_in_the_order_in_which_things_were_given_back(self, world: World) -> None:
        hours = {"F-1": 3, "F-2": 1, "F-3": 2}
        send(world, *(refund(key, "33.34", occurred_at=NOON - timedelta(hours=ago)) for key, ago in hours.items()))
        world.accrue("R-1")
        assert [entry.key.source_id for entry in world.entries()] == ["R-1", "F-1", "F-3"]
        assert waiting(world) == [("F-2", "amount_exceeds_accrual")]

    def test_pending_points_are_taken_back_as_pending(self, table: Table) -> None:
        world = World(table, of=pending(14)).enroll()
        send(world, refund("F-1"))
        world.accrue("R-1")
        assert (world.proven().pending, world.wallet().available) == (70, 0)

    def test_older_points_are_renewed_all_the_same(self, table: Table) -> None:
        world = World(table, of=program(earn_rules=[rule()], expiry=INACTIVITY)).enroll()
        world.accrue("R-0", "50")
        world.clock.set("2026-05-02")
        send(world, refund("F-1", None, everything=True))
        world.accrue("R-1")
        assert kinds(world) == [EntryKind.ACCRUAL, EntryKind.ACCRUAL, EntryKind.RENEWAL, EntryKind.REVERSAL]
        assert world.proven().lots == {"2026-11-30": 50}

    def test_only_what_waits_for_this_accrual_goes_with_it(self, world: World) -> None:
        world.enroll("mbr_2")
        send(world, refund("F-1"), refund("F-2", of="R-2"))
        send(world, refund("F-3"), member="mbr_2")
        world.accrue("R-1")
        assert (waiting(world), waiting(world, "mbr_2")) == ([("F-2", None)], [("F-3", None)])
        world.proven()


class TestRefusing:
    def test_what_the_accrual_refuses_stays_with_the_reason_and_never_keeps_it_out(self, world: World) -> None:
        send(
            world,
            refund("F-1", "100.01"),
            refund("F-2", None, lines={"x": 1}),
            Refund("pos", "F-3", "R-1", NOON, Money.of("1", "USD")),
            refund("F-4", "60"),
            refund("F-5", None, lines={"b": 2}),
        )
        assert world.accrue("R-1", lines=LINES).entry.points == 100
        assert waiting(world) == [
            ("F-1", "amount_exceeds_accrual"),
            ("F-2", "line_not_in_accrual"),
            ("F-3", "currency_mismatch"),
            ("F-5", "line_quantity_exceeded"),
        ]
        (page,) = world.reversals.page("acme", MEMBER, limit=1).items
        assert page.status is WaitingStatus.REFUSED
        assert world.proven().available == 40

    def test_a_program_that_refuses_reversals_of_spent_points_takes_what_paid_a_debt_for_spent(
        self, table: Table
    ) -> None:
        """70 are owed when 100 come: 30 are there to take back, not 50."""
        World(table).enroll().accrue("R-0", "70")
        world = World(table, of=program(version=2, reversal="refuse"))
        world.capture(world.hold("k", "ten", 7)[0].redemption_id)
        world.refund("F-0", "R-0", everything=True)
        send(world, refund("F-1", "50"), refund("F-2", "20"))
        world.accrue("R-1")
        assert waiting(world) == [("F-1", "reversal_refused")]
        assert world.proven().available == 10
        world.accrue("R-2", "40")
        (posted,) = send(world, refund("F-1", "50"))
        assert isinstance(posted, Posted)
        assert (waiting(world), world.proven().available) == ([], 0)

    def test_a_refused_one_sent_again_is_refused_by_name_and_corrected_it_is_posted(self, world: World) -> None:
        send(world, refund("F-1", "100.01"))
        world.accrue("R-1")
        before = world.dump()
        with pytest.raises(AmountExceedsAccrual):
            send(world, refund("F-1", "100.01"))
        assert world.dump() == before
        (posted,) = send(world, refund("F-1", "100"))
        assert isinstance(posted, Posted)
        assert (waiting(world), world.proven().available) == ([], 0)

    def test_a_refused_one_may_wait_for_another_accrual(self, world: World) -> None:
        send(world, refund("F-1", "100.01"))
        world.accrue("R-1")
        send(world, refund("F-1", "100.01", of="R-2"))
        assert waiting(world) == [("F-1", None)]
        world.accrue("R-2", "200")
        assert (waiting(world), world.proven().available) == ([], 300 - 100)

    def test_an_identity_that_was_posted_meanwhile_is_refused(self, world: World) -> None:
        """As two that come at the same moment leave it: an entry of one, and the other waiting."""
        send(world, refund("F-1", of="R-1"))
        stored = {key: raw for key, raw in world.dump().items() if key[1].startswith("WAITING#")}
        ((pk, sk), raw) = next(iter(stored.items()))
        world.table.client.delete_item(TableName=world.table.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})
        world.accrue("R-2")
        world.refund("F-1", "R-2", "10")
        world.table.client.put_item(TableName=world.table.name, Item=raw)
        world.accrue("R-1")
        assert waiting(world) == [("F-1", "entry_exists_with_different_request")]
        assert world.wallet().available == 190

    def test_too_many_for_one_transaction_are_refused_and_may_be_sent_again(self, world: World) -> None:
        """Each member that was merged into one makes every entry dearer."""
        gone = [f"mbr_old{number}" for number in range(6)]
        world.enroll(*gone)
        for member in gone:
            merge(world, member, MEMBER)
        refunds = [refund(f"F-{number:02}", "1") for number in range(MAX_AWAITED)]
        send(world, *refunds)
        world.accrue("R-1")
        refused = [key for key, code in waiting(world) if code == "too_many_awaited_reversals"]
        assert 0 < len(refused) < MAX_AWAITED
        send(world, *refunds)
        assert (waiting(world), world.wallet().available) == ([], 80)


class TestRaces:
    """The accrual, or a reversal, comes between the read and the write of the other."""

    @staticmethod
    def between(world: World, operation: str, act: Callable[[], object]) -> list[object]:
        """Does ``act`` right before the next request of that kind."""
        done: list[object] = []

        def interfere(**_: object) -> None:
            if not done:
                done.append(None)
                done[0] = act()

        world.table.client.meta.events.register(f"before-send.dynamodb.{operation}", interfere)
        return done

    def test_an_accrual_that_comes_while_its_reversal_is_being_kept_is_reversed(self, world: World) -> None:
        done = self.between(world, "TransactWriteItems", lambda: world.accrue("R-1"))
        (posted,) = send(world, refund("F-1"))
        assert done
        assert isinstance(posted, Posted)
        assert (waiting(world), world.proven().available) == ([], 70)

    def test_a_reversal_that_comes_while_its_accrual_is_being_posted_is_posted_with_it(self, world: World) -> None:
        done = self.between(world, "TransactWriteItems", lambda: send(world, refund("F-1")))
        world.accrue("R-1")
        assert done
        assert (waiting(world), world.proven().available) == ([], 70)
        assert not [sk for _, sk in world.dump() if sk.startswith("AWAITED#")]

    def test_two_reversals_that_are_kept_at_the_same_moment_both_wait(self, world: World) -> None:
        done = self.between(world, "TransactWriteItems", lambda: send(world, refund("F-2", "20")))
        send(world, refund("F-1"))
        assert done
        assert waiting(world) == [("F-1", None), ("F-2", None)]
        world.accrue("R-1")
        assert world.proven().available == 50


class TestRefundsThatComeWithTheirPurchase:
    def test_they_are_taken_back_in_its_transaction_at_most_what_is_left(self, world: World) -> None:
        posting = self.posting(world, refund("F-1", "60"), refund("F-2", "60"))
        assert world.accruals.post(world.program, MEMBER, posting).entry.points == 100
        assert [entry.points for entry in world.entries()] == [100, -60, -40]
        assert world.entries()[2].facts.amount == Money.of("40", "EUR")
        assert world.proven().available == 0

    def test_one_that_is_refused_refuses_the_whole_by_its_name(self, world: World) -> None:
        before = world.dump()
        future = refund("F-2", "1", occurred_at=NOON + timedelta(hours=1))
        unknown_line = refund("F-2", None, lines={"x": 1})
        for refused, name in ((future, OccurredInFuture), (unknown_line, LineNotInAccrual)):
            with pytest.raises(name):
                world.accruals.post(world.program, MEMBER, self.posting(world, refund("F-1", "1"), refused))
        assert world.dump() == before

    def test_more_than_a_transaction_takes_are_refused_by_name(self, world: World) -> None:
        refunds = [refund(f"F-{number}", "0.10") for number in range(98)]
        before = world.dump()
        with pytest.raises(TooManyAwaitedReversals):
            world.accruals.post(world.program, MEMBER, self.posting(world, *refunds))
        assert world.dump() == before
        world.accruals.post(world.program, MEMBER, self.posting(world, *refunds[:96]))
        assert world.book().seq == 97

    def test_what_waited_under_the_same_identity_is_not_posted_twice(self, world: World) -> None:
        send(world, refund("F-1", "60"), refund("F-2", "10"))
        world.accruals.post(world.program, MEMBER, self.posting(world, refund("F-1", "60")))
        assert [entry.points for entry in world.entries()] == [100, -60, -10]
        assert (waiting(world), world.proven().available) == ([], 30)

    def test_what_waited_under_the_same_identity_with_another_content_stays(self, world: World) -> None:
        send(world, refund("F-1", "59"))
        world.accruals.post(world.program, MEMBER, self.posting(world, refund("F-1", "60")))
        assert waiting(world) == [("F-1", "entry_exists_with_different_request")]
        assert world.proven().available == 40

    @staticmethod
    def posting(world: World, *refunds: Refund) -> Posting:
        activity = Activity("purchase", "pos", "R-1", NOON, amount=Money.of("100", "EUR"))
        return world.accruals.posting(world.program, activity, refunds=refunds)
