"""Months of a program in which everything happens that can, posted by the services themselves."""

from loyalty.accruals.model import BoughtLine, Refund
from loyalty.core.money import Money
from loyalty.core.table import RawItem, Table
from loyalty.privacy.closing import closing, require_no_holds
from loyalty.programs.model import Program
from loyalty.rewards.model import Party
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN, Moves, generous
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.world import World

EVE = "mbr_" + "e" * 26
FAY = "mbr_" + "f" * 26
PROGRAM = generous(
    time_zone="Asia/Jakarta",
    reversal="clamp_with_debt",
    expiry={"policy": "rolling", "months": 2, "grace_days": 10, "warn_days": [7]},
    ladders=[
        {
            "id": "club",
            "name": "Club",
            "tiers": [
                {"id": "guest", "name": "Guest", "threshold": 0},
                {"id": "friend", "name": "Friend", "threshold": 100},
            ],
            "qualification": {"period": "rolling_months", "months": 2},
            "downgrade": {"by": "achievement", "warn_days": [3]},
        }
    ],
    wallets=[
        {"id": "stars", "name": "Stars", "expiry": {"policy": "inactivity", "months": 1, "warn_days": []}},
        {"id": "cash", "name": "Cash", "currency": "EUR", "expiry": {"policy": "never"}},
    ],
    earn_rules=[
        *BASE["earn_rules"],
        {"id": "stars", "activity": "purchase", "wallet": "stars", "fixed_points": 8},
        {
            "id": "cash",
            "activity": "purchase",
            "wallet": "cash",
            "rates": [{"points": 5, "per": "1", "currency": "EUR"}],
        },
        {
            "id": "delivery",
            "activity": "delivery",
            "return_days": 14,
            "rates": [{"points": 1, "per": "1", "currency": "EUR"}],
        },
    ],
)
PLAIN = program(id="plain")
"""Another program in the same table: a reversal of spent points leaves fewer than none."""


def told(table: Table) -> dict[str, Program]:
    """Tells the story; the programs that it is of, by id."""
    moves = Moves(table, of=PROGRAM, clock=SettableClock(at("2026-01-05T03:00:00Z"))).enroll(ADA, BOB, CLEO, DAN, FAY)
    world = moves.world
    _reversals(world)
    _holds(world)
    _moves(moves)
    _debt(world)
    _merge(moves)
    _dues(world)
    _erased(world)
    _below_zero(World(table, of=PLAIN).enroll(EVE))
    return {PROGRAM.document.id: PROGRAM, PLAIN.document.id: PLAIN}


def _eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def _reversals(world: World) -> None:
    """Of every kind: by money, by lines, of everything, before the accrual, while pending."""
    world.accrue("R-1", "600", member=ADA)
    world.recalculate("R-1", member=ADA)
    lines = (BoughtLine(_eur("60.00"), 2, "a"), BoughtLine(_eur("40.00"), 1, "b"))
    world.accrue("R-2", "100", member=ADA, lines=lines)
    world.accrue("R-3", "10", member=ADA)
    world.refund("F-1", "R-1", "30", member=ADA)
    world.refund("F-2", "R-2", member=ADA, lines={"a": 1})
    world.refund("F-3", "R-3", member=ADA, everything=True)
    world.accrue("D-1", "200", member=ADA, activity="delivery")
    world.refund("F-4", "D-1", "50", member=ADA)
    for refund, of in (("F-5", "R-5"), ("F-6", "R-6"), ("F-7", "R-7")):
        amount = Money.of("5.00", "USD") if of == "R-7" else _eur("5.00")
        world.reversals.reverse(world.program, ADA, Refund("pos", refund, of, world.clock(), amount))
    world.accrue("R-5", "20", member=ADA)
    world.accrue("R-7", "20", member=ADA)


def _holds(world: World) -> None:
    """Ended in each way, by time too, and open."""
    holds = {name: world.hold(name, "coffee", 2, member=ADA)[0] for name in ("captured", "released", "cancelled")}
    world.capture(holds["captured"].redemption_id, member=ADA, points=60)
    world.release(holds["released"].redemption_id, member=ADA)
    world.capture(holds["cancelled"].redemption_id, member=ADA)
    world.cancel(holds["cancelled"].redemption_id, member=ADA)
    world.hold("timed out", "ten", member=ADA, hold_minutes=30)
    world.hold("card", "card", member=ADA)
    world.clock.advance(days=1)


def _moves(moves: Moves) -> None:
    """Adjustments, gifts, and a household."""
    moves.adjust(50, key="up")
    moves.adjust(-20, key="down")
    approved, _ = moves.adjust(2_000, key="approved")
    moves.approve(approved.adjustment_id)
    rejected, _ = moves.adjust(3_000, key="rejected")
    moves.reject(rejected.adjustment_id)
    moves.adjust(4_000, key="proposed")
    moves.give(100)
    moves.give(6, key="stars", wallet="stars")
    household = moves.found(ADA, BOB)
    moves.contribute(household.household_id, 80)
    moves.withdraw(household.household_id, 30, member=BOB)
    moves.world.clock.advance(days=1)


def _debt(world: World) -> None:
    """Spent points taken back leave a debt; part of it is paid."""
    world.accrue("R-1", "100", member=DAN)
    held, _ = world.hold("dan", "coffee", 2, member=DAN)
    world.capture(held.redemption_id, member=DAN)
    world.refund("F-1", "R-1", member=DAN, everything=True)
    world.accrue("R-2", "30", member=DAN)


def _merge(moves: Moves) -> None:
    """Cleo becomes Dan; what was earned and spent before is reversed and cancelled after."""
    world = moves.world
    world.accrue("C-1", "110", member=CLEO)
    world.accrue("C-2", "40", member=CLEO, activity="delivery")
    held, _ = world.hold("cleo", "coffee", member=CLEO)
    world.capture(held.redemption_id, member=CLEO)
    moves.give(25, key="to Cleo", to=CLEO)
    moves.merge(CLEO, into=DAN)
    world.refund("G-1", "C-1", "11", member=DAN)
    world.cancel(held.redemption_id, member=DAN)
    moves.adjust(15, key="after", member=CLEO)
    world.clock.advance(days=1)


def _dues(world: World) -> None:
    """Points mature, are renewed, warned of, expire; what expired is taken back, what was held comes back with grace."""
    world.clock.set("2026-02-10T03:00:00Z")
    world.accrue("R-8", "40", member=ADA)
    world.clock.set("2026-03-30T03:00:00Z")
    late, _ = world.hold("late", "coffee", member=ADA, hold_minutes=10_000)
    world.hold("timed out late", "ten", member=ADA, hold_minutes=9_000)
    world.clock.set("2026-04-03T03:00:00Z")
    world.release(late.redemption_id, member=ADA)
    world.refund("F-8", "R-1", "100", member=ADA)
    world.settle(BOB)
    world.clock.set("2026-04-25T03:00:00Z")
    world.accrue("R-9", "500", member=ADA)
    card = next(entry for entry in world.entries(ADA) if entry.facts.reward_id == "card").facts.redemption_id
    assert card is not None
    world.release(card, member=ADA, by=Party.FULFILLMENT)
    world.hold("open", "ten", member=ADA)
    world.accrue("D-9", "80", member=ADA, activity="delivery")


def _erased(world: World) -> None:
    """Fay is erased, with points in three wallets; what she bought and spent is reversed and cancelled after it."""
    world.accrue("Y-1", "120", member=FAY)
    world.accrue("Y-2", "60", member=FAY, activity="delivery")
    held, _ = world.hold("fay", "coffee", member=FAY)
    world.capture(held.redemption_id, member=FAY)
    posting = closing(
        world.program,
        FAY,
        actor="staff-1",
        approved_by="staff-2",
        records=(),
        require_free=require_no_holds,
        beside=lambda _situation: [],
    )
    assert world.ledger.post(world.program.scope, FAY, posting)
    world.refund("Z-1", "Y-1", "12", member=FAY)
    world.refund("Z-2", "Y-2", member=FAY, everything=True)
    world.cancel(held.redemption_id, member=FAY)


def _below_zero(world: World) -> None:
    world.accrue("R-1", "100", member=EVE)
    held, _ = world.hold("eve", "coffee", 2, member=EVE)
    world.capture(held.redemption_id, member=EVE)
    world.refund("F-1", "R-1", "60", member=EVE)
    world.accrue("R-2", "10", member=EVE)


def stored(table: Table) -> dict[tuple[str, str], RawItem]:
    """Every item."""
    return {(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in table.scan()}
