"""What other rules would have given: by hand, and nothing where the rules are the same."""

from decimal import Decimal
from typing import Any

import pytest

from loyalty.accruals.model import Activity, BoughtLine, Refund
from loyalty.core.table import Table
from loyalty.programs.model import PointCost, Program
from loyalty.simulating.model import Both, Period
from loyalty.simulating.report import BothCosts, BudgetRow, LadderRow, Points, Report, RuleRow
from loyalty.simulating.service import simulate
from loyalty.simulating.views import percent, report_view
from tests.ledgerkit.clock import at
from tests.ledgerkit.deeds import BASE_RULE, eur, rule
from tests.ledgerkit.moves import ADA, BOB, Moves
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.story import Story, bought
from tests.ledgerkit.world import World
from tests.unit.simulating.spring import DRAFT, NOW, spring

YEAR = Period(None, at("2026-12-31"))


def compared(
    table: Table, now: Program, period: Period = YEAR, *, cost: PointCost | None = None, **draft: Any
) -> Report:
    """The version in force beside one with other fields."""
    return simulate(table, now, program(2, **draft), period, point_cost=cost).report


def points(report: Report) -> dict[str | None, tuple[int, int, int]]:
    """Of the wallet of points: posted, now, draft."""
    rows = (*report.tiers, report.total)
    return {
        row.tier: (row.points["points"].posted, row.points["points"].both.now, row.points["points"].both.draft)
        for row in rows
    }


def test_three_members_by_hand(table: Table) -> None:
    report = compared(table, spring(table).program, **DRAFT)
    assert points(report) == {"bronze": (250, 250, 350), "silver": (110, 110, 130), None: (360, 360, 480)}
    assert [(row.activities, row.members) for row in (*report.tiers, report.total)] == [(4, 3), (2, 2), (6, 3)]
    assert report.rules == (
        RuleRow("points", "base", Both(410, 730)),
        RuleRow("points", "double", Both(150, 75)),
    )
    assert report.ladders == (LadderRow("status", {"bronze": Both(2, 0), "silver": Both(1, 3)}, up=2, down=0),)
    assert report.budgets == (BudgetRow("sale", 100, 50, Both(100, 50)),)
    assert report.liability == {"points": Both(360, 480)}
    assert report.liability_costs == {"EUR": BothCosts(Decimal("1.80"), Decimal("2.40"))}
    assert report.total.costs == {"EUR": BothCosts(Decimal("1.80"), Decimal("2.40"))}
    assert (report.complete, report.costs_known, report.refused) == (True, True, {})


def test_what_was_before_the_period_is_as_it_was(table: Table) -> None:
    """From the 4th on: ada is on silver, 200 of her cap are used and the budget is; what comes back of R-1 and R-2 is theirs.

    Half of R-1 gives 50 of the posted 100 back to the budget: of the draft's 50 then nothing is left. In the draft bob
    buys on bronze, and so does cleo.
    """
    report = compared(table, spring(table).program, Period(at("2026-03-04"), YEAR.end), **DRAFT)
    assert points(report) == {"bronze": (160, 160, 220), None: (160, 160, 220)}
    assert report.ladders[0].tiers == {"bronze": Both(2, 1), "silver": Both(1, 2)}
    assert report.budgets == (BudgetRow("sale", 100, 50, Both(100, 50)),)
    assert report.liability == {"points": Both(160, 220)}


def test_the_version_in_force_beside_itself_differs_in_nothing(table: Table) -> None:
    now = spring(table).program
    view = report_view(compared(table, now, **NOW))

    def differences(part: Any) -> list[Any]:
        if isinstance(part, list):
            return [one for each in part for one in differences(each)]
        if not isinstance(part, dict):
            return []
        own = [part["difference"]] if "difference" in part else []
        return own + [one for each in part.values() for one in differences(each)]

    found = differences(view)
    assert len(found) > 10
    assert {Decimal(one) for one in found} == {0}


def test_points_that_would_have_expired_are_no_liability(table: Table) -> None:
    """360 points of March: after one month they are gone at the end of April, after twelve they are not."""
    now = spring(table).program
    draft = {**NOW, "expiry": {"policy": "rolling", "months": 1}}
    assert compared(table, now, Period(None, at("2026-04-30T23:00:00Z")), **draft).liability == {
        "points": Both(360, 360)
    }
    assert compared(table, now, Period(None, at("2026-05-01")), **draft).liability == {"points": Both(360, 0)}


def test_what_had_expired_is_not_taken_from_what_had_not(table: Table) -> None:
    """100 of January are gone with February; of these half comes back in March, and the 50 of March stay."""
    now = program(expiry={"policy": "rolling", "months": 1})
    story = Story(table, now, "2026-01-01T10:00")
    story.at("2026-01-10T10:00").did("purchase", "100")
    story.at("2026-03-05T10:00").gave_back("R-1", "50")
    story.at("2026-03-06T10:00").did("purchase", "50")
    assert story.available() == 50
    report = compared(table, now, Period(None, at("2026-03-10")), expiry={"policy": "rolling", "months": 12})
    assert report.liability == {"points": Both(50, 100)}
    assert points(report)[None] == (100, 100, 100)


def test_who_spends_keeps_points_alive_where_activity_does(table: Table) -> None:
    """100 of January live through February; what is spent in it lets the rest live through March."""
    now = program(expiry={"policy": "inactivity", "months": 1})
    story = Story(table, now, "2026-01-01T10:00")
    story.at("2026-01-10T10:00").did("purchase", "100")
    story.at("2026-02-20T10:00").redeemed("ten")
    assert story.at("2026-03-15T10:00").available() == 90
    report = compared(table, now, Period(None, at("2026-03-15")), expiry={"policy": "rolling", "months": 1})
    assert report.liability == {"points": Both(100, 0)}


def test_who_spends_of_a_further_wallet_keeps_that_one_alive(table: Table) -> None:
    """The points of January are over with February; the cups, of which ten are spent in it, are not."""
    lasts = {"policy": "inactivity", "months": 1}
    more: dict[str, Any] = {
        "wallets": [{"id": "cups", "name": "Cups", "expiry": lasts}],
        "earn_rules": [*BASE["earn_rules"], rule("cup", wallet="cups", fixed_points=100)],
        "rewards": [{"id": "cup", "name": "A cup", "type": "perk", "points": 10, "wallet": "cups"}],
    }
    story = Story(table, program(expiry=lasts, **more), "2026-01-01T10:00")
    story.at("2026-01-10T10:00").did("purchase", "100")
    story.at("2026-02-20T10:00").redeemed("cup")
    story.at("2026-03-15T10:00")
    assert (story.available(), story.available("cups")) == (0, 90)
    spring = Period(None, at("2026-03-15"))
    report = compared(table, story.world.program, spring, expiry={"policy": "rolling", "months": 12}, **more)
    assert report.liability == {"points": Both(0, 100), "cups": Both(100, 100)}
    gone = compared(table, story.world.program, spring, expiry=lasts)
    assert gone.liability == {"points": Both(0, 0), "cups": Both(100, 0)}


def test_what_an_operator_recalculates_is_recalculated_then(table: Table) -> None:
    """By a version that asks for less; in the draft the member was not high enough then either."""
    story = Story(table, program(), "2026-01-01T10:00")
    story.at("2026-01-10T10:00").did("purchase", "300")
    lower = [{**tier, "threshold": tier["threshold"] // 2} for tier in BASE["tiers"]]
    now = program(2, tiers=lower)
    story.at("2026-02-10T10:00").world.tiers.recalculate(now, "mbr_1", cause="run:2", posted_at=story.world.clock())
    story.world.program = now
    assert story.at("2026-02-11T10:00").did("purchase", "100") == {"points": 125}
    report = compared(table, now, Period(at("2026-02-01"), YEAR.end))
    assert points(report)[None] == (125, 125, 100)


def test_lines_attributes_and_money_are_replayed_as_they_were_told(table: Table) -> None:
    now = program(earn_rules=[BASE_RULE])
    story = Story(table, now, "2026-01-10T10:00")
    story.at("2026-03-01T10:00").did(
        "purchase", "100", bought("60", "shoes", 2), bought("40"), attributes={"size": "l"}
    )
    rules = [
        BASE_RULE,
        rule("shoes", multiplier="3", lines="line.category == 'shoes'"),
        rule("large", fixed_points=5, when="has(attributes.size) && attributes.size == 'l'"),
        rule("cents", wallet="cash", rates=[{"points": 2, "per": "1", "currency": "EUR"}]),
    ]
    wallets = [{"id": "cash", "name": "Cash", "currency": "EUR", "expiry": {"policy": "never"}}]
    report = compared(table, now, earn_rules=rules, wallets=wallets)
    assert report.total.points == {"points": Points(100, Both(100, 225)), "cash": Points(0, Both(0, 200))}
    assert report.total.costs == {"EUR": BothCosts(Decimal("0.00"), Decimal("2.00"))}
    assert not report.costs_known
    # The shoes come back: in the draft the 180 that they earned, and 60 % of the 5 that are of no line, and of the cents.
    story.at("2026-03-02T10:00").gave_back("R-1", L_1=2)
    after = compared(table, now, earn_rules=rules, wallets=wallets)
    assert after.total.points == {"points": Points(40, Both(40, 42)), "cash": Points(0, Both(0, 80))}


def test_what_a_point_costs_may_be_given_and_is_rounded_once(table: Table) -> None:
    """360 and 480 points at 0.00125 EUR are 0.45 and 0.60; the parts of it, 0.3125 and 0.1375, are rounded by themselves."""
    cost = PointCost(amount=Decimal("0.00125"), currency="EUR")
    report = compared(table, spring(table).program, cost=cost, **DRAFT)
    assert report.total.costs == {"EUR": BothCosts(Decimal("0.45"), Decimal("0.60"))}
    assert [row.costs["EUR"].now for row in report.tiers] == [Decimal("0.31"), Decimal("0.14")]


def test_what_the_draft_refuses_is_counted_and_gives_nothing(table: Table) -> None:
    world = spring(table)
    report = compared(table, world.program, earn_rules=[rule("visits", fixed_points=9) | {"activity": "visit"}])
    assert report.refused == {"activity_not_rewarded": Both(0, 6)}
    assert points(report)[None] == (360, 360, 0)
    assert report.ladders[0].down == 1


def test_entries_from_before_details_were_kept_are_told_of_where_rules_ask(table: Table) -> None:
    world = World(table, of=program(earn_rules=[BASE_RULE])).enroll()
    line = BoughtLine(eur("100"), 1, "a", category="shoes")
    world.accruals.accrue(
        world.program, "mbr_1", Activity("purchase", "pos", "R-1", world.clock(), amount=eur("100"), lines=(line,))
    )
    forget(table)
    plain = compared(
        table, world.program, earn_rules=[{**BASE_RULE, "rates": [{"points": 3, "per": "1", "currency": "EUR"}]}]
    )
    assert (points(plain)[None], plain.complete) == ((100, 100, 300), True)
    asking = compared(
        table, world.program, earn_rules=[BASE_RULE, rule("shoes", multiplier="2", lines="line.category == 'shoes'")]
    )
    assert (points(asking)[None], asking.partly_known, asking.complete) == ((100, 100, 100), 1, False)


def forget(table: Table) -> None:
    """Leaves entries as they were before they kept what rules ask."""
    for raw in list(table.scan()):
        if "told" in raw:
            table.client.put_item(
                TableName=table.name, Item={name: value for name, value in raw.items() if name != "told"}
            )


def test_what_cannot_be_read_is_counted(table: Table) -> None:
    world = spring(table)
    raw = next(raw for raw in table.scan() if raw["sk"]["S"] == "ENTRY#accrual#pos#R-1")
    table.client.put_item(TableName=table.name, Item={**raw, "told": {"S": "{"}})
    report = compared(table, world.program, **DRAFT)
    assert (report.unreadable, report.complete, report.activities) == (1, False, 5)
    table.client.put_item(TableName=table.name, Item={**raw, "posted_at": {"S": "yesterday"}})
    report = compared(table, world.program, **DRAFT)
    assert (report.unreadable, report.complete, report.activities) == (1, False, 5)


def test_a_reversal_that_came_first_keeps_a_tier_from_being_reached(table: Table) -> None:
    """It is posted with its accrual: whoever looks at tiers finds nothing left."""
    world = World(table, of=program()).enroll()
    world.reversals.reverse(world.program, "mbr_1", Refund("pos", "F-1", "R-1", world.clock(), everything=True))
    world.clock.advance(hours=1)
    posted = world.accrue("R-1", "600")
    assert world.tiers.recalculate(world.program, "mbr_1", cause=posted.entry.entry_id, posted_at=world.clock()) is None
    report = compared(table, world.program)
    assert report.ladders[0].tiers["silver"] == Both(0, 0)
    assert points(report)[None] == (0, 0, 0)


def test_who_was_merged_brings_what_they_used_of_a_cap(table: Table) -> None:
    """60 of 100 are ada's, 60 bob's: together nothing is left. Of a cap of 150, 30 would be."""
    now = program(earn_rules=[{**BASE_RULE, "caps": [{"per": "month", "points": 100}]}])
    moves = Moves(table, of=now).enroll()
    for number, member in enumerate((ADA, BOB)):
        moves.world.accrue(f"R-{number}", "60", member=member)
    moves.world.clock.advance(hours=1)
    moves.merging.merge(now, ADA, absorbed=BOB, actor="staff-1")
    moves.world.clock.advance(hours=1)
    assert moves.world.accrue("R-2", "60", member=ADA).entry.points == 0
    higher = [{**BASE_RULE, "caps": [{"per": "month", "points": 150}]}]
    report = compared(table, now, earn_rules=higher)
    assert points(report)[None] == (120, 120, 150)
    assert (report.members, report.ladders[0].tiers["bronze"]) == (2, Both(2, 2))
    assert points(compared(table, now, Period(moves.world.clock(), YEAR.end), earn_rules=higher))[None] == (0, 0, 30)


def test_first_times_are_told_from_entries_where_nobody_counted_them(table: Table) -> None:
    """Each of the three buys for the first time, bob twice, as he returned R-2; from the 3rd on he and cleo do."""
    now = spring(table).program
    first = {
        **NOW,
        "earn_rules": [
            *NOW["earn_rules"],
            rule("first", fixed_points=1000, tier_multiplied=False, when="member.first"),
        ],
    }
    whole = compared(table, now, **first)
    assert {row.rule: row.both.draft for row in whole.rules}["first"] == 4000
    later = compared(table, now, Period(at("2026-03-03"), YEAR.end), **first)
    assert {row.rule: row.both.draft for row in later.rules}["first"] == 2000


def test_nothing_in_a_period_is_an_empty_report(table: Table) -> None:
    world = spring(table)
    report = compared(table, world.program, Period(at("2026-01-01"), at("2026-02-01")), **DRAFT)
    assert (report.activities, report.tiers, points(report)) == (0, (), {None: (0, 0, 0)})


@pytest.mark.parametrize(
    ("both", "text"),
    [
        (Both(300, 400), "+33.3"),
        (Both(400, 300), "-25.0"),
        (Both(5, 5), "+0.0"),
        (Both(0, 5), None),
        (Both(-10, -5), "+50.0"),
    ],
)
def test_percent(both: Both, text: str | None) -> None:
    assert percent(both) == text
