"""The examples of docs/reversals.md, number by number."""

from pathlib import Path
from typing import Any

import pytest

from loyalty.accruals.allocation import net_lines
from loyalty.accruals.awaited import Kept
from loyalty.accruals.errors import AccrualFullyReversed
from loyalty.accruals.model import BoughtLine, Refund
from loyalty.core.errors import ReversalRefused
from loyalty.core.money import Money
from loyalty.core.table import Table
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, NOON, World
from tests.unit.accruals.rules import CASHBACK, pending, rule

DOCUMENT = (Path(__file__).parents[3] / "docs" / "reversals.md").read_text()


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def lines(*amounts: str, quantity: int = 1) -> tuple[BoughtLine, ...]:
    return tuple(BoughtLine(eur(amount), quantity, str(place)) for place, amount in enumerate(amounts, start=1))


def taken(world: World, source_id: str, amount: str | None = None, **form: Any) -> int:
    return -world.refund(source_id, "R-1", amount, **form).entry.points


def test_money_in_parts(world: World) -> None:
    world.accrue("R-1", "30", currency="KWD")
    parts = ["9.999", "9.999", "9.999", "0.003"]
    entries = [world.refund(f"F-{place}", "R-1", part, currency="KWD").entry for place, part in enumerate(parts)]
    assert [-entry.points for entry in entries] == [29, 30, 30, 1]


def test_money_is_a_part_of_what_was_paid_in_all(world: World) -> None:
    world.accrue("R-1", "100", refund_basis=eur("125"))
    assert taken(world, "F-1", "62.50") == 50


def test_lines_are_a_part_of_what_earned_the_points(world: World) -> None:
    world.accrue("R-1", "10", lines=lines("10", quantity=3))
    assert [taken(world, f"F-{piece}", lines={"1": 1}) for piece in range(3)] == [3, 3, 4]


def test_money_and_lines_add_up(world: World) -> None:
    world.accrue("R-1", "100", refund_basis=eur("120"), lines=lines("30", "70"))
    assert [taken(world, "F-1", "60"), taken(world, "F-2", lines={"1": 1}), taken(world, "F-3", "24")] == [50, 30, 20]
    with pytest.raises(AccrualFullyReversed):
        world.refund("F-4", "R-1", everything=True)


def test_each_wallet_is_reversed_by_the_same_share(table: Table) -> None:
    of = program(earn_rules=[rule(), rule(points=5, wallet="cashback")], wallets=[CASHBACK])
    world = World(table, of=of).enroll()
    world.accrue("R-1", "100")
    changes = world.refund("F-1", "R-1", "33.33").entry.movement.changes
    assert {name: -change.points for name, change in changes.items()} == {"points": 33, "cashback": 166}


def test_a_coupon_on_one_item(world: World) -> None:
    assert world.accrue("R-1", "60", lines=lines("40", "20")).entry.points == 60
    assert taken(world, "F-1", lines={"2": 1}) == 20


def test_a_discount_on_the_whole_order(world: World) -> None:
    facts = world.accrue("R-1", "60", lines=lines("50", "20")).entry.facts
    assert [str(line.amount) for line in facts.lines.values()] == ["42.86 EUR", "17.14 EUR"]
    assert [taken(world, "F-1", lines={"2": 1}), taken(world, "F-2", lines={"1": 1})] == [17, 43]


@pytest.mark.parametrize(
    ("amount", "told", "nets"),
    [("1.00", ("10", "10", "10"), ("0.34", "0.33", "0.33")), ("77", ("50", "20"), ("55", "22"))],
)
def test_thirds_and_an_amount_above_the_sum(amount: str, told: tuple[str, ...], nets: tuple[str, ...]) -> None:
    assert [line.amount for line in net_lines(lines(*told), eur(amount)).values()] == [eur(net) for net in nets]


def test_pending_points_while_they_are(table: Table) -> None:
    world = World(table, of=pending(14)).enroll()
    world.accrue("R-1", "100")
    world.refund("F-1", "R-1", "40")
    assert (world.wallet().pending, world.wallet().available) == (60, 0)


def test_what_had_expired_is_not_taken_twice(world: World) -> None:
    world.accrue("R-1", "100")
    world.capture(world.hold("k", "ten", 6)[0].redemption_id)
    world.clock.set("2027-04-02")
    assert taken(world, "F-1", "70") == 30


def test_two_purchases_share_what_expired(world: World) -> None:
    world.accrue("R-1", "100")
    world.accrue("R-2", "100")
    world.capture(world.hold("k", "ten", 6)[0].redemption_id)
    world.clock.set("2027-04-02")
    assert taken(world, "F-1", everything=True) == 0
    assert -world.refund("F-2", "R-2", everything=True).entry.points == 60


@pytest.mark.parametrize(
    ("policy", "after", "then"), [("allow_negative", (-30, 0), 10), ("clamp_with_debt", (0, 30), 10)]
)
def test_what_has_been_spent(table: Table, policy: str, after: tuple[int, int], then: int) -> None:
    world = World(table, of=program(reversal=policy)).enroll()
    world.accrue("R-1", "100")
    world.capture(world.hold("k", "coffee")[0].redemption_id)
    world.refund("F-1", "R-1", "80")
    assert (world.wallet().available, world.wallet().debt) == after
    world.accrue("R-2", "40")
    assert (world.wallet().available, world.wallet().debt) == (then, 0)


def test_what_has_been_spent_where_that_is_refused(table: Table) -> None:
    world = World(table, of=program(reversal="refuse")).enroll()
    world.accrue("R-1", "100")
    world.capture(world.hold("k", "coffee")[0].redemption_id)
    before = world.dump()
    with pytest.raises(ReversalRefused):
        world.refund("F-1", "R-1", "80")
    assert world.dump() == before
    world.accrue("R-2", "40")
    assert world.wallet().available == 90
    assert taken(world, "F-1", "80") == 80


def test_a_reversal_before_its_accrual(world: World) -> None:
    refund = Refund("pos", "F-1", "R-1", NOON, eur("30"))
    assert isinstance(world.reversals.reverse(world.program, MEMBER, refund), Kept)
    world.accrue("R-1", "100")
    assert [entry.points for entry in world.entries()] == [100, -30]
    assert world.wallet().available == 70


def test_what_waits_never_keeps_its_accrual_out(world: World) -> None:
    world.reversals.reverse(world.program, MEMBER, Refund("pos", "F-1", "R-1", NOON, eur("100.01")))
    assert world.accrue("R-1", "100").entry.points == 100
    (waiting,) = world.reversals.page("acme", MEMBER, limit=10).items
    assert (waiting.status, waiting.code) == ("refused", "amount_exceeds_accrual")


@pytest.mark.parametrize("code", [
    "accrual_fully_reversed", "amount_exceeds_accrual", "line_not_in_accrual", "line_quantity_exceeded",
    "currency_mismatch", "reversal_refused", "occurred_in_future", "too_many_awaited_reversals", "one_of_required",
    "line_repeated", "entry_exists_with_different_request",
])  # fmt: skip
def test_every_refusal_is_documented(code: str) -> None:
    assert f"`{code}`" in DOCUMENT
