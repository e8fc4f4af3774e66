"""A hold that nobody ends gives its points back at its moment: not a millisecond sooner, and whoever notices."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from loyalty.core.errors import IdempotencyKeyReused, InsufficientPoints, LoyaltyError
from loyalty.core.table import Table
from loyalty.ledger.model import MAX_TIMED_HOLDS, Account, EntryKind
from loyalty.rewards.errors import HoldMinutesLimitExceeded, HoldMinutesNotAllowed, RedemptionTimedOut, TooManyHolds
from loyalty.rewards.model import Party, Redemption, RedemptionStatus
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, NOON, World

MILLISECOND = timedelta(milliseconds=1)
WEEK = timedelta(days=7)


@pytest.fixture
def rich(world: World) -> World:
    """1,000 points, to be spent until 2027-03-31."""
    world.accrue("R-1", "1000")
    return world


def read(world: World, redemption: Redemption) -> Redemption:
    return world.redemptions.get("acme", MEMBER, redemption.redemption_id)


def timeouts(world: World) -> list[str]:
    return [entry.key.source_id for entry in world.entries() if entry.key.kind is EntryKind.TIMEOUT]


@pytest.mark.parametrize(
    ("asked", "expires_at"),
    [(None, NOON + WEEK), (1, NOON + timedelta(minutes=1)), (10_080, NOON + WEEK), (120, at("2026-03-15T14:00:00Z"))],
)
def test_a_hold_says_when_it_times_out(rich: World, asked: int | None, expires_at: datetime) -> None:
    redemption, _ = rich.hold("key", hold_minutes=asked)
    assert redemption.expires_at == expires_at
    assert read(rich, redemption) == redemption
    assert rich.book().holds[redemption.redemption_id].expires_at == expires_at
    assert rich.entries()[-1].facts.hold_expires_at == expires_at


def test_a_program_says_how_long_its_holds_last(table: Table) -> None:
    world = World(table, of=program(limits={"hold_minutes": 90})).enroll()
    world.accrue("R-1", "100")
    assert world.hold("key")[0].expires_at == NOON + timedelta(minutes=90)
    assert world.hold("other", hold_minutes=90)[0].expires_at == NOON + timedelta(minutes=90)


@pytest.mark.parametrize("minutes", [0, -1, 10_081])
def test_nobody_holds_for_longer_than_the_program_lets_them(rich: World, minutes: int) -> None:
    before = rich.dump()
    with pytest.raises(HoldMinutesLimitExceeded) as refusal:
        rich.hold("key", hold_minutes=minutes)
    assert (refusal.value.code, refusal.value.pointer) == ("hold_minutes_limit_exceeded", "/hold_minutes")
    assert rich.dump() == before


def test_a_gift_card_has_no_time_out(rich: World) -> None:
    card, _ = rich.hold("key", "card")
    assert card.expires_at is None
    assert rich.book().holds == {}
    rich.clock.advance(days=300)
    assert rich.settle() == 0
    assert read(rich, card).status is RedemptionStatus.HELD
    assert timeouts(rich) == []
    assert rich.capture(card.redemption_id, by=Party.FULFILLMENT).status is RedemptionStatus.CAPTURED
    with pytest.raises(HoldMinutesNotAllowed) as refusal:
        rich.hold("key-2", "card", hold_minutes=60)
    assert refusal.value.pointer == "/hold_minutes"
    rich.proven()


@pytest.mark.parametrize("end", ["capture", "release"])
def test_until_its_last_millisecond_a_hold_can_be_ended(rich: World, end: str) -> None:
    redemption, _ = rich.hold("key", hold_minutes=60)
    rich.clock.now = at("2026-03-15T13:00:00Z") - MILLISECOND
    assert read(rich, redemption).status is RedemptionStatus.HELD
    ended = getattr(rich, end)(redemption.redemption_id)
    assert ended.ended_at == at("2026-03-15T12:59:59.999Z")
    rich.clock.advance(days=30)
    assert read(rich, redemption) == ended
    assert rich.settle() == 0
    assert timeouts(rich) == []
    assert rich.proven().held == 0


@pytest.mark.parametrize("late", [timedelta(), timedelta(microseconds=900), timedelta(days=200)])
@pytest.mark.parametrize("end", ["capture", "release", "cancel"])
def test_from_its_time_out_on_a_hold_cannot_be_ended(rich: World, end: str, late: timedelta) -> None:
    redemption, _ = rich.hold("key", hold_minutes=60)
    rich.clock.now = at("2026-03-15T13:00:00Z") + late
    before = rich.dump()
    with pytest.raises(RedemptionTimedOut) as refusal:
        getattr(rich, end)(redemption.redemption_id)
    assert refusal.value.code == "redemption_timed_out"
    assert rich.dump() == before
    rich.settle()
    with pytest.raises(RedemptionTimedOut):
        getattr(rich, end)(redemption.redemption_id)


def test_capturing_a_part_after_the_time_out_is_refused_too(rich: World) -> None:
    redemption, _ = rich.hold("key", hold_minutes=60)
    rich.clock.set("2026-03-15T13:00:00Z")
    before = rich.dump()
    with pytest.raises(RedemptionTimedOut):
        rich.capture(redemption.redemption_id, points=10)
    assert rich.dump() == before


def test_a_time_out_needs_nobody_to_notice(rich: World) -> None:
    redemption, _ = rich.hold("key", "coffee", 3, hold_minutes=60)
    written = rich.dump()
    rich.clock.set("2026-03-15T13:00:00Z")
    seen = read(rich, redemption)
    assert (seen.status, seen.ended_at) == (RedemptionStatus.TIMED_OUT, at("2026-03-15T13:00:00Z"))
    assert (rich.now().wallet().available, rich.now().wallet().held, rich.now().holds) == (1000, 0, {})
    assert rich.dump() == written


@pytest.mark.parametrize("later", [timedelta(), timedelta(hours=5), timedelta(days=9)])
def test_a_time_out_is_written_once_and_at_its_moment_whoever_writes_it(rich: World, later: timedelta) -> None:
    redemption, _ = rich.hold("key", "coffee", 3, hold_minutes=60)
    record = rich.dump()[f"M#acme#{MEMBER}", f"REDEMPTION#{redemption.redemption_id}"]
    rich.clock.now = at("2026-03-15T13:00:00Z") + later
    assert rich.settle() == 1
    assert rich.settle() == 0
    rich.accrue("R-2", "1")
    (entry,) = (entry for entry in rich.entries() if entry.key.kind is EntryKind.TIMEOUT)
    assert entry.entry_id == f"timeout:redemption:{redemption.redemption_id}"
    assert entry.movement.change().postings == {Account.HELD: -150, Account.AVAILABLE: 150}
    assert entry.movement.change().lots == {"2027-03-31": 150}
    assert (entry.facts.occurred_at, entry.posted_at) == (at("2026-03-15T13:00:00Z"), rich.clock())
    assert entry.facts.redemption_id == redemption.redemption_id
    assert rich.dump()[f"M#acme#{MEMBER}", f"REDEMPTION#{redemption.redemption_id}"] == record
    assert rich.proven().available == 1001


def test_points_of_a_timed_out_hold_can_be_held_again_at_once(world: World) -> None:
    world.accrue("R-1", "50")
    first, _ = world.hold("key", hold_minutes=60)
    world.clock.now = at("2026-03-15T13:00:00Z") - MILLISECOND
    with pytest.raises(InsufficientPoints):
        world.hold("other")
    world.clock.set("2026-03-15T13:00:00Z")
    second, _ = world.hold("other")
    assert timeouts(world) == [first.redemption_id]
    assert second.lots == first.lots
    assert world.proven().held == 50


def test_a_hold_sent_again_after_its_time_out_answers_as_it_first_did(rich: World) -> None:
    first, _ = rich.hold("key", hold_minutes=60)
    rich.clock.advance(days=2)
    assert rich.hold("key", hold_minutes=60) == (first, True)
    assert timeouts(rich) == []
    with pytest.raises(IdempotencyKeyReused):
        rich.hold("key", hold_minutes=61)
    with pytest.raises(IdempotencyKeyReused):
        rich.hold("key")
    rich.settle()
    assert rich.hold("key", hold_minutes=60) == (first, True)


def test_a_clock_that_lags_behind_another_does_not_bring_a_hold_back(rich: World) -> None:
    """A machine whose clock is right has written the time-out down; one whose clock is late asks for the points."""
    redemption, _ = rich.hold("key", hold_minutes=60)
    late = World(rich.table, clock=SettableClock(at("2026-03-15T12:59:00Z")))
    rich.clock.set("2026-03-15T13:00:00Z")
    rich.settle()
    for end in ("capture", "release"):
        with pytest.raises(RedemptionTimedOut):
            getattr(late, end)(redemption.redemption_id)
    late.accrue("R-2", "1")
    assert late.entries()[-1].posted_at == at("2026-03-15T13:00:00Z")
    rich.proven()


# Lots of 2026-03-15 may be spent until 2027-03-31. A lot that has expired meanwhile is spendable for 30 days more, to
# the end of that month.
GRACE: dict[str, tuple[str, Callable[[World, str], Any], str, str]] = {
    "released on the lot's last day": (
        "UTC", lambda world, held: world.release(held), "2027-03-31T23:59:59.999Z", "2027-03-31",
    ),
    "released on the day after": (
        "UTC", lambda world, held: world.release(held), "2027-04-01T00:00:00Z", "2027-05-31",
    ),
    "timed out": (
        "UTC", lambda world, _: world.settle(), "2027-04-06T12:00:00Z", "2027-05-31",
    ),
    "timed out, noticed long after, though still within its grace": (
        "UTC", lambda world, _: world.settle(), "2027-05-20T12:00:00Z", "2027-05-31",
    ),
    "released on the last day in Jakarta, where the next day is near": (
        "Asia/Jakarta", lambda world, held: world.release(held), "2027-03-31T16:59:59.999Z", "2027-03-31",
    ),
    "released on the day after in Jakarta": (
        "Asia/Jakarta", lambda world, held: world.release(held), "2027-03-31T17:00:00Z", "2027-05-31",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GRACE)
def test_points_whose_lot_expired_while_they_were_held_have_a_grace(table: Table, case: str) -> None:
    zone, end, when, lot = GRACE[case]
    world = World(table, of=program(time_zone=zone)).enroll()
    world.accrue("R-1", "50")
    world.clock.set("2027-03-30T12:00:00Z")
    held, _ = world.hold("key")
    world.clock.set(when)
    end(world, held.redemption_id)
    assert world.proven().lots == {lot: 50}


@pytest.mark.parametrize(("days", "lot"), [(0, "2027-04-30"), (29, "2027-04-30"), (30, "2027-05-31")])
def test_the_grace_is_the_programs(table: Table, days: int, lot: str) -> None:
    expiry = {"policy": "rolling", "months": 12, "grace_days": days, "warn_days": []}
    world = World(table, of=program(expiry=expiry)).enroll()
    world.accrue("R-1", "50")
    world.clock.set("2027-03-30T12:00:00Z")
    held, _ = world.hold("key")
    world.clock.set("2027-04-01T00:00:00Z")
    world.release(held.redemption_id)
    assert world.proven().lots == {lot: 50}


def test_twenty_holds_may_be_open(rich: World) -> None:
    opened = [rich.hold(f"key-{n}", "ten", hold_minutes=60 if n else 30)[0] for n in range(MAX_TIMED_HOLDS)]
    assert len(rich.book().holds) == MAX_TIMED_HOLDS == 20
    before = rich.dump()
    with pytest.raises(TooManyHolds) as refusal:
        rich.hold("one too many", "ten")
    assert refusal.value.code == "too_many_holds"
    assert rich.dump() == before
    assert rich.hold("key-3", "ten", hold_minutes=60) == (opened[3], True)
    rich.hold("a card is no timed hold", "card")
    rich.capture(opened[5].redemption_id)
    rich.hold("in its place", "ten", hold_minutes=60)
    with pytest.raises(TooManyHolds):
        rich.hold("one too many", "ten")
    rich.clock.set("2026-03-15T12:30:00Z")
    rich.hold("in the place of the one that timed out", "ten")
    assert timeouts(rich) == [opened[0].redemption_id]
    rich.proven()


def test_twenty_holds_time_out_together(rich: World) -> None:
    for n in range(MAX_TIMED_HOLDS):
        rich.hold(f"key-{n}", "ten", hold_minutes=60)
    rich.clock.set("2026-03-15T13:00:00Z")
    assert rich.settle() == 20
    wallet = rich.proven()
    assert (wallet.available, wallet.held, wallet.lots) == (1000, 0, {"2027-03-31": 1000})


def test_what_is_held_cannot_be_held_again(world: World) -> None:
    world.accrue("R-1", "120")
    first, _ = world.hold("a")
    world.hold("b")
    for _ in range(2):
        with pytest.raises(InsufficientPoints):
            world.hold("c")
    world.release(first.redemption_id)
    world.hold("c")
    wallet = world.proven()
    assert (wallet.available, wallet.held) == (20, 100)


def test_a_hold_is_activity_where_inactivity_makes_points_expire(table: Table) -> None:
    expiry = {"policy": "inactivity", "months": 2, "warn_days": []}
    world = World(table, of=program(expiry=expiry)).enroll()
    world.accrue("R-1", "200")
    world.clock.set("2026-05-31T20:00:00Z")
    held, _ = world.hold("key")
    assert held.lots == {"2026-05-31": 50}
    assert world.wallet().lots == {"2026-07-31": 150}
    world.clock.set("2026-06-01T00:00:00Z")
    world.release(held.redemption_id)
    assert world.proven().available == 200


ENDS = ("capture", "release", "cancel", "time out")
MACHINE: dict[str, dict[str, tuple[str, str | None]]] = {
    "held": {
        "capture": ("captured", None), "release": ("released", None), "time out": ("timed_out", None),
        "cancel": ("held", "redemption_not_captured"),
    },
    "captured": {
        "capture": ("captured", None), "cancel": ("cancelled", None), "time out": ("captured", None),
        "release": ("captured", "redemption_already_captured"),
    },
    "released": {
        "capture": ("released", "redemption_already_released"), "release": ("released", None),
        "cancel": ("released", "redemption_already_released"), "time out": ("released", None),
    },
    "timed_out": {
        "capture": ("timed_out", "redemption_timed_out"), "release": ("timed_out", "redemption_timed_out"),
        "cancel": ("timed_out", "redemption_timed_out"), "time out": ("timed_out", None),
    },
    "cancelled": {
        "capture": ("cancelled", "redemption_already_cancelled"),
        "release": ("cancelled", "redemption_already_cancelled"), "cancel": ("cancelled", None),
        "time out": ("cancelled", None),
    },
}  # fmt: skip
SPENT = {"held": (950, 50), "captured": (950, 0), "released": (1000, 0), "timed_out": (1000, 0), "cancelled": (1000, 0)}
WRITTEN = {
    "held": [], "captured": ["capture"], "released": ["release"], "timed_out": ["timeout"],
    "cancelled": ["capture", "cancellation"],
}  # fmt: skip


ORDERS = [
    (order, settled)
    for order in product(ENDS, repeat=3)
    for settled in ([False, True] if "time out" in order else [False])
]


@pytest.mark.parametrize(
    ("order", "settled"), ORDERS, ids=lambda part: part if isinstance(part, bool) else "-".join(part)
)
def test_a_hold_ends_once_in_whichever_order_its_ends_are_asked_for(
    rich: World, order: tuple[str, ...], settled: bool
) -> None:
    """A time-out is noticed by nobody, or ``settled`` as soon as it is due."""
    redemption, _ = rich.hold("key", hold_minutes=60)
    status = "held"
    for end in order:
        refused: str | None = None
        if end == "time out":
            rich.clock.now = max(rich.clock(), at("2026-03-15T13:00:00Z"))
            if settled:
                rich.settle()
        else:
            before = rich.dump()
            try:
                answer = getattr(rich, end)(redemption.redemption_id)
            except LoyaltyError as error:
                refused = error.code
                assert rich.dump() == before
            else:
                assert answer == read(rich, redemption)
        status, expected = MACHINE[status][end]
        assert refused == expected
        assert read(rich, redemption).status == status
    wallet = rich.now().wallet()
    assert (wallet.available, wallet.held) == SPENT[status]
    rich.settle()
    kinds = [entry.key.kind for entry in rich.entries() if entry.facts.redemption_id]
    assert kinds == ["hold", *WRITTEN[status]]
    rich.proven()
