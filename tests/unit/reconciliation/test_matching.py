"""Both sides' words for an order, and what is made of them: by hand, case by case."""

from datetime import timedelta
from typing import Any, Final

import pytest

from loyalty.core.money import Money
from loyalty.fulfillment.orders import Order
from loyalty.reconciliation.matching import Line, compared, key_of
from loyalty.reconciliation.model import DifferenceKind
from loyalty.suppliers.model import OrderState, Outcome, SupplierOrder
from tests.reconkit.orders import DAY, MONEY, NOON, our, their

USD: Final = Money.of
LATE: Final = NOON.replace(hour=23, minute=59)
K = DifferenceKind


def lines(ours: list[Order], theirs: list[SupplierOrder]) -> list[Line]:
    return list(compared(sorted(ours, key=key_of), sorted(theirs, key=key_of), DAY))


def kinds(ours: list[Order], theirs: list[SupplierOrder]) -> list[str]:
    return [line.kind or ("matched" if line.agreed else "nothing") for line in lines(ours, theirs)]


CANCELLED = {"cancelled_at": NOON + timedelta(hours=1)}
VERDICTS: Final[list[tuple[dict[str, Any], list[str]]]] = [
    # what we know                                        executed        pending         dead         not listed
    ({"outcome": Outcome.ISSUED},                        ["matched",      "unsettled",    "unsettled", "missing_there"]),
    ({"outcome": Outcome.PENDING},                       ["unsettled",    "matched",      "unsettled", "unsettled"]),
    ({"outcome": Outcome.AMBIGUOUS},                     ["unsettled",    "unsettled",    "unsettled", "unsettled"]),
    ({"outcome": Outcome.REFUSED},                       ["missing_here", "unsettled",    "matched",   "nothing"]),
    ({"outcome": Outcome.ISSUED, **CANCELLED},           ["missing_here", "unsettled",    "matched",   "nothing"]),
]  # fmt: skip


@pytest.mark.parametrize(("known", "expected"), VERDICTS)
def test_what_we_know_against_what_they_say(known: dict[str, Any], expected: list[str]) -> None:
    order = our(1, **known)
    listed = [[their(1, state=state)] for state in (OrderState.EXECUTED, OrderState.PENDING, OrderState.DEAD)]
    assert [kinds([order], theirs) for theirs in [*listed, []]] == [[kind] for kind in expected]


@pytest.mark.parametrize(
    ("mine", "listed", "differs"),
    [
        ({}, {"value": USD("10.01", "USD")}, (MONEY, USD("10.01", "USD"))),
        ({}, {"value": USD("10.00", "EUR")}, (MONEY, USD("10.00", "EUR"))),
        ({"cost": USD("9.50", "USD")}, {"cost": USD("9.51", "USD")}, (USD("9.50", "USD"), USD("9.51", "USD"))),
        ({"cost": USD("9.50", "USD")}, {"cost": USD("9.50", "USD")}, None),
        ({"cost": USD("9.50", "USD")}, {}, None),
        ({}, {"value": None, "cost": USD("9.50", "USD")}, None),
    ],
)
def test_amounts_are_compared_where_both_say_them(
    mine: dict[str, Any], listed: dict[str, Any], differs: tuple[Money, Money] | None
) -> None:
    (line,) = lines([our(1, **mine)], [their(1, **listed)])
    one = line.difference("tremendous", DAY)
    assert (None if one is None else (one.kind, one.ours, one.theirs)) == (
        None if differs is None else (K.AMOUNT, *differs)
    )


def test_what_is_none_of_ours_is_missing_here_unless_it_came_to_nothing() -> None:
    strangers = [their(1), their(2, external_id=None), their(3, external_id=None), their(4, state=OrderState.DEAD)]
    found = [line.difference("tremendous", DAY) for line in lines([], strangers)]
    assert [(one.kind, one.id, one.theirs) for one in found if one] == [
        (K.MISSING_HERE, "missing_here:S2", MONEY), (K.MISSING_HERE, "missing_here:S3", MONEY),
        (K.MISSING_HERE, "missing_here:S1", MONEY),
    ]  # fmt: skip


def test_the_order_that_we_know_is_matched_and_every_other_under_its_key_is_a_duplicate() -> None:
    earlier = their(1, order_id="S0", created_at=NOON - timedelta(minutes=1))
    dead = their(1, order_id="S9", state=OrderState.DEAD)
    again = their(1, order_id="S2")
    (first, *others) = lines([our(1)], [earlier, their(1), dead, again])
    assert (first.agreed, first.theirs and first.theirs.order_id) == (True, "S1")
    assert [(line.kind, line.theirs and line.theirs.order_id) for line in others] == [
        (K.DUPLICATE, "S0"), (K.DUPLICATE, "S2"),
    ]  # fmt: skip


def test_an_order_belongs_to_the_day_on_which_it_was_asked_for() -> None:
    after_midnight = their(1, created_at=NOON + timedelta(hours=13))
    before = our(2, asked_at=LATE - timedelta(days=1))
    assert kinds([our(1, asked_at=LATE)], [after_midnight]) == ["matched"]
    assert kinds([before], [their(2)]) == [], "it is matched in the report of the day before"
    assert kinds([our(3, asked_at=NOON + timedelta(days=1))], []) == [], "it is that day's"
    assert kinds([], [after_midnight]) == [], "it is the next day's, if it is anybody's"


def test_a_second_order_made_days_later_is_a_duplicate_of_the_day_on_which_it_was_made() -> None:
    ours = our(1, asked_at=NOON - timedelta(days=4))
    assert kinds([ours], [their(1, order_id="S2")]) == ["duplicate"]
    assert kinds([ours], [their(1)]) == [], "the same order, made late, is that earlier day's"


def test_streams_that_are_not_sorted_are_refused() -> None:
    with pytest.raises(ValueError, match="sorted"):
        list(compared([our(2), our(1)], [], DAY))


ENDED: Final[list[tuple[dict[str, Any], list[str]]]] = [
    # how it ended on the day                                       executed        pending      dead       not listed
    ({"outcome": Outcome.ISSUED, "cancelled_at": NOON},           ["missing_here", "unsettled", "matched", "nothing"]),
    ({"outcome": Outcome.REFUSED, "settled_at": NOON},            ["missing_here", "unsettled", "matched", "nothing"]),
    # or did not, or ended on another day
    ({"outcome": Outcome.ISSUED, "settled_at": NOON},             []),
    ({"outcome": Outcome.ISSUED, "cancelled_at": NOON - timedelta(days=1)}, []),
]  # fmt: skip


@pytest.mark.parametrize("days", [1, 20])
@pytest.mark.parametrize(("ended", "expected"), ENDED)
def test_what_ended_on_a_later_day_is_compared_on_that_day_too_and_counts_on_its_own(
    ended: dict[str, Any], expected: list[str], days: int
) -> None:
    asked = NOON - timedelta(days=days)
    order = our(1, asked_at=asked, **ended)
    states = (OrderState.EXECUTED, OrderState.PENDING, OrderState.DEAD)
    listed = [[their(1, state=state, created_at=asked)] for state in states]
    found = [lines([order], theirs) for theirs in [*listed, []]]
    assert [line.kind or ("matched" if line.agreed else "nothing") for each in found for line in each] == expected
    assert not any(line.stands_there or line.our_worth for each in found for line in each)


def test_of_an_order_that_was_taken_back_late_the_one_we_know_is_meant() -> None:
    order = our(1, asked_at=NOON - timedelta(days=9), cancelled_at=NOON)
    known, again = their(1, state=OrderState.DEAD), their(1, order_id="S2")
    assert kinds([order], [known, again]) == ["matched", "duplicate"]
    assert kinds([order], [again]) == ["missing_here"], "and not a duplicate as well"
