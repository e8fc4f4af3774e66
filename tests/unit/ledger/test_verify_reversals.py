"""The proof of reversals: their share of an accrual, where it was taken from, and what the records say of it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from loyalty.core.money import Money
from loyalty.ledger.model import POINTS, EntryKind, Line
from tests.unit.ledger.forging import LATER, SOON, Forgery, codes
from tests.unit.ledger.test_verify_rules import nothing

K = EntryKind
EXPIRES = "2026-02-28T17:00:00Z"
OLD = "2026-02-28"
BUCKET = f"2026-01-24/{SOON}"
FROM_PENDING: dict[str, Any] = {"available": 0, "pending": -125, "lots": {}, "maturing": {BUCKET: -125}}
FROM_EXPIRED: dict[str, Any] = {"available": 0, "expired": -125, "lots": {}}


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


LINES = {"a": Line(2, eur("60.00")), "b": Line(1, eur("40.00"))}


def bought(lot: str = SOON, **says: Any) -> Forgery:
    """125 points for 100.00 EUR: two of line a for 60.00, one of line b for 40.00."""
    return nothing().earned("R-1", 125, lot, says={"amount": eur("100.00"), "lines": LINES, **says})


def back(
    forgery: Forgery,
    points: int,
    name: str = "F-1",
    *,
    money: str | None = None,
    lines: Mapping[str, Line] | None = None,
    **more: Any,
) -> Forgery:
    """A reversal of R-1; without money or lines, of everything."""
    worth = sum((line.amount.amount for line in (lines or {}).values()), start=eur("0").amount)
    amount = eur(money) if money else eur(str(worth)) if lines else None
    says = {"reverses": "accrual:pos:R-1", "amount": amount, "lines": lines or {}}
    counts = {"qualifying": {"2026": -points}}
    moves = {"available": -points, "issued": points, "lots": {SOON: -points}, "movement": counts, **more}
    return forgery.post(K.REVERSAL, name, says=says, **moves)


def said(forgery: Forgery, points: int, reversals: int = 1, *, wallet: str = POINTS, **more: Any) -> Forgery:
    return forgery.record("REVERSED#pos#R-1", points={wallet: points}, reversals=reversals, **more)


ONE_A = {"a": Line(1, eur("30.00"))}

HONEST: dict[str, Callable[[], Forgery]] = {
    # One of a: 30, and 30 % of the 50. All of b: 15, and 40 % of it. Half the money: half of all.
    "by a line that earned more than its share": lambda: said(back(uneven(), 45, lines=ONE_A), 45, lines={"a": 1}),
    "by a line that earned less": lambda: said(
        back(uneven(), 35, lines={"b": Line(1, eur("40.00"))}), 35, lines={"b": 1}
    ),
    "by money and by lines that earned unevenly": lambda: said(
        back(back(uneven(), 62, money="50.00"), 45, "F-2", lines=ONE_A), 107, 2, amount="50.00 EUR", lines={"a": 1}
    ),
    "a first purchase, all of it": lambda: first_of_its_kind(-1, whole=True),
    "a first purchase, a part of it": lambda: first_of_its_kind(None, whole=False),
    "by money": lambda: said(back(bought(), 41, money="33.33"), 41, amount="33.33 EUR"),
    "by money, of what was paid in all": lambda: said(
        back(bought(refund_basis=eur("125.00")), 33, money="33.33"), 33, amount="33.33 EUR"
    ),
    "by money, twice": lambda: said(
        back(back(bought(), 41, money="33.33"), 42, "F-2", money="33.33"), 83, 2, amount="66.66 EUR"
    ),
    "by lines": lambda: said(back(bought(), 37, lines=ONE_A), 37, lines={"a": 1}),
    "by money and by lines": lambda: said(
        back(back(bought(), 37, lines=ONE_A), 50, "F-2", money="40.00"), 87, 2, amount="40.00 EUR", lines={"a": 1}
    ),
    "by lines, all of one": lambda: said(back(bought(), 75, lines={"a": LINES["a"]}), 75, lines={"a": 2}),
    "by money, of a purchase that cost nothing": lambda: said(
        back(for_nothing(), 125, money="0.00"), 125, amount="0.00 EUR", whole=1
    ),
    "by lines, of a purchase that cost nothing": lambda: said(
        back(for_nothing(), 41, lines={"a": Line(1, eur("0.00"))}), 41, lines={"a": 1}
    ),
    "everything, after a part": lambda: said(
        back(back(bought(), 37, lines=ONE_A), 88, "F-2"), 125, 2, lines={"a": 1}, whole=1
    ),
    "nothing, of an accrual of nothing": lambda: said(
        back(nothing().earned("R-1", 0, says={"amount": eur("0.00")}), 0, movement={}), 0, whole=1
    ),
    "while it is pending": lambda: said(back(pending(), 125, **FROM_PENDING), 125, whole=1),
    "after it expired": lambda: said(back(expired(), 125, **FROM_EXPIRED), 125, whole=1, lapsed={POINTS: 125}).record(
        f"LAPSED#{POINTS}#{OLD}", points=125
    ),
    "spent, with a debt": lambda: said(
        back(bought(policy="clamp_with_debt").adjusted(-100), 125, available=-25, debt=-100, lots={SOON: -25}),
        125,
        whole=1,
    ),
    "spent, below zero": lambda: said(back(bought().adjusted(-100), 125, lots={SOON: -25}), 125, whole=1),
    "from its own lot, though another expires sooner": lambda: said(
        back(bought(LATER).earned("R-2", 9), 125, lots={LATER: -125}), 125, whole=1
    ),
    "from the lot that it matured into, though another expires sooner": lambda: said(
        back(matured().earned("R-2", 9), 125, lots={LATER: -125}), 125, whole=1
    ),
    "from its own lot, then from what expires first": lambda: said(
        back(
            bought(LATER).earned("R-2", 9).adjusted(-34, lots={SOON: -9, LATER: -25}).earned("R-3", 30),
            125,
            lots={LATER: -100, SOON: -25},
        ),
        125,
        whole=1,
    ),
}


def uneven(**more: Any) -> Forgery:
    """Of 125 points 60 were earned by both of a, 15 by b, and 50 by neither."""
    lines = {"a": Line(2, eur("60.00"), {POINTS: 60}), "b": Line(1, eur("40.00"), {POINTS: 15})}
    return bought(lines=lines, **more)


def first_of_its_kind(back_to: int | None, *, whole: bool) -> Forgery:
    """A purchase that was counted, and a reversal of 41 points, or of all, that takes so much of the count."""
    counted = nothing().earned(
        "R-1", 125, says={"amount": eur("100.00"), "activity": "purchase"},
        movement={"qualifying": {"2026": 125, "count.purchase/ever": 1}},
    )  # fmt: skip
    points, money = (125, None) if whole else (41, "33.33")
    count = {} if back_to is None else {"count.purchase/ever": back_to}
    reversed_ = back(counted, points, money=money, movement={"qualifying": {"2026": -points, **count}})
    return said(reversed_, points, amount=f"{money} EUR" if money else None, whole=1 if whole else None)


def pending() -> Forgery:
    moves: dict[str, Any] = {"available": 0, "pending": 125, "lots": {}, "maturing": {BUCKET: 125}}
    return nothing().earned("R-1", 125, says={"amount": eur("100.00")}, **moves)


def matured() -> Forgery:
    key = f"2026-01-24/{LATER}"
    moves: dict[str, Any] = {"available": 0, "pending": 125, "lots": {}, "maturing": {key: 125}}
    first = nothing().earned("R-1", 125, says={"amount": eur("100.00")}, **moves)
    moves = {"available": 125, "pending": -125, "lots": {LATER: 125}, "maturing": {key: -125}}
    return first.post(K.MATURITY, key, source=POINTS, on="2026-01-24", due="2026-01-23T17:00:00Z", **moves)


def for_nothing() -> Forgery:
    """125 points for being there: two of line a and one of line b, at no price."""
    lines = {"a": Line(2, eur("0.00")), "b": Line(1, eur("0.00"))}
    return bought(amount=eur("0.00"), lines=lines)


def expired() -> Forgery:
    """Its lot is over before anybody could be warned of it."""
    first = nothing().earned("R-1", 125, OLD, on="2026-02-22", says={"amount": eur("100.00")})
    return first.post(K.EXPIRY, OLD, source=POINTS, on=EXPIRES, available=-125, expired=125, lots={OLD: -125})


@pytest.mark.parametrize("history", HONEST)
def test_nothing_is_found_in_what_is_right(history: str) -> None:
    assert codes(HONEST[history]().items()) == []


PLANTED: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "of a line in proportion to its amount, which did not earn so": (
        lambda: said(back(uneven(), 37, lines=ONE_A), 37, lines={"a": 1}),
        ["reversal_share_wrong"],
    ),
    "of all of a first purchase, which stays counted": (
        lambda: first_of_its_kind(None, whole=True),
        ["qualifying_wrong"],
    ),
    "of a part of a first purchase, which is counted no more": (
        lambda: first_of_its_kind(-1, whole=False),
        ["qualifying_wrong"],
    ),
    "of more of a count than there was": (
        lambda: first_of_its_kind(-2, whole=True),
        ["qualifying_wrong", "qualifying_wrong"],
    ),
    "of nothing": (
        lambda: (
            nothing()
            .earned("R-2", 125)
            .post(K.REVERSAL, "F-1", available=-5, issued=5, lots={SOON: -5}, says={"reverses": "accrual:pos:R-1"})
        ),
        ["reversal_of_nothing"],
    ),
    "of more than it earned": (
        lambda: said(back(bought().earned("R-2", 9), 130), 130, whole=1),
        ["reversal_over_original", "reversal_share_wrong"],
    ),
    "in a wallet in which it earned nothing": (
        lambda: said(
            back(bought().earned("R-2", 1, wallet="stars"), 1, money="1.00", wallet="stars", movement={}),
            1,
            wallet="stars",
            amount="1.00 EUR",
        ),
        ["reversal_over_original", "reversal_share_wrong"],
    ),
    "of more of a line than was bought": (
        lambda: said(
            back(
                bought(),
                125,
                lines={"b": Line(2, eur("80.00"))},
            ),
            125,
            lines={"b": 2},
            whole=1,
        ),
        ["reversal_lines_over"],
    ),
    "of a line that was not bought": (
        lambda: said(back(bought(), 0, lines={"z": Line(1, eur("0.00"))}, movement={}), 0, lines={"z": 1}),
        ["reversal_lines_over"],
    ),
    "of more points than its share": (
        lambda: said(back(bought(), 42, money="33.33"), 42, amount="33.33 EUR"),
        ["reversal_share_wrong"],
    ),
    "of fewer points than its share": (
        lambda: said(back(bought(), 36, lines=ONE_A), 36, lines={"a": 1}),
        ["reversal_share_wrong"],
    ),
    "of everything but a point": (lambda: said(back(bought(), 124), 124, whole=1), ["reversal_share_wrong"]),
    "of everything, which the record does not say": (
        lambda: said(back(bought(), 125), 125),
        ["reversal_share_wrong"],
    ),
    "of all the money, which the record does not say": (
        lambda: said(back(bought(), 125, money="100.00"), 125, amount="100.00 EUR"),
        ["reversal_share_wrong"],
    ),
    "without a record": (lambda: back(bought(), 125), ["reversal_record_missing"]),
    "with a record of an accrual that there is not": (
        lambda: bought().record("REVERSED#pos#R-0", points={POINTS: 5}, reversals=1),
        ["reversal_record_without_accrual"],
    ),
    "with a record, and no reversal": (lambda: said(bought(), 5), ["reversal_record_without_reversal"]),
    "and the record forgets points": (
        lambda: said(back(bought(), 41, money="33.33"), 40, amount="33.33 EUR"),
        ["reversal_record_wrong"],
    ),
    "and the record forgets money": (
        lambda: said(back(bought(), 41, money="33.33"), 41, amount="33.32 EUR"),
        ["reversal_record_wrong"],
    ),
    "and the record forgets a line": (
        lambda: said(back(bought(), 37, lines=ONE_A), 37),
        ["reversal_record_wrong"],
    ),
    "and the record forgets one of two": (
        lambda: said(back(back(bought(), 41, money="33.33"), 42, "F-2", money="33.33"), 83, 1, amount="66.66 EUR"),
        ["reversal_record_wrong"],
    ),
    "and the record forgets what had expired": (
        lambda: said(back(expired(), 125, **FROM_EXPIRED), 125, whole=1).record(f"LAPSED#{POINTS}#{OLD}", points=125),
        ["reversal_record_wrong"],
    ),
    "from another lot than its own": (
        lambda: said(back(bought(LATER).earned("R-2", 200), 125), 125, whole=1),
        ["reversal_lots_wrong"],
    ),
    "from what expires last of the others": (
        lambda: said(
            back(
                bought(OLD).adjusted(-125, lots={OLD: -125}).earned("R-2", 9).earned("R-3", 125, LATER),
                125,
                lots={LATER: -125},
            ),
            125,
            whole=1,
        ),
        ["reversal_lots_wrong"],
    ),
    "from what can be spent, while it is pending": (
        lambda: said(back(pending().earned("R-2", 200), 125), 125, whole=1),
        ["reversal_lots_wrong"],
    ),
    "from pending points of another": (
        lambda: said(
            back(
                bought().earned("R-2", 125, available=0, pending=125, lots={}, maturing={BUCKET: 125}),
                125,
                **FROM_PENDING,
            ),
            125,
            whole=1,
        ),
        ["reversal_lots_wrong"],
    ),
    "with a debt that its policy does not make": (
        lambda: said(
            back(bought(policy="allow_negative").adjusted(-125), 125, available=0, debt=-125, lots={}), 125, whole=1
        ),
        ["reversal_policy_broken"],
    ),
    "below zero, where its policy makes a debt": (
        lambda: said(back(bought(policy="clamp_with_debt").adjusted(-125), 125, lots={}), 125, whole=1),
        ["reversal_policy_broken"],
    ),
    "below zero, which its policy refuses": (
        lambda: said(back(bought(policy="refuse").adjusted(-125), 125, lots={}), 125, whole=1),
        ["reversal_policy_broken"],
    ),
    "with a debt, which its policy refuses": (
        lambda: said(back(bought(policy="refuse").adjusted(-125), 125, available=0, debt=-125, lots={}), 125, whole=1),
        ["reversal_policy_broken"],
    ),
    "of expired points, without a record of them": (
        lambda: said(back(expired(), 125, **FROM_EXPIRED), 125, whole=1, lapsed={POINTS: 125}),
        ["lapsed_record_wrong"],
    ),
    "of expired points, of which the record says fewer": (
        lambda: said(back(expired(), 125, **FROM_EXPIRED), 125, whole=1, lapsed={POINTS: 125}).record(
            f"LAPSED#{POINTS}#{OLD}", points=124
        ),
        ["lapsed_record_wrong"],
    ),
    "of expired points, of a lot that did not expire": (
        lambda: said(back(expired(), 125, **FROM_EXPIRED), 125, whole=1, lapsed={POINTS: 125}).record(
            f"LAPSED#{POINTS}#2026-01-31", points=125
        ),
        ["lapsed_over_expired"],
    ),
    "of more expired points than there were": (
        lambda: said(back(expired().earned("R-2", 9), 125, **FROM_EXPIRED), 125, whole=1, lapsed={POINTS: 125}).record(
            f"LAPSED#{POINTS}#{OLD}", points=126
        ),
        ["lapsed_over_expired", "lapsed_record_wrong"],
    ),
    "of no expired points, with a record of them": (
        lambda: expired().record(f"LAPSED#{POINTS}#{OLD}", points=1),
        ["lapsed_record_wrong"],
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(planted: str) -> None:
    forged, expected = PLANTED[planted]
    assert codes(forged().items()) == sorted(expected)
