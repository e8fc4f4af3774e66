"""Lines given back: what was paid for them, and what that takes. The examples of docs/reversals.md are here."""

from collections.abc import Mapping

import pytest

from loyalty.accruals.allocation import net_lines
from loyalty.accruals.errors import AccrualFullyReversed, AmountExceedsAccrual, LineNotInAccrual, LineQuantityExceeded
from loyalty.accruals.model import BoughtLine, Refund
from loyalty.core.errors import LoyaltyError
from loyalty.core.money import Money
from loyalty.ledger.draft import Posted
from loyalty.ledger.model import Line
from tests.ledgerkit.world import MEMBER, NOON, World


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def bought(*lines: tuple[str, str, int], ids: bool = True) -> tuple[BoughtLine, ...]:
    return tuple(BoughtLine(eur(amount), quantity, line_id if ids else None) for line_id, amount, quantity in lines)


class TestAllocation:
    @pytest.mark.parametrize(
        ("amount", "lines", "nets"),
        [
            # They add up: each is what it is.
            ("70", {"a": ("50", 1), "b": ("20", 1)}, {"a": "50.00", "b": "20.00"}),
            # A coupon of 10 on the order: a 50/70th and a 20/70th of 60.
            ("60", {"a": ("50", 1), "b": ("20", 1)}, {"a": "42.86", "b": "17.14"}),
            # 100 cents over three: the cent that is left goes to the first of those that lost the same.
            ("1.00", {"a": ("10", 1), "b": ("10", 1), "c": ("10", 1)}, {"a": "0.34", "b": "0.33", "c": "0.33"}),
            # 0.50 * 1/6 = 8.33 cents, 0.50 * 5/6 = 41.67 cents: the larger fraction gets the cent.
            ("0.50", {"a": ("1", 1), "b": ("5", 1)}, {"a": "0.08", "b": "0.42"}),
            # Shipping in what earns points: spread as well.
            ("77", {"a": ("50", 1), "b": ("20", 1)}, {"a": "55.00", "b": "22.00"}),
            # Nothing was paid for the lines themselves: by quantity.
            ("9", {"a": ("0", 2), "b": ("0", 1)}, {"a": "6.00", "b": "3.00"}),
            ("0", {"a": ("50", 1), "b": ("20", 1)}, {"a": "0.00", "b": "0.00"}),
        ],
    )
    def test_lines_share_what_was_paid(
        self, amount: str, lines: Mapping[str, tuple[str, int]], nets: Mapping[str, str]
    ) -> None:
        told = bought(*((key, price, quantity) for key, (price, quantity) in lines.items()))
        expected = {key: Line(lines[key][1], eur(net)) for key, net in nets.items()}
        assert net_lines(told, eur(amount)) == expected

    def test_lines_without_an_id_share_but_cannot_be_named(self) -> None:
        lines = (*bought(("a", "50", 1)), *bought(("", "20", 1), ids=False))
        assert net_lines(lines, eur("60")) == {"a": Line(1, eur("42.86"))}

    def test_a_currency_without_minor_units(self) -> None:
        lines = tuple(BoughtLine(Money.of("100", "JPY"), 1, key) for key in "abc")
        nets = {key: str(line.amount) for key, line in net_lines(lines, Money.of("100", "JPY")).items()}
        assert nets == {"a": "34 JPY", "b": "33 JPY", "c": "33 JPY"}

    def test_where_no_amount_earned_the_points_lines_have_no_part_in_them(self) -> None:
        assert net_lines(bought(("a", "50", 1)), None) == {}


def test_smile_s_example_the_coupon_was_on_the_other_item(world: World) -> None:
    """50 and 20, a coupon of 10 on the 50: 60 points. The return of the 20 takes 20."""
    world.accrue("R-1", "60", lines=bought(("lamp", "40", 1), ("bulb", "20", 1)))
    entry = world.refund("F-1", "R-1", lines={"bulb": 1}).entry
    assert (entry.points, entry.facts.amount) == (-20, eur("20"))
    assert entry.facts.lines == {"bulb": Line(1, eur("20"))}
    assert world.proven().available == 40


def test_the_same_with_a_coupon_on_the_whole_order(world: World) -> None:
    """60 of 70 were paid: the 20 cost 17.14, and 17 points go; the 50 cost 42.86, and the 43 that are left go."""
    world.accrue("R-1", "60", lines=bought(("lamp", "50", 1), ("bulb", "20", 1)))
    assert world.refund("F-1", "R-1", lines={"bulb": 1}).entry.points == -17
    assert world.refund("F-2", "R-1", lines={"lamp": 1}).entry.points == -43
    assert world.proven().available == 0


def test_pieces_of_a_line_take_its_parts_and_the_last_piece_the_rest(world: World) -> None:
    world.accrue("R-1", "10", lines=bought(("a", "10", 3)))
    entries = [world.refund(f"F-{number}", "R-1", lines={"a": 1}).entry for number in range(3)]
    assert [entry.points for entry in entries] == [-3, -3, -4]
    assert [str(entry.facts.amount) for entry in entries] == ["3.33 EUR", "3.33 EUR", "3.34 EUR"]
    assert world.proven().available == 0


def test_several_lines_at_once(world: World) -> None:
    world.accrue("R-1", "100", lines=bought(("a", "50", 5), ("b", "30", 1), ("c", "20", 2)))
    entry = world.refund("F-1", "R-1", lines={"a": 2, "c": 1}).entry
    assert (entry.points, entry.facts.amount) == (-30, eur("30"))
    assert world.proven().available == 70


def test_money_and_lines_of_one_purchase_add_up(world: World) -> None:
    """120 were paid with shipping: 60 in money are half, the line of 30 of 100 three tenths, a fifth is left."""
    world.accrue("R-1", "100", refund_basis=eur("120"), lines=bought(("a", "30", 1), ("b", "70", 1)))
    assert world.refund("F-1", "R-1", "60").entry.points == -50
    assert world.refund("F-2", "R-1", lines={"a": 1}).entry.points == -30
    assert world.refund("F-3", "R-1", "24").entry.points == -20
    before = world.dump()
    with pytest.raises(AccrualFullyReversed):
        world.refund("F-4", "R-1", lines={"b": 1})
    assert world.dump() == before
    assert world.proven().available == 0


def test_a_free_line_takes_nothing_unless_all_was_free(world: World) -> None:
    world.accrue("R-1", "100", lines=bought(("a", "100", 1), ("free", "0", 1)))
    assert world.refund("F-1", "R-1", lines={"free": 1}).entry.points == 0
    world.accrue("R-2", "0", lines=bought(("a", "0", 1), ("b", "0", 1)))
    world.refund("F-2", "R-2", lines={"a": 1})
    world.refund("F-3", "R-2", lines={"b": 1})
    with pytest.raises(AccrualFullyReversed):
        world.refund("F-4", "R-2", everything=True)
    world.proven()


@pytest.mark.parametrize(
    ("refused", "lines", "pointer"),
    [
        (LineNotInAccrual, {"a": 1, "x": 1}, "/lines/1/line_id"),
        (LineQuantityExceeded, {"b": 1, "a": 3}, "/lines/1/quantity"),
        (AmountExceedsAccrual, {"a": 2, "b": 1}, None),
    ],
)
def test_lines_that_cannot_come_back_are_refused_and_nothing_is_written(
    world: World, refused: type[LoyaltyError], lines: dict[str, int], pointer: str | None
) -> None:
    world.accrue("R-1", "100", lines=bought(("a", "60", 3), ("b", "40", 1)))
    world.refund("F-1", "R-1", lines={"a": 1})
    world.refund("F-2", "R-1", "1")
    before = world.dump()
    with pytest.raises(refused) as refusal:
        world.refund("F-3", "R-1", lines=lines)
    assert refusal.value.pointer == pointer
    assert world.dump() == before


def test_an_accrual_without_lines_has_none_to_give_back(world: World) -> None:
    world.accrue("R-1", "100")
    world.accrue("R-2", None, activity="review", lines=bought(("a", "10", 1)))
    for of in ("R-1", "R-2"):
        with pytest.raises(LineNotInAccrual):
            world.refund("F-1", of, lines={"a": 1})


def test_where_the_caller_says_so_lines_beyond_what_is_left_take_what_is_left(world: World) -> None:
    def reverse(source_id: str, lines: dict[str, int]) -> Posted:
        refund = Refund("pos", source_id, "R-1", NOON, lines=lines)
        return world.accruals.reverse(world.program, MEMBER, refund, clamp=True)

    world.accrue("R-1", "100", lines=bought(("a", "60", 3), ("b", "40", 1)))
    assert reverse("F-1", {"a": 2}).entry.points == -40
    over = reverse("F-2", {"a": 2}).entry
    assert (over.points, over.facts.lines) == (-20, {"a": Line(1, eur("20"))})
    world.refund("F-3", "R-1", "10")
    last = reverse("F-4", {"b": 1}).entry
    assert last.points == -30
    nothing = reverse("F-5", {"b": 1}).entry
    assert (nothing.points, nothing.facts.lines) == (0, {"b": Line(0, eur("0"))})
    assert world.proven().available == 0
