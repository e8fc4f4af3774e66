"""A reward that is paid from a further wallet: held, spent and given back there, and the points know nothing of it."""

from typing import Any, Final

import pytest

from loyalty.core.errors import InsufficientPoints
from loyalty.core.table import Table
from loyalty.ledger.model import POINTS, EntryKind
from loyalty.merging.service import MergeService
from loyalty.programs.model import Program
from loyalty.rewards.catalogue import Asked, Catalogue
from loyalty.rewards.errors import DailyRedemptionLimitExceeded, PriceChanged, RewardLimitReached
from loyalty.rewards.holding import Wish
from loyalty.rewards.model import Party, Payer, Redemption, RedemptionStatus
from loyalty.rewards.pictures import S3Pictures
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.moves import ADA, BOB, Moves
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.world import MEMBER, World

CUPS: Final = "cups"
FREE: Final[dict[str, Any]] = {"id": "free-cup", "name": "A free cup", "type": "perk", "points": 2, "wallet": CUPS}
CARD: Final[dict[str, Any]] = BASE["rewards"][2] | {"id": "cup-card", "points": 3, "wallet": CUPS}


def cups(version: int = 1, *, free: dict[str, Any] = FREE, lasts: dict[str, Any] | None = None, **more: Any) -> Program:
    """Every visit gives a cup. Points last for twelve months with 30 days of grace, cups for one with 60."""
    expiry = lasts or {"policy": "rolling", "months": 1, "grace_days": 60}
    changes: dict[str, Any] = {
        "wallets": [{"id": CUPS, "name": "Cups", "expiry": expiry}],
        "earn_rules": [*BASE["earn_rules"], {"id": "cup", "activity": "visit", "wallet": CUPS, "fixed_points": 1}],
        "rewards": [*BASE["rewards"], free, CARD],
    }
    return program(version, **{**changes, **more})


def visiting(table: Table, of: Program | None = None, *, visits: int = 5) -> World:
    """100 points and some cups, on 15 March."""
    world = World(table, of=of or cups()).enroll()
    world.accrue("R-1", "100")
    for number in range(visits):
        world.accrue(f"V-{number}", None, activity="visit")
    return world


@pytest.fixture
def world(table: Table) -> World:
    return visiting(table)


def left(world: World) -> tuple[tuple[int, int], tuple[int, int]]:
    """Available and held: of points, and of cups. All of it is proved."""
    world.proven()
    book = world.now()
    return tuple((book.wallet(one).available, book.wallet(one).held) for one in (POINTS, CUPS))  # type: ignore[return-value]


def read(world: World, redemption: Redemption) -> Redemption:
    return world.redemptions.get("acme", MEMBER, redemption.redemption_id)


def test_it_is_held_spent_and_cancelled_in_its_wallet(world: World) -> None:
    held, _ = world.hold("A", "free-cup", 2)
    assert (held.wallet, held.points, held.lots) == (CUPS, 4, {"2026-04-30": 4})
    assert read(world, held) == held
    assert world.book().holds[held.redemption_id].wallet == CUPS
    assert left(world) == ((100, 0), (1, 4))
    assert world.capture(held.redemption_id, points=3).spent == {"2026-04-30": 3}
    assert left(world) == ((100, 0), (2, 0))
    world.cancel(held.redemption_id)
    assert left(world) == ((100, 0), (5, 0))
    for entry in world.entries()[-3:]:
        assert set(entry.movement.changes) == {CUPS}


def test_it_is_released_or_times_out_into_its_wallet(world: World) -> None:
    released, timed = world.hold("A", "free-cup")[0], world.hold("B", "free-cup", hold_minutes=60)[0]
    beside = world.hold("C", "coffee", hold_minutes=60)[0]
    assert left(world) == ((50, 50), (1, 4))
    world.release(released.redemption_id)
    assert left(world) == ((50, 50), (3, 2))
    world.clock.advance(minutes=60)
    assert [read(world, one).status for one in (timed, beside)] == [RedemptionStatus.TIMED_OUT] * 2
    assert world.now().wallet(CUPS).available == 5  # though nobody has written it down
    world.settle()
    assert left(world) == ((100, 0), (5, 0))


def test_what_fulfilment_ends_has_no_time_out_and_is_of_that_wallet_too(world: World) -> None:
    card, _ = world.hold("A", "cup-card")
    assert (card.expires_at, left(world)) == (None, ((100, 0), (2, 3)))
    world.capture(card.redemption_id, by=Party.FULFILLMENT)
    assert left(world) == ((100, 0), (2, 0))


def test_points_do_not_pay_for_it_and_the_refusal_names_the_wallet(world: World) -> None:
    before = world.dump()
    with pytest.raises(InsufficientPoints) as refused:
        world.hold("A", "free-cup", 3)
    assert refused.value.detail == "This needs 6 of the wallet 'cups'; 5 can be spent."
    with pytest.raises(InsufficientPoints) as refused:
        world.hold("A", "coffee", 3)
    assert refused.value.detail == "This needs 150 points; 100 can be spent."
    assert world.dump() == before


@pytest.mark.parametrize(("end", "cups_left"), [("release", 5), ("capture", 3), ("cancel", 5)])
def test_it_stays_in_the_wallet_of_its_hold_whatever_a_later_version_says(
    world: World, end: str, cups_left: int
) -> None:
    held, _ = world.hold("A", "free-cup")
    if end == "cancel":
        world.capture(held.redemption_id)
    world.program = cups(2, free=FREE | {"wallet": POINTS, "points": 2})
    getattr(world, end)(held.redemption_id)
    assert world.now().wallet(CUPS).available == cups_left
    assert world.now().wallet().available == 100
    assert world.hold("B", "free-cup")[0].wallet == POINTS
    assert world.audit_by({one.version: one.scope for one in (cups(), world.program)}) == []


def test_it_takes_the_calls_that_one_of_points_takes(world: World) -> None:
    told = []
    for key, reward in (("A", "coffee"), ("B", "free-cup")):
        with recorded(world.table.client) as calls:
            held, _ = world.hold(key, reward)
            world.capture(held.redemption_id)
            world.cancel(held.redemption_id)
        told.append(calls.names)
    assert told[0] == told[1] == ["GetItem", *["TransactWriteItems", "BatchGetItem"] * 2, "TransactWriteItems"]


def test_of_the_main_wallet_nothing_more_is_stored(world: World) -> None:
    """So what was held before there were others reads as it always did."""
    held, _ = world.hold("A", "coffee")
    raw = world.dump()[f"M#acme#{MEMBER}", f"REDEMPTION#{held.redemption_id}"]
    assert "wallet" not in raw
    assert read(world, held).wallet == POINTS


def test_cups_that_come_back_late_have_the_grace_of_their_wallet(world: World) -> None:
    held, _ = world.hold("A", "cup-card")
    world.clock.set("2026-05-10T12:00:00Z")
    assert world.now().wallet(CUPS).available == 0  # the other two expired with April
    world.release(held.redemption_id, by=Party.FULFILLMENT)
    assert world.now().wallet(CUPS).lots == {"2026-07-31": 3}  # 60 days on is 9 July
    assert left(world) == ((100, 0), (3, 0))


@pytest.mark.parametrize(("reward", "renewed"), [("free-cup", CUPS), ("coffee", POINTS)])
def test_paying_renews_the_points_of_the_wallet_that_pays(table: Table, reward: str, renewed: str) -> None:
    lasts = {"policy": "inactivity", "months": 3}
    world = visiting(table, cups(lasts=lasts, expiry=lasts))
    world.clock.set("2026-05-10T12:00:00Z")
    world.hold("A", reward)
    renewals = [entry for entry in world.entries() if entry.key.kind is EntryKind.RENEWAL]
    assert [entry.key.source for entry in renewals] == [renewed]
    lots = {name: next(iter(world.now().wallet(name).lots)) for name in (POINTS, CUPS)}
    assert lots == {POINTS: "2026-06-30", CUPS: "2026-06-30"} | {renewed: "2026-08-31"}
    world.proven()


def test_paid_by_the_program_it_takes_no_cups(table: Table) -> None:
    world = visiting(table, visits=0)
    gift, _ = world.hold("A", "cup-card", campaign="spring", paid_by=Payer.PROGRAM)
    assert (gift.points, gift.wallet) == (0, CUPS)
    world.capture(gift.redemption_id, by=Party.FULFILLMENT)
    assert left(world) == ((100, 0), (0, 0))


def test_a_days_points_are_of_the_main_wallet_and_a_rewards_own_limit_of_any(table: Table) -> None:
    free = FREE | {"points": 1, "per_member": [{"per": "day", "count": 2}]}
    world = visiting(table, cups(free=free, limits=BASE["limits"] | {"points_per_day": 50}))
    assert world.hold("A", "coffee")[0].points == 50
    world.hold("B", "free-cup", 2)
    with pytest.raises(DailyRedemptionLimitExceeded):
        world.hold("C", "ten")
    with pytest.raises(RewardLimitReached):
        world.hold("C", "free-cup")
    world.proven()


def test_a_quote_is_of_its_wallet_and_a_hold_from_another_one_is_refused(world: World) -> None:
    quote = world.redemptions.quote(world.program, MEMBER, Wish("free-cup", 2))
    assert (quote.price.wallet, quote.price.points, quote.available, quote.remaining) == (CUPS, 4, 5, 1)
    assert quote.objections == ()
    with pytest.raises(PriceChanged) as refused:
        world.hold("A", "free-cup", 2, quoted_points=4, quoted_wallet=POINTS)
    assert refused.value.pointer == "/quoted_wallet"
    assert refused.value.detail == "It is paid from the wallet 'cups' now, and not 'points'; ask for a new quote."
    assert world.hold("A", "free-cup", 2, quoted_points=4, quoted_wallet=CUPS)[0].points == 4


@pytest.mark.parametrize(
    ("visits", "affordable"), [(0, ["coffee", "ten"]), (2, ["coffee", "ten", "free-cup"]), (3, ["coffee", "ten", "free-cup", "cup-card"])]
)  # fmt: skip
def test_the_catalogue_looks_into_the_wallet_of_each(table: Table, visits: int, affordable: list[str]) -> None:
    world = visiting(table, visits=visits)
    catalogue = Catalogue(table, world.clock, S3Pictures("pictures"))
    shown = catalogue.of_member(world.program, MEMBER, Asked())
    assert [one.reward.id for one in shown if one.affordable] == affordable
    (free,) = (one for one in shown if one.reward.id == "free-cup")
    short = ["This needs 2 of the wallet 'cups'; 0 can be spent."]
    assert [one.detail for one in free.reasons] == ([] if visits else short)


def test_cups_of_who_was_merged_come_back_to_the_survivors_cups(table: Table) -> None:
    world = Moves(table, of=cups()).enroll(ADA, BOB).world
    for number, member in enumerate((ADA, ADA, BOB)):
        world.accrue(f"V-{number}", None, activity="visit", member=member)
    held, _ = world.hold("A", "free-cup", member=ADA)
    world.capture(held.redemption_id, member=ADA)
    MergeService(world.ledger, world.reversals).merge(world.program, BOB, absorbed=ADA, actor="staff-1")
    world.cancel(held.redemption_id, member=ADA)
    assert (world.wallet(BOB, CUPS).available, world.wallet(BOB).available) == (3, 0)
    world.proven(BOB)
