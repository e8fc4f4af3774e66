"""Reversals of one purchase, whatever is given back in whatever order: never more than it earned, in the end all of it.

What they should take is computed here anew, in whole numbers.
"""

import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accruals.allocation import net_lines
from loyalty.accruals.awaited import Kept
from loyalty.accruals.model import BoughtLine, Refund
from loyalty.accruals.share import Original, Reversed, part_of
from loyalty.core.errors import LoyaltyError
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.model import Account, Change, EntryKey, EntryKind, Facts, Line, Movement
from tests.ledgerkit.programs import program
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.world import NOON, World

FORMS = ["money", "line", "lines", "everything"]


def eur(cents: int) -> Money:
    return Money.of(Decimal(cents).scaleb(-2), "EUR")


@dataclass
class Bought:
    """``goods`` cents for pieces of some lines, ``paid`` with shipping; every piece of a line cost the same."""

    pieces: dict[str, tuple[int, int]]
    """By line: quantity, cents of one piece."""
    shipping: int
    points: int

    @property
    def goods(self) -> int:
        return sum(quantity * cents for quantity, cents in self.pieces.values())

    @property
    def paid(self) -> int:
        return self.goods + self.shipping

    def original(self) -> Original:
        lines = {key: Line(quantity, eur(quantity * cents)) for key, (quantity, cents) in self.pieces.items()}
        facts = Facts(NOON, 1, amount=eur(self.goods), refund_basis=eur(self.paid), lines=lines)
        earned = Change({Account.ISSUED: -self.points, Account.AVAILABLE: self.points}, {"2027-03-31": self.points})
        return Original("mbr_1", EntryKey(EntryKind.ACCRUAL, "pos", "R-1"), facts, Movement({"points": earned}))


@dataclass
class Ledger:
    """What is given back, by whole numbers, and what the code under test makes of it."""

    bought: Bought
    money: int = 0
    pieces: dict[str, int] = field(default_factory=dict)
    whole: bool = False
    record: Reversed = field(default_factory=Reversed)

    def expected(self) -> int:
        goods, paid = self.bought.goods, self.bought.paid
        given = self.money * goods + paid * sum(self.pieces[key] * self.bought.pieces[key][1] for key in self.pieces)
        assert given <= goods * paid
        return self.bought.points if self.whole else self.bought.points * given // (goods * paid)

    def left(self) -> int:
        """Cents that may be given back in money beside what was given back."""
        goods, paid = self.bought.goods, self.bought.paid
        by_line = sum(self.pieces[key] * self.bought.pieces[key][1] for key in self.pieces)
        return 0 if self.whole else paid - self.money - -(-paid * by_line // goods)

    def give_back(self, refund: Refund) -> None:
        taken = self.record.points.get("points", 0)
        part = part_of(self.bought.original(), self.record, refund, clamp=False)
        self.record = part.after
        self.money += int(refund.amount.amount.scaleb(2)) if refund.amount else 0
        for key, quantity in refund.lines.items():
            self.pieces[key] = self.pieces.get(key, 0) + quantity
        self.whole = self.whole or refund.everything or self.all_is_back()
        assert part.points == {"points": self.expected() - taken}
        assert self.record.whole == self.whole

    def all_is_back(self) -> bool:
        goods, paid = self.bought.goods, self.bought.paid
        by_line = sum(self.pieces[key] * self.bought.pieces[key][1] for key in self.pieces)
        return self.money * goods + by_line * paid == goods * paid


PURCHASES = st.builds(
    Bought,
    pieces=st.dictionaries(
        st.sampled_from("abcd"), st.tuples(st.integers(1, 4), st.integers(1, 5000)), min_size=1, max_size=4
    ),
    shipping=st.integers(0, 2000),
    points=st.integers(1, 100_000),
)


def refund(number: int, **form: object) -> Refund:
    return Refund("pos", f"F-{number}", "R-1", NOON, **form)  # type: ignore[arg-type]


@settings(derandomize=True, max_examples=400, deadline=None)
@given(PURCHASES, st.data())
def test_whatever_is_given_back_takes_its_share_to_the_point(bought: Bought, data: st.DataObject) -> None:
    ledger = Ledger(bought)
    for number in range(data.draw(st.integers(0, 12))):
        form, left = data.draw(st.sampled_from(FORMS[:3])), ledger.left()
        there = {key: most - ledger.pieces.get(key, 0) for key, (most, _) in bought.pieces.items()}
        if form == "money" and left > 0:
            ledger.give_back(refund(number, amount=eur(data.draw(st.integers(0, left)))))
        else:
            wanted = {key: data.draw(st.integers(0, most)) for key, most in there.items()}
            lines = {key: quantity for key, quantity in wanted.items() if quantity}
            if lines and ledger.money == 0:
                ledger.give_back(refund(number, lines=lines))
        if ledger.whole:
            break
    if not ledger.whole:
        ledger.give_back(refund(99, everything=True))
    assert ledger.record.points == {"points": bought.points}
    forms: list[dict[str, object]] = [
        {"everything": True},
        {"amount": eur(1)},
        {"lines": {next(iter(bought.pieces)): 1}},
    ]
    for one in forms:
        with pytest.raises(LoyaltyError) as refused:
            part_of(bought.original(), ledger.record, refund(100, **one), clamp=False)
        assert refused.value.code == "accrual_fully_reversed"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(PURCHASES, st.data())
def test_the_order_in_which_parts_come_back_does_not_matter(bought: Bought, data: st.DataObject) -> None:
    budget = bought.paid
    refunds = []
    for number in range(data.draw(st.integers(2, 4))):
        cents = data.draw(st.integers(0, budget // 2))
        budget -= cents
        refunds += [refund(number, amount=eur(cents))] if cents else []  # nothing is refused once all is back
    line, (most, cents) = next(iter(bought.pieces.items()))
    if (bought.paid - budget) * bought.goods + most * cents * bought.paid <= bought.paid * bought.goods:
        refunds.append(refund(98, lines={line: most}))
    results = set()
    for order in itertools.permutations(refunds):
        record = Reversed()
        for one in order:
            record = part_of(bought.original(), record, one, clamp=False).after
        results.add((record.points["points"], record.money, tuple(record.lines.items()), record.whole))
    assert len(results) == 1


@settings(derandomize=True, max_examples=300, deadline=None)
@given(PURCHASES, st.lists(st.tuples(st.sampled_from(FORMS), st.integers(0, 20_000)), max_size=12))
def test_clamped_whatever_is_told_never_passes_the_whole(bought: Bought, told: list[tuple[str, int]]) -> None:
    record, original = Reversed(), bought.original()
    keys = sorted(bought.pieces)
    for number, (form, size) in enumerate(told):
        if form == "money":
            one = refund(number, amount=eur(size))
        elif form == "everything":
            one = refund(number, everything=True)
        else:
            one = refund(number, lines=dict.fromkeys(keys[: 1 if form == "line" else None], 1 + size % 6))
        before, part = record, part_of(original, record, one, clamp=True)
        record = part.after
        assert part.points["points"] >= 0
        assert before.points.get("points", 0) + part.points["points"] == record.points["points"] <= bought.points
        assert (record.money or 0) <= original.facts.refund_basis.amount  # type: ignore[union-attr]
        assert all(quantity <= bought.pieces[key][0] for key, quantity in record.lines.items())
        assert not before.whole or part.points["points"] == 0
        assert not record.whole or record.points["points"] == bought.points


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.integers(0, 10**9), st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 9)), min_size=1, max_size=12))
def test_lines_share_the_amount_to_the_cent_each_within_a_cent_of_its_part(
    amount: int, lines: list[tuple[int, int]]
) -> None:
    told = tuple(BoughtLine(eur(cents), quantity, str(place)) for place, (cents, quantity) in enumerate(lines))
    nets = [int(line.amount.amount.scaleb(2)) for line in net_lines(told, eur(amount)).values()]
    assert sum(nets) == amount
    weights = [cents for cents, _ in lines] if any(cents for cents, _ in lines) else [count for _, count in lines]
    assert all(
        abs(net * sum(weights) - amount * weight) < sum(weights) for net, weight in zip(nets, weights, strict=True)
    )
    if amount == sum(cents for cents, _ in lines):
        assert nets == [cents for cents, _ in lines]


@dataclass
class Story:
    """A purchase, what is told of it, which of that comes before it, and what the member owes by then."""

    bought: list[tuple[int, int]]
    told: list[tuple[str, int]]
    early: set[int]
    policy: str
    owed: int

    @property
    def lines(self) -> tuple[BoughtLine, ...]:
        return tuple(BoughtLine(eur(cents * n), n, str(place)) for place, (n, cents) in enumerate(self.bought))

    @property
    def refunds(self) -> tuple[list[Refund], list[Refund]]:
        """What comes early, and what comes late: what comes early was given back first."""
        places = sorted(range(len(self.told)), key=lambda place: (place not in self.early, place))
        refunds = [_told(number, *self.told[place], len(self.bought)) for number, place in enumerate(places)]
        early = len(self.early & set(places))
        return refunds[:early], refunds[early:]


@settings(derandomize=True, max_examples=300, deadline=None)
@given(PURCHASES, st.data())
def test_lines_that_earned_unevenly_come_back_in_any_order_to_exactly_what_was_earned(
    bought: Bought, data: st.DataObject
) -> None:
    """Each line has points of its own, and some are of no line."""
    original = _uneven(bought, data)
    parts = [
        refund(number, lines={key: 1})
        for number, key in enumerate(key for key, (quantity, _) in bought.pieces.items() for _ in range(quantity))
    ]
    parts.insert(data.draw(st.integers(0, len(parts))), refund(99, amount=eur(data.draw(st.integers(1, bought.paid)))))
    totals = set()
    for order in (parts, data.draw(st.permutations(parts))):
        record, taken = Reversed(), 0
        for one in order:
            part = part_of(original, record, one, clamp=True)
            assert part.points["points"] >= 0
            taken, record = taken + part.points["points"], part.after
            assert taken <= bought.points
        totals.add(taken)
    assert totals == {bought.points}  # all lines, and some money: nothing is left


@settings(derandomize=True, max_examples=200, deadline=None)
@given(PURCHASES, st.data())
def test_a_line_given_back_alone_takes_what_it_earned_and_its_part_of_the_rest(
    bought: Bought, data: st.DataObject
) -> None:
    original = _uneven(bought, data)
    earned = {key: line.points["points"] for key, line in original.facts.lines.items()}
    key = data.draw(st.sampled_from(sorted(bought.pieces)))
    most, cents = bought.pieces[key]
    quantity = data.draw(st.integers(1, most))
    part = part_of(original, Reversed(), refund(1, lines={key: quantity}), clamp=False)
    rest = bought.points - sum(earned.values())
    expected = (earned[key] * quantity * bought.goods + rest * quantity * cents * most) // (most * bought.goods)
    assert part.points == {"points": bought.points if part.after.whole else expected}


def _uneven(bought: Bought, data: st.DataObject) -> Original:
    left, lines, plain = bought.points, dict[str, Line](), bought.original()
    for key, line in plain.facts.lines.items():
        points = data.draw(st.integers(0, left))
        left -= points
        lines[key] = replace(line, points={"points": points})
    return replace(plain, facts=replace(plain.facts, lines=lines))


STORIES = st.builds(
    Story,
    bought=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 999)), min_size=1, max_size=3),
    told=st.lists(st.tuples(st.sampled_from(FORMS), st.integers(0, 3000)), min_size=1, max_size=6),
    early=st.sets(st.integers(0, 5)),
    policy=st.sampled_from(["allow_negative", "clamp_with_debt", "refuse"]),
    owed=st.integers(0, 3),
)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(story=STORIES)
def test_a_book_is_the_same_whichever_of_the_reversals_come_before_the_accrual(
    memory_table: Table, story: Story
) -> None:
    """Each is refused by the same name in both, or posted with the same effect."""
    empty_table(memory_table)
    first, second = "mbr_early", "mbr_late"
    world = World(memory_table, of=program(reversal=story.policy)).enroll(first, second)
    amount = str(sum((line.amount.amount for line in story.lines), Decimal(0)))
    early, late = story.refunds
    for member in (first, second):
        _owe(world, member, story.owed)
    for one in early:
        assert isinstance(world.reversals.reverse(world.program, first, one), Kept)
    world.accrue("R-1", amount, member=first, lines=story.lines)
    page = world.reversals.page("acme", first, limit=100)
    refused = {one.refund.source_id: one.code for one in page.items} | _sent(world, first, late)
    world.accrue("R-1", amount, member=second, lines=story.lines)
    assert refused == _sent(world, second, [*early, *late])
    left, right = world.book(first), world.book(second)
    assert (left.wallets, left.qualifying, left.seq) == (right.wallets, right.qualifying, right.seq)
    since = 4 if story.owed else 0
    for mine, other in zip(world.entries(first)[since:], world.entries(second)[since:], strict=True):
        assert (mine.key, mine.movement, mine.facts) == (other.key, other.movement, other.facts)
    assert world.audit() == []


def _told(number: int, form: str, size: int, lines: int) -> Refund:
    when = NOON - timedelta(hours=1) + timedelta(minutes=number)
    forms: dict[str, dict[str, object]] = {
        "money": {"amount": eur(size)},
        "everything": {"everything": True},
        "line": {"lines": {str(size % lines): 1 + size % 2}},
        "lines": {"lines": {str(place): 1 for place in range(lines)}},
    }
    return Refund("pos", f"F-{number}", "R-1", when, **forms[form])  # type: ignore[arg-type]


def _owe(world: World, member: str, tens: int) -> None:
    """Below zero by so many tens, under a program that allows it."""
    if tens:
        lenient = World(world.table, clock=world.clock)
        lenient.accrue("R-0", str(10 * tens), member=member)
        lenient.capture(lenient.hold("k", "ten", tens, member=member)[0].redemption_id, member=member)
        lenient.refund("F-owed", "R-0", everything=True, member=member)


def _sent(world: World, member: str, refunds: list[Refund]) -> dict[str, str | None]:
    refused: dict[str, str | None] = {}
    for one in refunds:
        try:
            world.reversals.reverse(world.program, member, one)
        except LoyaltyError as refusal:
            refused[one.source_id] = refusal.code
    return refused
