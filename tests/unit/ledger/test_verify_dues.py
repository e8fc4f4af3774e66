"""The proof of what falls due by itself: on its day, whole, once, before anything later, and where a sweep finds it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from loyalty.ledger.ladders import Standing
from loyalty.ledger.model import POINTS, EntryKind, Terms
from tests.ledgerkit.clock import at
from tests.unit.ledger.forging import LATER, NEVER, SCOPE, SOON, Forgery, audited, codes, typed
from tests.unit.ledger.test_verify_rules import earned, nothing

K = EntryKind
LOT = "2026-06-30"
BUCKET = f"2026-01-24/{LOT}"
MATURES, WARNS, EXPIRES = "2026-01-23T17:00:00Z", "2026-03-23T17:00:00Z", "2026-03-31T17:00:00Z"
UNTIL = "2026-01-10T04:00:00.000Z"
EARLIER = "2026-01-23T16:59:59.999Z"


def pending() -> Forgery:
    return nothing().earned("D-1", 100, available=0, pending=100, lots={}, maturing={BUCKET: 100})


def matured(forgery: Forgery, points: int = 100, *, name: str = BUCKET, on: str = MATURES, **more: Any) -> Forgery:
    moves = {"available": points, "pending": -points, "lots": {LOT: points}, "maturing": {BUCKET: -points}, **more}
    return forgery.post(K.MATURITY, name, source=POINTS, on=on, **moves)


def warned(forgery: Forgery, *, on: str = WARNS, lot: str = SOON, points: int = 100, **more: Any) -> Forgery:
    says = {"lot": lot, "lot_points": points}
    return forgery.post(K.WARNING, f"{SOON}/7", source=POINTS, on=on, **{"says": says, **more})


def expired(forgery: Forgery, points: int = 100, *, lot: str = SOON, on: str = EXPIRES, **more: Any) -> Forgery:
    moves = {"available": -points, "expired": points, "lots": {lot: -points}, **more}
    return forgery.post(K.EXPIRY, lot, source=POINTS, on=on, **moves)


def held() -> Forgery:
    return earned().held(9, {SOON: 9}, until=UNTIL)


def timed_out(forgery: Forgery, on: str = UNTIL, **more: Any) -> Forgery:
    return forgery.ended(K.TIMEOUT, {SOON: 9}, on=on, **more)


HONEST: dict[str, Callable[[], Forgery]] = {
    "points mature as their day starts": lambda: matured(pending()),
    "they are written down later": lambda: matured(pending(), on="2026-02-10", due=MATURES),
    "what matures pays a debt": lambda: matured(
        pending()
        .earned("R-1", 40, LOT, says={"policy": "clamp_with_debt"})
        .adjusted(-40, lots={LOT: -40})
        .reversed(40, available=0, debt=-40, lots={}),
        available=60,
        debt=40,
        lots={LOT: 60},
    ),
    "a lot is warned of and expires": lambda: expired(warned(earned())),
    "both are written down later": lambda: expired(
        warned(earned(), on="2026-04-10", due=WARNS), on="2026-04-10", due=EXPIRES
    ),
    "a lot that came after its warning's day had begun": lambda: expired(nothing().earned("R-1", 100, on=WARNS)),
    "a lot that was spent before its warning": lambda: earned().adjusted(-100).earned("R-2", 5, LATER, on=EXPIRES),
    "a hold times out": lambda: timed_out(held()),
    "its time-out is written down later": lambda: timed_out(held(), on="2026-02-10", due=UNTIL),
    "points that never expire": lambda: nothing().earned("R-1", 5, NEVER).earned("R-2", 0, NEVER, on="2030-01-01"),
}


@pytest.mark.parametrize("history", HONEST)
def test_nothing_is_found_in_what_is_right(history: str) -> None:
    assert codes(HONEST[history]().items()) == []
    assert codes(HONEST[history]().items(), None) == []


PLANTED: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "points mature a moment before their day": (lambda: matured(pending(), on=EARLIER), ["matured_early"]),
    "points mature before their day, dated on it": (
        lambda: matured(pending(), on=EARLIER, due=MATURES),
        ["matured_early"],
    ),
    "points mature on their day, but not as it starts": (
        lambda: matured(pending(), on="2026-02-01", due="2026-01-23T17:00:00.001Z"),
        ["due_moment_wrong", "maturity_missed"],
    ),
    "some points of a bucket mature": (
        lambda: matured(pending(), 60).book(settled_to=at(MATURES)),
        ["matured_in_part", "maturity_missed"],
    ),
    "a maturity names another bucket": (
        lambda: matured(pending(), name=f"2026-01-24/{LATER[:8]}29"),
        ["maturity_wrong"],
    ),
    "points mature into another lot": (lambda: matured(pending(), lots={"2026-12-31": 100}), ["maturity_wrong"]),
    "points are spent that had not matured": (
        lambda: pending().earned("R-1", 5, LOT, on="2026-01-25"),
        ["maturity_missed"],
    ),
    "a lot expires a moment before its last day is over": (
        lambda: expired(warned(earned()), on="2026-03-31T16:59:59.999Z"),
        ["expired_early"],
    ),
    "a lot expires before its last day is over, dated after it": (
        lambda: expired(warned(earned()), on="2026-03-31T16:59:59.999Z", due=EXPIRES),
        ["expired_early"],
    ),
    "a lot expires later than it does": (
        lambda: expired(warned(earned()), on="2026-04-10", due="2026-03-31T18:00:00Z"),
        ["due_moment_wrong", "expiry_missed"],
    ),
    "some points of a lot expire": (
        lambda: expired(warned(earned()), 60).book(settled_to=at(EXPIRES)),
        ["expired_in_part", "expiry_missed"],
    ),
    "an expiry takes another lot": (
        lambda: expired(warned(earned().earned("R-2", 5, LATER)), 105, lots={SOON: -100, LATER: -5}),
        ["expiry_wrong"],
    ),
    "points expire that never do": (
        lambda: expired(nothing().earned("R-1", 5, NEVER), 5, lot=NEVER),
        ["expired_early"],
    ),
    "a lot is spent from after its last day": (
        lambda: warned(earned()).adjusted(-10, on="2026-04-02"),
        ["expiry_missed"],
    ),
    "a member is warned a day early": (
        lambda: warned(earned(), on="2026-03-22T17:00:00Z"),
        ["warned_early"],
    ),
    "a warning tells of other points": (lambda: warned(earned(), points=99), ["warning_wrong"]),
    "a warning tells of another lot": (lambda: warned(earned(), lot=LATER), ["warning_wrong"]),
    "a warning is of no lot": (lambda: warned(earned().adjusted(-100), points=0), ["warning_wrong"]),
    "a warning is of a point that is gone": (lambda: warned(earned().adjusted(-100), points=1), ["warning_wrong"]),
    "nobody was warned": (lambda: expired(earned()), ["warning_missed"]),
    "nobody was warned before something else": (
        lambda: earned().earned("R-2", 5, LATER, on="2026-03-25"),
        ["warning_missed"],
    ),
    "a hold times out a moment early": (
        lambda: timed_out(held(), on="2026-01-10T03:59:59.999Z"),
        ["timed_out_early"],
    ),
    "a hold times out early, dated when it should": (
        lambda: timed_out(held(), on="2026-01-10T03:59:59.999Z", due=UNTIL),
        ["timed_out_early"],
    ),
    "a hold times out later than it does": (
        lambda: timed_out(held(), on="2026-01-12", due="2026-01-11"),
        ["due_moment_wrong", "timeout_missed"],
    ),
    "a hold without a time-out times out": (
        lambda: timed_out(earned().held(9, {SOON: 9})),
        ["timeout_wrong"],
    ),
    "a hold is captured after its time-out": (
        lambda: (
            held()
            .record(
                "REDEMPTION#rdm_1", status="captured", points=9, lots={SOON: 9}, expires_at=UNTIL, captured_points=9
            )
            .ended(K.CAPTURE, {}, held=-9, redeemed=9, available=0, on=UNTIL)
        ),
        ["timeout_missed"],
    ),
    "the book is settled, but for a hold": (lambda: held().book(settled_to=at(UNTIL)), ["timeout_missed"]),
    "the book is settled, but for pending points": (
        lambda: pending().book(settled_to=at(MATURES)),
        ["maturity_missed"],
    ),
    "the book is settled, but for a lot": (
        lambda: warned(earned()).book(settled_to=at(EXPIRES)),
        ["expiry_missed"],
    ),
    "the book is settled, but for a warning": (
        lambda: earned().book(settled_to=at("2026-03-25")),
        ["warning_missed"],
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(planted: str) -> None:
    forged, expected = PLANTED[planted]
    assert codes(forged().items()) == expected


ANYWHERE: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "matured two days early": (lambda: matured(pending(), on="2026-01-21T17:00:00Z"), ["matured_early"]),
    "as their day starts in Kiritimati": (lambda: matured(pending(), on="2026-01-23T10:00:00Z"), []),
    "expired two days early": (lambda: expired(warned(earned()), on="2026-03-29T17:00:00Z"), ["expired_early"]),
    "spent a day late": (lambda: warned(earned()).adjusted(-10, on="2026-04-01T11:00:00Z"), []),
    "spent two days late": (lambda: warned(earned()).adjusted(-10, on="2026-04-01T13:00:00Z"), ["expiry_missed"]),
}


@pytest.mark.parametrize("planted", ANYWHERE)
def test_where_no_zone_is_known_what_is_wrong_in_every_zone_is_found(planted: str) -> None:
    forged, expected = ANYWHERE[planted]
    assert codes(forged().items(), None) == expected


@pytest.mark.parametrize(
    ("forged", "moment", "expected"),
    [
        (earned, WARNS, []),
        (earned, EXPIRES, ["due_at_wrong"]),
        (earned, "2026-03-23T17:00:00.001Z", ["due_at_wrong"]),
        (earned, "2026-03-22T17:00:00Z", ["due_at_wrong"]),
        (earned, None, ["due_missing"]),
        (pending, MATURES, []),
        (pending, "2026-01-24T17:00:00Z", ["due_at_wrong"]),
        (pending, None, ["due_missing"]),
        (held, UNTIL, []),
        (held, "2026-01-10T03:59:59.999Z", ["due_at_wrong"]),
        (held, WARNS, ["due_at_wrong"]),
        (nothing, None, []),
        (nothing, WARNS, ["due_needless"]),
        (lambda: nothing().earned("R-1", 5, NEVER), EXPIRES, ["due_needless"]),
        (lambda: warned(earned()), EXPIRES, []),
        (lambda: warned(earned()), WARNS, ["due_at_wrong"]),
    ],
)
def test_the_book_is_in_the_due_index_under_what_falls_due_next(
    forged: Callable[[], Forgery], moment: str | None, expected: list[str]
) -> None:
    shard = typed("DUE#book#03") if moment else None
    items = forged().item(due_at=typed(moment) if moment else None, due_shard=shard).items()
    assert codes(items) == expected


@pytest.mark.parametrize(
    ("shard", "expected"),
    [("DUE#book#00", []), ("DUE#book#15", []), ("DUE#book#16", ["due_shard_wrong"]), (None, ["due_shard_wrong"])],
)
def test_the_book_is_in_a_shard_that_is_swept(shard: str | None, expected: list[str]) -> None:
    assert codes(earned().item(due_shard=typed(shard) if shard else None).items()) == expected


def test_a_warning_of_any_version_may_be_due_next() -> None:
    """The book was last written by version 1, which warned 7 days before; version 2 warns 30 days before."""
    items = earned().items()
    other = replace(SCOPE, version=2, terms={POINTS: Terms(10, (30,))})
    assert codes(items, other) == ["due_at_wrong"]
    assert audited(items, SCOPE) == []


def test_where_no_program_is_known_any_moment_before_the_lot_s_end_may_be_a_warning() -> None:
    for moment, expected in [("2026-03-01T00:00:00Z", []), ("2026-04-02T00:00:00Z", ["due_at_wrong"])]:
        assert codes(earned().item(due_at=typed(moment)).items(), None) == expected


def test_where_no_program_is_known_nothing_may_be_due_in_an_empty_book_and_anything_on_a_ladder() -> None:
    empty = nothing().item(due_at=typed(WARNS), due_shard=typed("DUE#book#03"))
    assert codes(empty.items(), None) == ["due_needless"]
    standing = nothing().book(standings={"guest": Standing("regular", "regular", date(2026, 3, 31))})
    standing.item(due_at=typed(WARNS), due_shard=typed("DUE#book#03"))
    assert codes(standing.items(), None) == ["wallet_standings_wrong"]
