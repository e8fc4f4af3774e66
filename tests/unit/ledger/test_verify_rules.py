"""The proof of what each kind of entry may do: nothing is found in what is right, and one finding in each that is not."""

from collections.abc import Callable

import pytest

from loyalty.ledger.model import POINTS, Account, Change, EntryKind
from tests.unit.ledger.forging import LATER, SOON, Forgery, codes

K = EntryKind
MATURING = f"2026-01-24/{SOON}"
EXPIRES = "2026-03-31T17:00:00Z"


def nothing() -> Forgery:
    return Forgery()


def earned() -> Forgery:
    return Forgery().earned("R-1", 100)


def two_lots() -> Forgery:
    return earned().earned("R-2", 50, LATER)


def stars() -> Forgery:
    return Forgery().earned("R-1", 7, wallet="stars")


HONEST: dict[str, Callable[[], Forgery]] = {
    "nothing": nothing,
    "an accrual": earned,
    "an accrual of nothing": lambda: nothing().earned("R-1", 0),
    "pending points": lambda: nothing().earned("D-1", 9, available=0, pending=9, lots={}, maturing={MATURING: 9}),
    "points of another wallet": stars,
    "an adjustment up": lambda: nothing().adjusted(5),
    "an adjustment down": lambda: earned().adjusted(-5),
    "a hold": lambda: two_lots().held(101, {SOON: 100, LATER: 1}),
    "a hold with a time-out": lambda: two_lots().held(101, {SOON: 100, LATER: 1}, until="2026-01-10T04:00:00.000Z"),
    "a reversal of spendable points": lambda: earned().reversed(100),
    "a renewal": lambda: stars().post(
        K.RENEWAL, "accrual:pos:R-1", source="stars", wallet="stars", lots={SOON: -7, LATER: 7}
    ),
    "a renewal of a single point": lambda: (
        nothing()
        .earned("R-1", 1, wallet="stars")
        .post(K.RENEWAL, "accrual:pos:R-1", source="stars", wallet="stars", lots={SOON: -1, LATER: 1})
    ),
    "a tier": lambda: (
        earned()
        .record("MEMBER", entry_tier="bronze")
        .post(K.TIER, "R-1", movement={"changes": {}, "tier": "silver"}, says={"tier_from": "bronze"})
    ),
    "a debt, and what pays it": lambda: (
        nothing()
        .earned("R-1", 100, says={"policy": "clamp_with_debt"})
        .adjusted(-60)
        .reversed(100, available=-40, debt=-60, lots={SOON: -40})
        .earned("R-2", 70, available=10, debt=60, lots={SOON: 10})
    ),
    "a balance below zero, and what raises it": lambda: (
        earned()
        .adjusted(-60)
        .reversed(100, lots={SOON: -40})
        .earned("R-2", 50, lots={})
        .earned("R-3", 20, lots={SOON: 10})
    ),
}


@pytest.mark.parametrize("history", HONEST)
@pytest.mark.parametrize("known", [True, False], ids=["program known", "program unknown"])
def test_nothing_is_found_in_what_is_right(history: str, known: bool) -> None:
    items = HONEST[history]().items()
    assert codes(items) == [] if known else codes(items, None) == []


RULES: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "an accrual out of what was redeemed": (
        lambda: nothing().post(K.ACCRUAL, "R-1", available=5, redeemed=-5, lots={SOON: 5}),
        ["accounts_wrong"],
    ),
    "an accrual that takes points": (lambda: earned().earned("R-2", -5), ["direction_wrong"] * 3),
    "a hold that gives a lot": (
        lambda: two_lots().held(10, {SOON: 100, LATER: -90}),
        ["direction_wrong"],
    ),
    "an adjustment that gives one lot and takes another": (
        lambda: two_lots().adjusted(-10, lots={SOON: -100, LATER: 90}),
        ["direction_wrong"],
    ),
    "a renewal that moves pending points": (
        lambda: (
            stars()
            .earned("R-2", 9, wallet="stars", available=0, pending=9, lots={}, maturing={MATURING: 9})
            .post(
                K.RENEWAL,
                "accrual:pos:R-2",
                source="stars",
                wallet="stars",
                lots={SOON: -7, LATER: 7},
                maturing={MATURING: -9, f"2026-01-24/{LATER}": 9},
            )
        ),
        ["direction_wrong"] * 2,
    ),
    "a hold in two wallets": (
        lambda: (
            two_lots()
            .earned("R-3", 7, wallet="stars")
            .held(1, {SOON: 1})
            .post(
                K.HOLD,
                "rdm_2",
                source="redemption",
                movement={
                    "changes": {
                        name: Change({Account.AVAILABLE: -1, Account.HELD: 1}, {SOON: -1}) for name in (POINTS, "stars")
                    }
                },
            )
            .record("REDEMPTION#rdm_2", status="held", points=1, lots={SOON: 1})
        ),
        ["wallets_wrong"],
    ),
    "a hold in no wallet": (
        lambda: (
            two_lots()
            .post(K.HOLD, "rdm_1", source="redemption", movement={"changes": {}})
            .record("REDEMPTION#rdm_1", status="held", points=0, lots={})
        ),
        ["wallets_wrong"],
    ),
    "an expiry in another wallet than it names": (
        lambda: (
            stars()
            .earned("R-2", 5, wallet="cash")
            .post(
                K.EXPIRY,
                SOON,
                source="stars",
                on=EXPIRES,
                movement={
                    "changes": {
                        "stars": Change({Account.AVAILABLE: -7, Account.EXPIRED: 7}, {SOON: -7}),
                        "cash": Change({Account.AVAILABLE: -5, Account.EXPIRED: 5}, {SOON: -5}),
                    }
                },
            )
        ),
        ["wallets_wrong"],
    ),
    "a tier that moves points": (
        lambda: earned().post(K.TIER, "R-1", movement={"tier": "silver"}, says={"tier_from": "bronze"}),
        ["wallets_wrong"],
    ),
    "a hold of another redemption than its identity": (
        lambda: (
            earned()
            .post(
                K.HOLD,
                "rdm_2",
                source="redemption",
                available=-9,
                held=9,
                lots={SOON: -9},
                says={"redemption_id": "rdm_1"},
            )
            .record("REDEMPTION#rdm_1", status="held", points=9, lots={SOON: 9})
        ),
        ["identity_wrong"],
    ),
    "a transfer to nobody": (
        lambda: earned().post(K.TRANSFER_OUT, "trf_1", available=-9, transferred=9, lots={SOON: -9}),
        ["identity_wrong"],
    ),
    "an adjustment that counts towards a tier": (
        lambda: nothing().adjusted(5, movement={"qualifying": {"2026": 5}}),
        ["qualifying_wrong"],
    ),
    "an accrual that counts for more": (
        lambda: nothing().earned("R-1", 5, movement={"qualifying": {"2026": 500}}),
        ["qualifying_wrong"],
    ),
    "an accrual that counts in another year": (
        lambda: nothing().earned("R-1", 5, movement={"qualifying": {"2025": 5}}),
        ["qualifying_wrong"],
    ),
    "an accrual of another wallet that counts": (
        lambda: nothing().earned("R-1", 5, wallet="stars", movement={"qualifying": {"2026": 5}}),
        ["qualifying_wrong"],
    ),
    "a reversal after which it counts still": (
        lambda: earned().reversed(100, movement={"qualifying": {}}),
        ["qualifying_wrong"],
    ),
    "a reversal of what counted in another year": (
        lambda: earned().reversed(100, movement={"qualifying": {"2025": -100}}),
        ["qualifying_wrong"],
    ),
}


@pytest.mark.parametrize("planted", RULES)
def test_what_a_kind_may_not_do_is_found_and_nothing_else(planted: str) -> None:
    forged, expected = RULES[planted]
    assert codes(forged().items()) == expected
