"""The proof of what is kept beside the entries: adjustments, reversals that wait; and of what cannot be read at all."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.core.money import Money
from loyalty.ledger.model import POINTS, EntryKind
from tests.unit.ledger.forging import SOON, Forger, Forgery, codes, typed
from tests.unit.ledger.test_verify_pairs import gone, member, taken, together
from tests.unit.ledger.test_verify_rules import earned, nothing

K = EntryKind


def adjustment(forgery: Forgery, name: str = "adj_0", **says: Any) -> Forgery:
    told = {"status": "posted", "points": 5, "wallet": POINTS, "posted_to": "mbr_x"}
    return forgery.record(f"ADJUSTMENT#{name}", **{**told, "reason": "goodwill", "actor": "staff-1", **says})


def waiting(forgery: Forgery, refund: str = "F-1", of: str = "R-9", **says: Any) -> Forgery:
    return forgery.record(f"WAITING#pos#{refund}", accrual_source_id=of, **says)


def awaited(forgery: Forgery, *refunds: str, of: str = "R-9") -> Forgery:
    return forgery.record(f"AWAITED#pos#{of}", refunds=set(refunds), version=1)


def saying(forgery: Forgery, **says: Any) -> Forgery:
    forgery.book_says |= says
    return forgery


def many_waiting(count: int) -> Forgery:
    forgery = awaited(nothing(), *(f"F-{number}" for number in range(count)))
    for number in range(count):
        waiting(forgery, f"F-{number}")
    return forgery


USED = {
    "cap|points|rule:r|2026-01-10|points": 9,
    "cap|points|rule:r|2026-01-10|times": 1,
    "cap|points|rule:r|ever|points": 9,
}


def capped(points: int | None, *, times: int = 1, ever: int = 9, whole: bool = False, back: int = 0) -> Forgery:
    """9 points that caps count, of which reversals took some back; and what the counts say."""
    forgery = nothing().earned("R-1", 9, says={"used": USED, "amount": Money.of("9.00", "EUR")})
    if back:
        says = {"reverses": "accrual:pos:R-1", "amount": Money.of(f"{back}.00", "EUR")}
        moves: dict[str, Any] = {"available": -back, "issued": back, "lots": {SOON: -back}}
        forgery.post(K.REVERSAL, "F-1", says=says, movement={"qualifying": {"2026": -back}}, **moves)
        forgery.record(
            "REVERSED#pos#R-1", points={POINTS: back}, reversals=1, amount=f"{back}.00 EUR", whole=1 if whole else None
        )
    if points is not None:
        forgery.record("CAPS#2026-01-10", used={"rule:r|points": points, "rule:r|times": times}, version=1)
    return forgery.record("CAPS#ever", used={"rule:r|points": ever}, version=1)


HONEST: dict[str, Callable[[], Forgery]] = {
    "what caps count": lambda: capped(9),
    "what caps count, less what was taken back": lambda: capped(5, ever=5, back=4),
    "what caps count, of an accrual that is no more": lambda: capped(0, times=0, ever=0, back=9, whole=True),
    "an adjustment": lambda: nothing().adjusted(5),
    "an adjustment of nothing": lambda: nothing().adjusted(0, adjusted=0, lots={}),
    "a proposed adjustment": lambda: adjustment(nothing(), status="proposed", posted_to=None),
    "a rejected adjustment": lambda: adjustment(nothing(), status="rejected", posted_to=None, decided_by="staff-2"),
    "an approved adjustment": lambda: adjustment(
        nothing().adjusted(5, says={"reason": "goodwill", "actor": "staff-1", "approved_by": "staff-2"}),
        decided_by="staff-2",
    ),
    "a reversal that waits": lambda: awaited(waiting(nothing()), "F-1"),
    "reversals that wait": lambda: awaited(waiting(waiting(nothing()), "F-2"), "F-1", "F-2"),
    "as many reversals as may wait": lambda: many_waiting(20),
    "a reversal that was refused": lambda: waiting(nothing().earned("R-9", 5), code="currency_mismatch"),
    "what a household's partition has": lambda: nothing().record("HOUSEHOLD", members={}, head="mbr_1", version=1),
    "what is nobody's business": lambda: nothing().record("LIMIT#transfer#2026-01-10", moved={POINTS: 5}),
}


@pytest.mark.parametrize("history", HONEST)
def test_nothing_is_found_in_what_is_right(history: str) -> None:
    assert codes(HONEST[history]().items()) == []


PLANTED: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "caps count more than was used": (lambda: capped(10), ["caps_wrong"]),
    "caps count less": (lambda: capped(8), ["caps_wrong"]),
    "caps count another number of times": (lambda: capped(9, times=2), ["caps_wrong"]),
    "caps count nothing": (lambda: capped(None), ["caps_wrong"]),
    "caps still count what was taken back": (lambda: capped(9, ever=5, back=4), ["caps_wrong"]),
    "caps forget a time that was taken back in part": (lambda: capped(5, times=0, ever=5, back=4), ["caps_wrong"]),
    "caps count what nobody used": (
        lambda: nothing().record("CAPS#ever", used={"rule:r|points": 1}, version=1),
        ["caps_wrong"],
    ),
    "an adjustment that nobody asked for": (
        lambda: nothing().adjusted(5).without("ADJUSTMENT#adj_0"),
        ["adjustment_without_record"],
    ),
    "an adjustment that was never posted": (lambda: adjustment(nothing()), ["adjustment_missing"]),
    "an adjustment that was posted to another": (
        lambda: adjustment(nothing().adjusted(5), posted_to="mbr_y"),
        ["adjustment_missing"],
    ),
    "an adjustment that was rejected, and posted": (
        lambda: adjustment(nothing().adjusted(5), status="rejected", decided_by="staff-2"),
        ["adjustment_wrong"],
    ),
    "an adjustment that is still proposed, and posted": (
        lambda: adjustment(nothing().adjusted(5), status="proposed"),
        ["adjustment_wrong"],
    ),
    "an adjustment of other points": (lambda: adjustment(nothing().adjusted(5), points=6), ["adjustment_wrong"]),
    "an adjustment of another wallet": (lambda: adjustment(nothing().adjusted(5), wallet="cash"), ["adjustment_wrong"]),
    "an adjustment for another reason": (lambda: adjustment(nothing().adjusted(5), reason="fun"), ["adjustment_wrong"]),
    "an adjustment by another person": (lambda: adjustment(nothing().adjusted(5), actor="you"), ["adjustment_wrong"]),
    "an adjustment whose approval the entry does not tell": (
        lambda: adjustment(nothing().adjusted(5), decided_by="staff-2"),
        ["adjustment_wrong"],
    ),
    "an adjustment that one person asked for and approved": (
        lambda: adjustment(
            nothing().adjusted(5, says={"reason": "goodwill", "actor": "staff-1", "approved_by": "STAFF-1"}),
            decided_by="STAFF-1",
        ),
        ["adjustment_by_one_person"],
    ),
    "an adjustment that one client asked for and approved": (
        lambda: adjustment(
            nothing().adjusted(5, says={"reason": "goodwill", "actor": "staff-1", "approved_by": "staff-2"}),
            client_id="app",
            decided_by="staff-2",
            decided_through="app",
        ),
        ["adjustment_by_one_person"],
    ),
    "a reversal that is listed and does not wait": (lambda: awaited(nothing(), "F-1"), ["awaited_without_waiting"]),
    "a reversal that was refused and is listed": (
        lambda: awaited(waiting(nothing(), code="currency_mismatch"), "F-1"),
        ["awaited_without_waiting"],
    ),
    "a reversal that waits for another accrual than it is listed for": (
        lambda: awaited(waiting(nothing(), of="R-8"), "F-1"),
        ["awaited_without_waiting"],
    ),
    "a reversal that waits and is not listed": (
        lambda: awaited(waiting(waiting(nothing()), "F-2"), "F-1"),
        ["waiting_without_awaited"],
    ),
    "a reversal that waits for what was posted": (
        lambda: awaited(waiting(nothing().earned("R-9", 5)), "F-1"),
        ["waiting_although_posted"],
    ),
    "a reversal that waits and was posted": (
        lambda: awaited(waiting(earned().reversed(100), "F-R-1"), "F-R-1"),
        ["waiting_although_posted"],
    ),
    "a reversal that waits and no accrual would look for": (
        lambda: saying(awaited(waiting(nothing()), "F-1"), awaiting=0),
        ["wallet_awaiting_wrong"],
    ),
    "a book that says that something waits": (lambda: saying(nothing(), awaiting=1), ["wallet_awaiting_wrong"]),
    "more reversals wait than may": (
        lambda: many_waiting(21),
        ["awaited_too_many"],
    ),
    "a household is closed, and has points": (
        lambda: earned().record("HOUSEHOLD", members={}, head="mbr_1", version=2, closed_at="2026-01-11"),
        ["household_closed_with_points"],
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(planted: str) -> None:
    forged, expected = PLANTED[planted]
    assert codes(forged().items()) == expected


@pytest.mark.parametrize("planted", PLANTED)
def test_it_is_found_at_a_survivor_s_as_well_and_told_of_them(planted: str) -> None:
    forged, expected = PLANTED[planted]
    nobody: dict[str, Any] = {"available": 0, "transferred": 0, "lots": {}, "counts": 0}
    family = together([gone(member("a", 0), "mbr_x", **nobody), taken(forged(), "mbr_a", **nobody)])
    assert codes(family) == expected


def forger(forged: Forgery) -> Forger:
    return Forger(forged.items(), "mbr_x")


ACCRUAL = "ENTRY#accrual#pos#R-1"
RECORDS: dict[str, dict[str, Any]] = {
    "REDEMPTION#rdm_1": {"status": "held", "points": 5, "lots": {}},
    "REVERSED#pos#R-1": {"points": {}, "reversals": 1},
    "LAPSED#points#2026-01-31": {"points": 5},
    "WAITING#pos#F-1": {"accrual_source_id": "R-1"},
    "AWAITED#pos#R-1": {"refunds": {"F-1"}},
    "ADJUSTMENT#adj_1": {"status": "posted", "points": 5, "wallet": "points", "reason": "-", "actor": "-"},
    "HOUSEHOLD": {"members": {}},
}


@pytest.mark.parametrize("name", ["last_seq", "tier", "wallets", "qualifying"])
def test_a_book_that_lacks_something_cannot_be_read(name: str) -> None:
    assert codes(earned().item(**{name: None}).items()) == ["wallet_unreadable"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("last_seq", "many"),
        ("wallets/M/points/M/available", "many"),
        ("wallets/M/points/M/lots/M/2026-03-31", "many"),
        ("wallets/M/points/M/lots/M/some day", 5),
        ("wallets/M/points/M/maturing/M/2026-03-31", 5),
        ("wallets/M/points/M/pockets", 5),
        ("settled_to", "yesterday"),
        ("due_at", "tomorrow"),
    ],
)
def test_a_book_of_something_else_cannot_be_read(path: str, value: object) -> None:
    forged = forger(earned())
    *parts, last = path.split("/")
    place: dict[str, Any] = forged["WALLET"]
    for part in parts:
        place = place.setdefault(part, {})
    place[last] = typed(value)
    assert codes(forged.items) == ["wallet_unreadable"]


@pytest.mark.parametrize(
    "name", ["seq", "changes", "after", "program_version", "occurred_at", "posted_at", "request_hash"]
)
def test_an_entry_that_lacks_something_cannot_be_read(name: str) -> None:
    forged = forger(earned())
    del forged[ACCRUAL][name]
    assert "entry_unreadable" in codes(forged.items)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("changes/points/postings/member:pocket", 5),
        ("changes/points/postings/member:available", "many"),
        ("changes/points/lots/2026-02-30", 5),
        ("changes/points/maturing/2026-03-31", 5),
        ("after/points/available", "many"),
        ("after/points", None),
        ("posted_at", "yesterday"),
    ],
)
def test_an_entry_of_something_else_cannot_be_read(path: str, value: object) -> None:
    assert "entry_unreadable" in codes(forger(earned()).set(ACCRUAL, path, value).items)


@pytest.mark.parametrize(
    "sk",
    [
        "ENTRY#gift#pos#R-1",
        "ENTRY#accrual#R-1",
        "ENTRY#expiry#points#soon",
        "ENTRY#maturity#points#2026-01-24",
        "ENTRY#warning#points#2026-01-24/soon",
    ],
)
def test_an_entry_of_no_identity_cannot_be_read(sk: str) -> None:
    assert "entry_unreadable" in codes(forger(earned()).copy(ACCRUAL, sk).items)


@pytest.mark.parametrize(("sk", "name"), [(sk, name) for sk, has in RECORDS.items() for name in has])
def test_a_record_that_lacks_something_cannot_be_read(sk: str, name: str) -> None:
    says = {key: value for key, value in RECORDS[sk].items() if key != name}
    assert "record_unreadable" in codes(nothing().record(sk, **says).items())


def test_entries_without_a_book_are_found() -> None:
    forged = forger(earned()).delete("WALLET")
    assert codes(forged.items) == ["wallet_missing"]


def test_a_member_without_a_book_is_found() -> None:
    items = {("M#acme#mbr_1", "MEMBER"): {"pk": typed("M#acme#mbr_1"), "sk": typed("MEMBER")}}
    assert codes(items) == ["wallet_missing"]
