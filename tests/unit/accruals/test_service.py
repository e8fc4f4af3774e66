from datetime import timedelta
from typing import Any

import pytest

from loyalty.accruals.service import CLOCK_SKEW, Activity, Refund
from loyalty.core.errors import (
    ActivityNotRewarded,
    AmountExceedsAccrual,
    AmountRequired,
    CurrencyMismatch,
    CurrencyNotInProgram,
    EntryExistsWithDifferentRequest,
    EntryNotFound,
    LoyaltyError,
    MemberNotFound,
    OccurredInFuture,
    PointsLimitExceeded,
)
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.model import Account, EntryKind
from loyalty.ledger.service import Posted
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, NOON, World


def test_an_accrual_tells_what_decided_it(table: Table) -> None:
    world = World(table, of=program(version=7)).enroll()
    entry = world.accrue("R-1", "105.00", currency="USD", channel="store").entry
    assert entry.entry_id == "accrual:pos:R-1"
    assert (entry.seq, entry.points, entry.available) == (1, 10, 10)
    assert entry.movement.lots == {"2027-03-31": 10}
    facts = entry.facts
    assert (facts.program_version, facts.rule, facts.activity, facts.channel) == (7, "shop", "purchase", "store")
    assert facts.amount == Money.of("105", "USD")
    assert world.entries() == [entry]


def test_an_accrual_without_an_amount_earns_fixed_points(world: World) -> None:
    assert world.accrue("R-1", None, activity="review").entry.points == 25


def test_an_accrual_of_nothing_is_an_entry_too(world: World) -> None:
    entry = world.accrue("R-1", "9.99", currency="USD").entry
    assert (entry.seq, entry.points, dict(entry.movement.postings)) == (1, 0, {})
    assert world.accrue("R-1", "9.99", currency="USD").replayed
    assert world.refund("F-1", "R-1", "9.99", currency="USD").entry.points == 0
    assert world.proven().seq == 2


@pytest.mark.parametrize("ahead", [timedelta(0), CLOCK_SKEW])
def test_a_source_s_clock_may_be_a_little_ahead(world: World, ahead: timedelta) -> None:
    assert world.accrue("R-1", occurred_at=NOON + ahead).entry.facts.occurred_at == NOON + ahead


def test_points_are_credited_and_qualify_on_the_day_they_are_posted(table: Table) -> None:
    world = World(table, of=program(time_zone="Asia/Jakarta")).enroll()
    world.clock.set("2025-12-31T17:30:00Z")  # the new year in Jakarta
    world.accrue("R-1", occurred_at=NOON - timedelta(days=300))
    assert world.wallet().qualifying == {"2026": 100}
    assert world.wallet().lots == {"2027-01-31": 100}


@pytest.mark.parametrize(
    ("refused", "changes"),
    [
        (ActivityNotRewarded, {"activity": "dance"}),
        (AmountRequired, {"amount": None}),
        (CurrencyNotInProgram, {"currency": "GBP"}),
        (PointsLimitExceeded, {"amount": "1000000001"}),
        (OccurredInFuture, {"occurred_at": NOON + CLOCK_SKEW + timedelta(seconds=1)}),
        (MemberNotFound, {"member": "mbr_nobody"}),
    ],
)
def test_a_refused_accrual_writes_nothing(world: World, refused: type[LoyaltyError], changes: dict[str, Any]) -> None:
    before = world.dump()
    with pytest.raises(refused):
        world.accrue("R-1", **changes)
    assert world.dump() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "100.01"},
        {"currency": "USD"},
        {"activity": "review"},
        {"channel": "web"},
        {"occurred_at": NOON - timedelta(seconds=1)},
        {"refund_basis": Money.of("120", "EUR")},
        {"details": {"lines": [1]}},
        # What today's rules would refuse is a conflict all the same: the identity is taken.
        {"activity": "dance"},
        {"currency": "GBP"},
    ],
)
def test_an_identity_with_another_content_is_a_conflict(world: World, changes: dict[str, Any]) -> None:
    world.accrue("R-1")
    before = world.dump()
    with pytest.raises(EntryExistsWithDifferentRequest) as refusal:
        world.accrue("R-1", **changes)
    assert "accrual:pos:R-1" in refusal.value.detail
    assert world.dump() == before


def test_a_repeat_is_answered_by_the_first_result_whatever_the_rules_became(table: Table) -> None:
    first = World(table).enroll().accrue("R-1", "105.00", currency="USD")
    rates = [{"points": 9, "per": "1", "currency": "EUR"}]
    later = World(table, of=program(version=2, earn_rules=[{"id": "new", "activity": "purchase", "rates": rates}]))
    before = later.dump()
    again = later.accrue("R-1", "105.00", currency="USD")
    assert again.replayed
    assert again.entry == first.entry
    assert later.dump() == before


def test_the_same_source_id_of_another_source_member_or_kind_is_another_entry(world: World) -> None:
    world.enroll("mbr_2")
    world.accrue("R-1")
    world.accruals.accrue(world.program, MEMBER, Activity("review", "web", "R-1", NOON))
    world.accrue("R-1", member="mbr_2")
    world.refund("R-1", "R-1", "1.00")
    assert [entry.entry_id for entry in world.entries()] == ["accrual:pos:R-1", "accrual:web:R-1", "reversal:pos:R-1"]
    assert world.proven("mbr_2").available == 100


class TestReversal:
    def test_it_names_the_accrual_and_uses_its_rule_and_version(self, table: Table) -> None:
        World(table, of=program(version=3)).enroll().accrue("R-1", "100")
        rates = [{"points": 9, "per": "1", "currency": "EUR"}]
        later = World(table, of=program(version=4, earn_rules=[{"id": "new", "activity": "purchase", "rates": rates}]))
        entry = later.refund("F-1", "R-1", "50").entry
        assert entry.key.kind is EntryKind.REVERSAL
        assert (entry.facts.reverses, entry.facts.rule, entry.facts.program_version) == ("accrual:pos:R-1", "shop", 3)
        assert entry.points == -50
        assert entry.movement.postings == {Account.AVAILABLE: -50, Account.ISSUED: 50}

    @pytest.mark.parametrize("parts", [["10"] * 3, ["0.01"] * 7, ["29.99", "0.01"], ["9.99", "9.99", "9.99"]])
    def test_parts_never_take_more_than_their_share_and_the_whole_takes_all(
        self, table: Table, parts: list[str]
    ) -> None:
        world = World(table).enroll()
        earned = world.accrue("R-1", "30.00", currency="KWD").entry.points
        assert earned == 90
        refunded = 0.0
        for number, part in enumerate(parts):
            world.refund(f"F-{number}", "R-1", part, currency="KWD")
            refunded += float(part)
            assert 90 - world.wallet().available <= 3 * refunded + 1e-6
        rest = round(30 - refunded, 3)
        if rest > 0:
            world.refund("F-rest", "R-1", f"{rest:.3f}", currency="KWD")
        wallet = world.proven()
        assert (wallet.available, wallet.debt) == (0, 0)
        assert not any(wallet.qualifying.values())

    def test_refunds_are_parts_of_what_was_paid_in_all(self, world: World) -> None:
        world.accrue("R-1", "100", refund_basis=Money.of("125", "EUR"))
        assert world.refund("F-1", "R-1", "62.50").entry.points == -50
        assert world.refund("F-2", "R-1", "62.50").entry.points == -50
        assert world.proven().available == 0

    def test_points_already_spent_become_a_debt_that_later_credits_pay(self, world: World) -> None:
        world.accrue("R-1", "100")
        redemption, _ = world.hold("k", "coffee", 2)
        world.capture(redemption.redemption_id)
        world.refund("F-1", "R-1", "100")
        assert (world.wallet().available, world.wallet().debt) == (-100, 100)
        world.accrue("R-2", "130")
        wallet = world.proven()
        assert (wallet.available, wallet.debt, wallet.lots) == (30, 0, {"2027-03-31": 30})

    @pytest.mark.parametrize(
        ("refused", "of", "amount", "currency"),
        [
            (EntryNotFound, "R-0", "1", "EUR"),
            (CurrencyMismatch, "R-1", "1", "USD"),
            (AmountExceedsAccrual, "R-1", "100.01", "EUR"),
            (CurrencyMismatch, "no-amount", "1", "EUR"),
        ],
    )
    def test_a_refused_refund_writes_nothing(
        self, world: World, refused: type[LoyaltyError], of: str, amount: str, currency: str
    ) -> None:
        world.accrue("R-1", "100")
        world.accrue("no-amount", None, activity="review")
        before = world.dump()
        with pytest.raises(refused):
            world.refund("F-1", of, amount, currency=currency)
        assert world.dump() == before

    def test_refunds_together_over_the_whole_are_refused(self, world: World) -> None:
        world.accrue("R-1", "100")
        world.refund("F-1", "R-1", "60")
        before = world.dump()
        with pytest.raises(AmountExceedsAccrual):
            world.refund("F-2", "R-1", "40.01")
        assert world.dump() == before
        world.refund("F-2", "R-1", "40.00")
        with pytest.raises(AmountExceedsAccrual):
            world.refund("F-3", "R-1", "0.01")
        assert world.refund("F-1", "R-1", "60").replayed
        assert world.proven().available == 0

    def test_where_the_caller_says_so_a_refund_over_the_whole_takes_what_is_left(self, world: World) -> None:
        def reverse(source_id: str, amount: str) -> Posted:
            refund = Refund("pos", source_id, "R-1", NOON, Money.of(amount, "EUR"))
            return world.accruals.reverse(world.program, MEMBER, refund, clamp=True)

        world.accrue("R-1", "100", refund_basis=Money.of("120", "EUR"))
        assert reverse("F-1", "90").entry.points == -75
        over = reverse("F-2", "50")
        assert (over.entry.points, over.entry.facts.amount) == (-25, Money.of("30", "EUR"))
        assert reverse("F-2", "50") == Posted(over.entry, replayed=True)
        nothing = reverse("F-3", "0.01")
        assert (nothing.entry.points, nothing.entry.facts.amount) == (0, Money.of("0", "EUR"))
        with pytest.raises(EntryExistsWithDifferentRequest):
            reverse("F-2", "30")
        with pytest.raises(AmountExceedsAccrual):
            world.refund("F-4", "R-1", "0.01")
        assert world.proven().available == 0

    def test_one_refund_s_id_with_another_content_is_a_conflict(self, world: World) -> None:
        world.accrue("R-1", "100")
        world.accrue("R-2", "100")
        world.refund("F-1", "R-1", "60")
        before = world.dump()
        for of, amount in [("R-1", "59"), ("R-2", "60"), ("R-1", "100"), ("R-0", "60")]:
            with pytest.raises(EntryExistsWithDifferentRequest):
                world.refund("F-1", of, amount)
        assert world.dump() == before

    def test_a_future_refund_is_refused(self, world: World) -> None:
        world.accrue("R-1")
        future = NOON + CLOCK_SKEW + timedelta(seconds=1)
        with pytest.raises(OccurredInFuture):
            world.accruals.reverse(world.program, MEMBER, Refund("pos", "F", "R-1", future, Money.of("1", "EUR")))

    def test_the_year_of_the_accrual_qualifies_less(self, world: World) -> None:
        world.accrue("R-1", "100")
        world.clock.set("2027-01-10")
        world.accrue("R-2", "30")
        world.refund("F-1", "R-1", "40")
        assert world.proven().qualifying == {"2026": 60, "2027": 30}

    def test_expired_points_are_gone_before_a_refund_takes_the_rest(self, world: World) -> None:
        world.accrue("R-1", "100")
        world.clock.set("2027-04-01")
        world.refund("F-1", "R-1", "100")
        kinds = [entry.key.kind for entry in world.entries()]
        assert kinds == [EntryKind.ACCRUAL, EntryKind.EXPIRY, EntryKind.REVERSAL]
        assert world.proven().available == -100
