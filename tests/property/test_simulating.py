"""A period replayed under the version that was in force throughout gives what was posted: points, tiers and counts.

Members earn, give back (also before they have earned), are granted tiers, spend, and are merged, through the real services;
the replay reads nothing but their entries. So whatever it says of other rules, it says by rules that were proved.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from loyalty.accruals.model import Activity, BoughtLine, Refund
from loyalty.core.errors import LoyaltyError
from loyalty.core.table import Table
from loyalty.ledger.model import Book, EntryKind
from loyalty.ledger.settlement import as_of
from loyalty.programs.model import Program
from loyalty.simulating.model import Period, issued
from loyalty.simulating.service import Simulation, simulate
from loyalty.tiers.grants import Asked, TierGrants
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.deeds import BASE_RULE, eur, rule
from tests.ledgerkit.moves import ADA, BOB, CLEO, Moves
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.world import World

MEMBERS = (ADA, BOB, CLEO)
START = at("2026-01-20T12:00:00Z")
CAMPAIGN = {
    "id": "sale", "name": "Sale", "starts_at": "2026-02-01T00:00", "ends_at": "2027-06-01T00:00", "budget_points": 300,
    "caps": [{"per": "week", "times": 2}],
}  # fmt: skip
RULES = [
    {**BASE_RULE, "caps": [{"per": "month", "points": 400}], "return_days": 10},
    rule("shoes", multiplier="2", lines="line.category == 'shoes'", campaign="sale", return_days=10),
    rule("first", fixed_points=30, when="member.first", tier_multiplied=False, return_days=10),
    rule("gold", fixed_points=7, when="member.tiers['fans'] == 'fan' && has(attributes.size)", return_days=10),
    {"id": "cents", "activity": "purchase", "wallet": "cash", "rates": [{"points": 1, "per": "2", "currency": "EUR"}]},
    {"id": "review", "activity": "review", "fixed_points": 25, "caps": [{"per": "day", "times": 1}]},
]
QUALIFICATIONS = [
    {},
    {"metric": "spend", "currency": "EUR", "period": "rolling_months", "months": 2},
    {"period": "anniversary_year"},
]
DOWNGRADES = [
    {},
    {"by": "achievement", "valid_through": "next_period", "grace_days": 5},
    {"by": "one_level", "after_reversal": "at_once"},
]
EXPIRIES = [{"policy": "rolling", "months": 2}, {"policy": "inactivity", "months": 1}, {"policy": "never"}]


def drawn_program(
    qualification: dict[str, Any], downgrade: dict[str, Any], expiry: dict[str, Any], when: str
) -> Program:
    """Two ladders, of which the second falls at once; caps, a budget, lines, first times, pending points, money."""
    fans = {
        "id": "fans", "name": "Fans",
        "tiers": [{"id": "guest", "name": "Guest", "threshold": 0}, {"id": "fan", "name": "Fan", "threshold": 2}],
        "qualification": {"metric": "activities", "activities": ["purchase", "review"], "period": "rolling_months", "months": 1},
        "downgrade": {"by": "achievement", "after_reversal": "at_once", "warn_days": [3]},
    }  # fmt: skip
    tiers = [dict(tier, threshold=(0, 150, 400)[place]) for place, tier in enumerate(BASE["tiers"])]
    return program(
        earn_rules=RULES,
        campaigns=[CAMPAIGN | {"when_exhausted": when}],
        tiers=tiers,
        qualification=qualification,
        downgrade=downgrade,
        ladders=[fans],
        currencies=[{"currency": "EUR", "rate": "1"}],
        wallets=[{"id": "cash", "name": "Cash", "currency": "EUR", "expiry": expiry}],
        expiry=expiry,
        time_zone="Europe/Rome",
    )


@dataclass(frozen=True)
class Step:
    """What somebody does after ``hours``; ``of``: which accrual a refund is of, counted from the first."""

    act: str
    member: str
    hours: int
    euros: int
    shoes: int
    of: int


STEPS = st.lists(
    st.builds(
        Step,
        act=st.sampled_from(["buy"] * 6 + ["review", "refund", "refund", "line", "all", "early", "grant", "end", "spend", "merge"]),
        member=st.sampled_from(MEMBERS),
        hours=st.sampled_from([0, 1, 24, 24, 24 * 9, 24 * 20, 24 * 45, 24 * 200]),
        euros=st.integers(1, 300),
        shoes=st.integers(0, 100),
        of=st.integers(0, 11),
    ),
    min_size=3,
    max_size=14,
)  # fmt: skip


class Life:
    """Members of a program, through the real services; each posting is followed by what its event brings."""

    def __init__(self, table: Table, of: Program) -> None:
        self.moves = Moves(table, of=of, clock=SettableClock(START)).enroll()
        self.world: World = self.moves.world
        self.program = of
        self.grants = TierGrants(self.world.ledger)
        self.earned: list[tuple[str, str]] = []
        """Member and source id of each accrual."""
        self.spent = False
        self.refused = 0

    def do(self, number: int, step: Step) -> None:
        self.world.clock.advance(hours=step.hours, milliseconds=1)
        self.world.occurred_at = self.world.clock()
        try:
            self._do(number, step)
        except LoyaltyError:
            self.refused += 1  # there is no such accrual, nothing is left of it, the member is merged: as in life

    def _do(self, number: int, step: Step) -> None:
        world, key = self.world, f"k{number}"
        asked = Asked("status", "goodwill", "staff-1", "app", key)
        match step.act:
            case "buy" | "review":
                posted = world.accruals.accrue(self.program, step.member, self._activity(number, step))
                self.earned.append((step.member, f"R-{number}"))
                self._wake(step.member, posted.entry.entry_id)
            case "early":
                refund = self._refund(number, f"R-{number + 1 + step.of % 2}", step)
                world.reversals.reverse(self.program, step.member, refund)
            case "refund" | "line" | "all" if self.earned:
                member, of = self.earned[step.of % len(self.earned)]
                posted = world.accruals.reverse(self.program, member, self._refund(number, of, step))
                self._wake(member, posted.entry.entry_id)
            case "grant":
                until = (world.clock() + timedelta(days=step.shoes)).date()
                self.grants.grant(self.program, step.member, asked, tier="gold", until=until)
            case "end":
                self.grants.end(self.program, step.member, asked)
            case "spend":
                world.hold(key, "ten", member=step.member)
                self.spent = True
            case "merge":
                into = MEMBERS[(MEMBERS.index(step.member) + 1 + step.of % 2) % 3]
                self.moves.merging.merge(self.program, into, absorbed=step.member, actor="staff-1")

    def _activity(self, number: int, step: Step) -> Activity:
        rest = step.euros - step.euros * step.shoes // 100
        lines = (
            BoughtLine(eur(str(step.euros - rest)), 2, "b", category="shoes"),
            BoughtLine(eur(str(rest)), 1, "a", category="shirts"),
        )
        return Activity(
            "review" if step.act == "review" else "purchase", "pos", f"R-{number}", self.world.clock(), "web",
            amount=eur(str(step.euros)), lines=lines, attributes={"size": "l"} if step.shoes % 2 else {},
        )  # fmt: skip

    def _refund(self, number: int, of: str, step: Step) -> Refund:
        form: dict[str, Any] = {"amount": eur(str(step.euros))}
        if step.act == "line":
            form = {"lines": {"b": 1}}
        elif step.act == "all" or step.shoes % 3 == 0:
            form = {"everything": True}
        return Refund("pos", f"F-{number}", of, self.world.clock(), **form)

    def _wake(self, member: str, cause: str) -> None:
        self.world.tiers.recalculate(self.program, member, cause=cause, posted_at=self.world.clock())


def require_as_posted(life: Life, found: Simulation, period: Period) -> None:
    world, replay = life.world, found.now
    assert found.report.complete
    points, in_period = Counter[str](), set[str]()
    for entry in sorted((one for member in MEMBERS for one in world.entries(member)), key=lambda one: one.posted_at):
        if entry.key.kind is EntryKind.ACCRUAL and period.has(entry.posted_at):
            in_period.add(entry.entry_id)
        if entry.entry_id in in_period or entry.facts.reverses in in_period:
            points.update(issued(entry))
    for row in (*found.report.tiers, found.report.total):
        for wallet, one in row.points.items():
            assert one.posted == one.both.now == one.both.draft, (row.tier, wallet)
    assert found.report.activities == len(in_period)
    assert {wallet: one.posted for wallet, one in found.report.total.points.items() if one.posted} == {
        wallet: number for wallet, number in points.items() if number
    }
    for member in MEMBERS:
        book = as_of(world.book(member), life.program.scope, period.end)
        assert stands(replay.books[member]) == stands(book), member
    assert all(one.both.difference == 0 for one in found.report.rules)
    assert all(one.difference == 0 for one in found.report.liability.values())
    if period.start is None and not life.spent:
        books = [as_of(world.book(member), life.program.scope, period.end) for member in MEMBERS]
        for wallet in ("points", "cash"):
            owed = [one.available + one.pending - one.debt for one in (book.wallet(wallet) for book in books)]
            assert replay.liability().get(wallet, 0) == sum(owed), wallet
    require_same_counts(world, found)


def stands(book: Book) -> dict[str, Any]:
    """What of a book the replay knows."""
    return {
        "tier": book.tier, "standings": dict(book.standings), "counted": dict(book.qualifying), "into": book.merged_into,
        "absorbed": set(book.absorbed), "opened": book.opened_at,
    }  # fmt: skip


def require_same_counts(world: World, found: Simulation) -> None:
    caps, spent = Counter[tuple[str, str, str]](), 0
    for (pk, sk), raw in world.dump().items():
        if pk.startswith("B#"):
            spent += int(raw["spent"]["N"])
        elif sk.startswith("CAPS#"):
            for name, counted in raw["used"]["M"].items():
                caps[pk.split("#")[2], sk.removeprefix("CAPS#"), name] = int(counted["N"])
    replayed = {
        (member_id, key.window, f"{key.owner}|{key.unit}"): number
        for (member_id, key), number in found.now.counts._caps.items()
        if number
    }
    assert replayed == dict(caps)
    assert found.now.counts.spent("sale") == spent


PROGRAMS = st.builds(
    drawn_program,
    st.sampled_from(QUALIFICATIONS),
    st.sampled_from(DOWNGRADES),
    st.sampled_from(EXPIRIES),
    st.sampled_from(["partial", "nothing"]),
)


@settings(max_examples=60, deadline=None)
@given(of=PROGRAMS, steps=STEPS, since=st.none() | st.integers(0, 10))
def test_a_replay_by_the_same_rules_gives_what_was_posted(
    memory_table: Table, of: Program, steps: list[Step], since: int | None
) -> None:
    empty_table(memory_table)
    life = Life(memory_table, of)
    start = None
    for number, step in enumerate(steps):
        if number == since:
            start = life.world.clock() + timedelta(hours=step.hours, milliseconds=1)
        life.do(number, step)
    assert life.world.audit() == []
    period = Period(start, life.world.clock() + timedelta(milliseconds=1))
    found = simulate(memory_table, life.program, life.program, period)
    event(f"activities: {min(found.report.activities, 3)}, refused: {min(life.refused, 2)}")
    require_as_posted(life, found, period)
