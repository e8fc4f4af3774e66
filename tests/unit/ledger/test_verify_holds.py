"""The proof of holds: each ends once, by its own points, which come back to their lots; and its redemption says so."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.ledger.model import EntryKind
from tests.unit.ledger.forging import LATER, SOON, Forgery, codes
from tests.unit.ledger.test_verify_rules import two_lots

K = EntryKind
UNTIL = "2026-01-10T04:00:00.000Z"
LOTS = {SOON: 100, LATER: 10}
MAY = "2026-05-05"
"""Long after the lot SOON: ten days of grace later is the 15th, and the end of that month the 31st."""


def held(**says: Any) -> Forgery:
    return two_lots().held(110, LOTS, **says)


def captured(points: int = 110, **says: Any) -> Forgery:
    """Captured in part: what expires first is spent, the rest comes back."""
    back = {lot: left for lot, left in ((SOON, max(100 - points, 0)), (LATER, 110 - max(points, 100))) if left}
    forgery = held(**{"status": "captured", "captured_points": points, **says})
    return forgery.ended(K.CAPTURE, back, held=-110, redeemed=points)


def cancelled(forgery: Forgery, points: int = 110, lots: dict[str, int] | None = None, **more: Any) -> Forgery:
    moves = {"available": points, "redeemed": -points, "lots": LOTS if lots is None else lots, **more}
    return forgery.post(K.CANCELLATION, "rdm_1", source="redemption", says={"redemption_id": "rdm_1"}, **moves)


def expiring(forgery: Forgery) -> Forgery:
    """Warned of in time; what is left of the lot SOON, if anything, expires."""
    left = forgery.wallet().lots.get(SOON, 0)
    if left:
        warned = {"lot": SOON, "lot_points": left}
        forgery.post(K.WARNING, f"{SOON}/7", source="points", on="2026-03-23T17:00:00Z", says=warned)
        moves: dict[str, Any] = {"available": -left, "expired": left, "lots": {SOON: -left}}
        forgery.post(K.EXPIRY, SOON, source="points", on="2026-03-31T17:00:00Z", **moves)
    return forgery


def pinned(**says: Any) -> Forgery:
    """A hold in the stars, of which the points know nothing."""
    forgery = two_lots().earned("S-1", 7, wallet="stars").earned("S-2", 9, LATER, wallet="stars")
    return forgery.held(9, {SOON: 7, LATER: 2}, **{"of": "stars", "reward": "pin", **says})


def unpinned(kind: EntryKind, back: dict[str, int], *, of: str = "stars", **more: Any) -> Forgery:
    """The same after an end, of which its redemption says what it should."""
    status = {K.CAPTURE: "captured", K.RELEASE: "released", K.TIMEOUT: "held"}[kind]
    says = {"captured_points": more["redeemed"]} if kind is K.CAPTURE else {}
    until = {"until": UNTIL} if kind is K.TIMEOUT else {}
    return pinned(status=status, **says, **until).ended(kind, back, wallet=of, **more)


HONEST: dict[str, Callable[[], Forgery]] = {
    "held": held,
    "released": lambda: held(status="released").ended(K.RELEASE, LOTS),
    "timed out": lambda: held(until=UNTIL).ended(K.TIMEOUT, LOTS, on=UNTIL),
    "captured": captured,
    "captured in part": lambda: captured(30),
    "captured all of one lot": lambda: captured(100),
    "captured but for a point": lambda: captured(109),
    "cancelled": lambda: cancelled(captured(status="cancelled")),
    "cancelled after a part was captured": lambda: cancelled(captured(30, status="cancelled"), 30, {SOON: 30}),
    "released with grace": lambda: expiring(held(status="released")).ended(
        K.RELEASE, {"2026-05-31": 100, LATER: 10}, on=MAY
    ),
    "released late, and as if it had been in time": lambda: expiring(held(status="released")).ended(
        K.RELEASE, {"2026-05-31": 100, LATER: 10}, on=MAY, due="2026-01-11"
    ),
    "cancelled with grace": lambda: cancelled(
        expiring(captured(status="cancelled")), lots={"2026-05-31": 100, LATER: 10}, on=MAY
    ),
    "held in a further wallet": pinned,
    "held there with a time-out": lambda: pinned(until=UNTIL),
    "timed out there": lambda: unpinned(K.TIMEOUT, {SOON: 7, LATER: 2}, on=UNTIL),
    "released there": lambda: unpinned(K.RELEASE, {SOON: 7, LATER: 2}),
    "released there, with the grace of that wallet": lambda: expiring(pinned(status="released")).ended(
        K.RELEASE, {LATER: 9}, wallet="stars", on=MAY
    ),
    "captured in part there, and cancelled": lambda: (
        unpinned(K.CAPTURE, {LATER: 1}, held=-9, redeemed=8)
        .record(
            "REDEMPTION#rdm_1",
            status="cancelled",
            points=9,
            lots={SOON: 7, LATER: 2},
            captured_points=8,
            wallet="stars",
        )
        .post(
            K.CANCELLATION,
            "rdm_1",
            source="redemption",
            says={"redemption_id": "rdm_1"},
            wallet="stars",
            available=8,
            redeemed=-8,
            lots={SOON: 7, LATER: 1},
        )
    ),
    "released, and what expires first pays what was owed": lambda: (
        held(status="released")
        .adjusted(-40, lots={LATER: -40})
        .reversed(100, lots={})
        .ended(K.RELEASE, {LATER: 10}, available=110, held=-110)
    ),
}


@pytest.mark.parametrize("history", HONEST)
@pytest.mark.parametrize("known", [True, False], ids=["program known", "program unknown"])
def test_nothing_is_found_in_what_is_right(history: str, known: bool) -> None:
    items = HONEST[history]().items()
    assert codes(items) == [] if known else codes(items, None) == []


PLANTED: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "of stars, and released with the grace of points": (
        lambda: expiring(pinned(status="released")).ended(
            K.RELEASE, {"2026-05-31": 7, LATER: 2}, wallet="stars", on=MAY
        ),
        ["end_to_other_lots"],
    ),
    "of points, and its reward costs stars": (
        lambda: two_lots().held(9, {SOON: 9}, reward="pin"),
        ["hold_in_other_wallet"],
    ),
    "of stars, and its reward costs points": (lambda: pinned(reward="coffee"), ["hold_in_other_wallet"]),
    "of stars, and its redemption says points": (lambda: pinned(wallet=None), ["redemption_wrong"]),
    "of stars, and released into points": (
        lambda: pinned(status="released").held_of("rdm_2", {SOON: 9}).ended(K.RELEASE, {SOON: 7, LATER: 2}),
        ["end_in_other_wallet"],
    ),
    "released, and its point stays where it is": (
        lambda: two_lots().held(1, {SOON: 1}, status="released").ended(K.RELEASE, {}),
        ["end_of_other_amount"],
    ),
    "released, and never held": (
        lambda: (
            two_lots()
            .earned("R-3", 9)
            .post(K.HOLD, "rdm_2", source="redemption", available=-9, held=9, lots={SOON: -9})
            .record("REDEMPTION#rdm_2", status="held", points=9, lots={SOON: 9})
            .ended(K.RELEASE, {SOON: 9})
        ),
        ["end_without_hold"],
    ),
    "captured and released": (
        lambda: captured().earned("R-3", 110).held_of("rdm_2", {SOON: 110}).ended(K.RELEASE, LOTS),
        ["hold_ended_twice"],
    ),
    "timed out and released": (
        lambda: held(until=UNTIL).ended(K.TIMEOUT, LOTS, on=UNTIL).held_of("rdm_2", LOTS).ended(K.RELEASE, LOTS),
        ["hold_ended_twice"],
    ),
    "half of it released": (
        lambda: held(status="released").ended(K.RELEASE, {SOON: 100}),
        ["end_of_other_amount"],
    ),
    "released to a lot that lives longer": (
        lambda: held(status="released").ended(K.RELEASE, {LATER: 110}),
        ["end_to_other_lots"],
    ),
    "released to a lot of nobody's": (
        lambda: held(status="released").ended(K.RELEASE, {SOON: 100, "2027-12-31": 10}),
        ["end_to_other_lots"],
    ),
    "released with a month of grace too many": (
        lambda: expiring(held(status="released")).ended(K.RELEASE, {"2026-06-30": 110}, on=MAY),
        ["end_to_other_lots"],
    ),
    "released with grace that ends in the midst of a month": (
        lambda: expiring(held(status="released")).ended(K.RELEASE, {"2026-05-15": 100, LATER: 10}, on=MAY),
        ["end_to_other_lots"],
    ),
    "captured in part, from what expires last": (
        lambda: held(status="captured", captured_points=10).ended(K.CAPTURE, {SOON: 100}, held=-110, redeemed=10),
        ["end_to_other_lots"],
    ),
    "cancelled, and never captured": (
        lambda: cancelled(held(status="cancelled").held_of("rdm_2", {LATER: 5})),
        ["cancellation_without_capture"],
    ),
    "cancelled, and released": (
        lambda: cancelled(held(status="cancelled").ended(K.RELEASE, LOTS)),
        ["cancellation_without_capture"],
    ),
    "cancelled of more than was captured": (
        lambda: cancelled(captured(30, status="cancelled"), 31, {SOON: 31}),
        ["cancellation_of_other_amount"],
    ),
    "cancelled to another lot": (
        lambda: cancelled(captured(status="cancelled"), lots={LATER: 110}),
        ["end_to_other_lots"],
    ),
    "held, without a redemption": (lambda: held().without("REDEMPTION#rdm_1"), ["redemption_missing"]),
    "a redemption that was never held": (
        lambda: two_lots().record("REDEMPTION#rdm_1", status="held", points=9, lots={SOON: 9}),
        ["redemption_without_hold"],
    ),
    "captured, and the redemption is open": (
        lambda: captured().record("REDEMPTION#rdm_1", status="held", points=110, lots=LOTS),
        ["redemption_wrong"],
    ),
    "open, and the redemption is captured": (
        lambda: held(status="captured", captured_points=110),
        ["redemption_wrong"],
    ),
    "captured, and the redemption is cancelled": (
        lambda: captured(status="cancelled"),
        ["redemption_wrong"],
    ),
    "cancelled, and the redemption is captured": (lambda: cancelled(captured()), ["redemption_wrong"]),
    "timed out, and the redemption is released": (
        lambda: held(until=UNTIL, status="released").ended(K.TIMEOUT, LOTS, on=UNTIL),
        ["redemption_wrong"],
    ),
    "a redemption of other points": (
        lambda: held().record("REDEMPTION#rdm_1", status="held", points=111, lots=LOTS),
        ["redemption_wrong"],
    ),
    "a redemption of other lots": (
        lambda: held().record("REDEMPTION#rdm_1", status="held", points=110, lots={LATER: 110}),
        ["redemption_wrong"],
    ),
    "a redemption of which more was captured": (lambda: captured(30, captured_points=31), ["redemption_wrong"]),
    "a redemption that times out at another moment": (
        lambda: held(until=UNTIL, expires_at="2026-01-10T05:00:00.000Z"),
        ["redemption_wrong"],
    ),
    "a redemption that does not say when it times out": (
        lambda: held(until=UNTIL, expires_at=None),
        ["redemption_wrong"],
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(planted: str) -> None:
    forged, expected = PLANTED[planted]
    assert codes(forged().items()) == expected
