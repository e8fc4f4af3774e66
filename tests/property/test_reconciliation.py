"""Random books with planted differences: each is found once, none is invented, and the totals are right to the cent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.money import Money, money_of
from loyalty.fulfillment.orders import Order
from loyalty.reconciliation.matching import compared, key_of
from loyalty.reconciliation.model import DifferenceKind
from loyalty.reconciliation.service import Tally
from loyalty.reconciliation.spill import Spill
from loyalty.suppliers.model import OrderState, Outcome, SupplierOrder
from tests.reconkit.orders import DAY, NOON, our, their

Planted = tuple[Order | None, Sequence[SupplierOrder], DifferenceKind | None]

CENT: Final = Money.of("0.01", "USD")
HOW: Final = (
    "matched",
    "missing_there",
    "missing_here",
    "stranger",
    "amount",
    "duplicate",
    "unsettled",
    "refused",
    "other_day",
    "taken_back",
    "stands_after_all",
)
_LATE: Final = {"other_day", "taken_back", "stands_after_all"}
"""Of other days, whose reports count them."""
_amounts = st.tuples(st.integers(1, 10_000_00), st.sampled_from(["USD", "EUR"]))
_minutes = st.integers(0, 24 * 60 - 1)


def _plant(number: int, how: str, amount: tuple[int, str], minute: int, late: int) -> Planted:
    """An order of both sides, and the difference that it has to be found with."""
    value = money_of(*amount)
    asked = NOON.replace(hour=minute // 60, minute=minute % 60)
    mine = our(number, asked_at=asked, value=value)
    listed = their(number, created_at=asked + timedelta(minutes=late), value=value)
    earlier = replace(mine, asked_at=asked - timedelta(days=1 + late), cancelled_at=asked)
    made_then = replace(listed, created_at=earlier.asked_at)
    more = replace(value, amount=value.amount + CENT.amount)
    return {
        "matched": (mine, [listed], None),
        "missing_there": (mine, [], DifferenceKind.MISSING_THERE),
        "missing_here": (replace(mine, outcome=Outcome.REFUSED), [listed], DifferenceKind.MISSING_HERE),
        "stranger": (None, [replace(listed, external_id=f"other-{number}", created_at=asked)], DifferenceKind.MISSING_HERE),
        "amount": (mine, [replace(listed, value=more)], DifferenceKind.AMOUNT),
        "duplicate": (mine, [listed, replace(listed, order_id=f"D{number}")], DifferenceKind.DUPLICATE),
        "unsettled": (replace(mine, outcome=Outcome.AMBIGUOUS, supplier_order_id=None), [listed], DifferenceKind.UNSETTLED),
        "refused": (replace(mine, outcome=Outcome.REFUSED), [replace(listed, state=OrderState.DEAD)], None),
        "other_day": (replace(mine, asked_at=asked + timedelta(days=1)), [replace(listed, created_at=asked + timedelta(days=1))], None),
        "taken_back": (earlier, [replace(made_then, state=OrderState.DEAD)], None),
        "stands_after_all": (earlier, [made_then], DifferenceKind.MISSING_HERE),
    }[how]  # fmt: skip


_books = st.lists(st.tuples(st.sampled_from(HOW), _amounts, _minutes, st.integers(0, 23 * 60)), max_size=25)


@given(books=_books, seed=st.randoms())
def test_each_planted_difference_is_found_once_and_none_is_invented(
    books: list[tuple[str, tuple[int, str], int, int]], seed: Random
) -> None:
    planted = [_plant(number, *one) for number, one in enumerate(books)]
    ours = [mine for mine, _, _ in planted if mine is not None]
    theirs = [one for _, listed, _ in planted for one in listed]
    for side in (ours, theirs):
        seed.shuffle(side)
    tally = Tally("tremendous", DAY)
    with Spill() as spill:
        spill.add_ours(ours)
        spill.add_theirs([*theirs, *theirs[:3]])  # pages that shifted show an order twice
        found = list(compared(spill.ours(), spill.theirs(), DAY))
    assert found == list(
        compared(sorted(ours, key=key_of), sorted(theirs, key=lambda one: (key_of(one), one.order_id)), DAY)
    )
    for line in found:
        tally.add(line)

    expected = Counter(kind for _, _, kind in planted if kind is not None)
    assert tally.differences == expected
    assert len({one.id for one in tally.items}) == expected.total()
    at_stake = Counter(one.external_id for one in tally.items)
    assert all(times == 1 for times in at_stake.values())

    of_the_day = [
        (mine, listed) for (mine, listed, _), (how, *_) in zip(planted, books, strict=True) if how not in _LATE
    ]
    issued = [mine for mine, _ in of_the_day if mine is not None and mine.outcome is Outcome.ISSUED]
    executed = [one for _, listed in of_the_day for one in listed if one.state is OrderState.EXECUTED]
    assert (tally.counts["ours"], tally.counts["theirs"]) == (len(issued), len(executed))
    assert tally.ours == _sums([one.value for one in issued])
    assert tally.theirs == _sums([one.value for one in executed if one.value is not None])


def _sums(amounts: Sequence[Money]) -> dict[str, Money]:
    cents: Counter[str] = Counter()
    for one in amounts:
        cents[one.currency] += int(one.amount * 100)
    return {currency: money_of(total, currency) for currency, total in cents.items()}
