"""Accruals by several rules: what stands in the entry, what a reversal takes back, and what counts as the first."""

from typing import Any

import pytest

from loyalty.accruals.model import Activity, Refund
from loyalty.core.table import Table
from loyalty.ledger.draft import Posted
from loyalty.ledger.model import POINTS, EntryKey, EntryKind, Line
from loyalty.programs.model import Program
from tests.ledgerkit.deeds import BASE_RULE, eur, line, rule
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, NOON, World
from tests.unit.accruals.rules import CASHBACK, merge

SHOES = line("50", "shoes", 2, line_id="shoes")
SHIRT = line("50", "shirts", 1, line_id="shirt")
DOUBLE_SHOES = rule("double-shoes", multiplier="2", lines="line.category == 'shoes'")
THIRTY = rule("thirty", fixed_points=30)


def of_rules(*rules: dict[str, Any], **more: Any) -> Program:
    return program(earn_rules=[BASE_RULE, *rules], **more)


def bought(table: Table, of: Program, **more: Any) -> tuple[World, Posted]:
    world = World(table, of=of).enroll()
    return world, world.accrue("R-1", "100", lines=(SHOES, SHIRT), **more)


def test_an_entry_tells_what_each_rule_gave(table: Table) -> None:
    world, posted = bought(table, of_rules(DOUBLE_SHOES, THIRTY))
    facts = posted.entry.facts
    assert facts.rules == {POINTS: "base"}
    assert facts.rule_points == {POINTS: {"base": 100, "double-shoes": 50, "thirty": 30}}
    assert facts.lines == {"shoes": Line(2, eur("50.00"), {POINTS: 100}), "shirt": Line(1, eur("50.00"), {POINTS: 50})}
    assert world.store.entry("acme", MEMBER, posted.entry.key) == posted.entry
    assert world.proven().available == 180


def test_lines_that_earn_in_proportion_to_their_amounts_say_nothing_of_points(table: Table) -> None:
    _, posted = bought(table, of_rules(THIRTY, rule("double", multiplier="2")))
    assert posted.entry.facts.lines == {"shoes": Line(2, eur("50.00")), "shirt": Line(1, eur("50.00"))}


@pytest.mark.parametrize(
    ("back", "taken"),
    [
        ([{"lines": {"shoes": 2}}], [115]),  # its 100, and half of the 30 that are of no line
        ([{"lines": {"shirt": 1}}], [65]),
        ([{"lines": {"shoes": 1}}], [57]),  # 50, and a quarter of 30: 57.5
        ([{"lines": {"shoes": 1}}, {"lines": {"shoes": 1}}], [57, 58]),
        ([{"lines": {"shoes": 2}}, {"lines": {"shirt": 1}}], [115, 65]),
        ([{"lines": {"shirt": 1}}, {"lines": {"shoes": 2}}], [65, 115]),
        ([{"amount": "50"}], [90]),  # money is of no line: half of all
        ([{"amount": "50"}, {"lines": {"shoes": 2}}], [90, 90]),  # and then nothing is left
        ([{"lines": {"shoes": 2}}, {"amount": "25"}], [115, 45]),
        ([{"lines": {"shoes": 2}}, {"everything": True}], [115, 65]),
        ([{"everything": True}], [180]),
    ],
)
def test_a_line_given_back_takes_what_it_earned(table: Table, back: list[dict[str, Any]], taken: list[int]) -> None:
    world, _ = bought(table, of_rules(DOUBLE_SHOES, THIRTY))
    before = 180
    for number, (form, points) in enumerate(zip(back, taken, strict=True)):
        world.refund(f"F-{number}", "R-1", **form)
        before -= points
        assert world.proven().available == before


def test_lines_earn_in_each_wallet_by_its_own_rules(table: Table) -> None:
    shoes_only = rule("shoes-back", wallet="cashback", rates=BASE_RULE["rates"], lines="line.category == 'shoes'")
    world, posted = bought(table, of_rules(shoes_only, wallets=[CASHBACK]))
    assert posted.entry.facts.lines["shoes"].points == {"cashback": 50}
    assert posted.entry.facts.lines["shirt"].points == {}
    world.refund("F-1", "R-1", lines={"shirt": 1})
    assert (world.proven().available, world.wallet(wallet="cashback").available) == (50, 50)
    world.refund("F-2", "R-1", lines={"shoes": 1})
    assert (world.proven().available, world.wallet(wallet="cashback").available) == (25, 25)


def test_an_activity_of_which_no_rule_counts_is_posted_with_nothing(table: Table) -> None:
    world = World(table, of=program(earn_rules=[rule("web", fixed_points=5, when="channel == 'web'")])).enroll()
    first, again = world.accrue("R-1", "100"), world.accrue("R-1", "100")
    assert (first.replayed, again.replayed) == (False, True)
    assert (first.entry.movement.changes, first.entry.facts.rules, first.entry.seq) == ({}, {}, 1)
    world.refund("F-1", "R-1", "40")
    world.refund("F-2", "R-1", everything=True)
    assert world.proven().available == 0
    assert [entry.entry_id for entry in world.entries()] == ["accrual:pos:R-1", "reversal:pos:F-1", "reversal:pos:F-2"]


def test_old_entries_keep_their_meaning_under_new_rules(table: Table) -> None:
    world, _ = bought(table, of_rules())
    later = World(table, of=program(2, earn_rules=[rule("new", fixed_points=5)]), clock=world.clock)
    later.refund("F-1", "R-1", lines={"shoes": 1})
    assert later.book().wallet().available == 75


WELCOME = rule("welcome", fixed_points=50, when="member.first")


class TestFirst:
    def test_only_the_first_that_counts_is_the_first(self, table: Table) -> None:
        world = World(table, of=of_rules(WELCOME)).enroll()
        assert [world.accrue(source_id, "100").entry.points for source_id in ("R-1", "R-2")] == [150, 100]
        assert world.book().qualifying == {"2026": 250, "count.purchase/ever": 2}
        assert world.audit() == []

    def test_a_first_that_is_taken_back_wholly_was_none(self, table: Table) -> None:
        world = World(table, of=of_rules(WELCOME)).enroll()
        world.accrue("R-1", "100")
        world.refund("F-1", "R-1", "40")
        assert world.book().qualifying["count.purchase/ever"] == 1
        world.refund("F-2", "R-1", "60")
        assert "count.purchase/ever" not in world.book().qualifying
        world.accruals.reverse(world.program, MEMBER, Refund("pos", "F-3", "R-1", NOON, everything=True), clamp=True)
        assert "count.purchase/ever" not in world.book().qualifying
        assert world.accrue("R-2", "100").entry.points == 150
        assert world.audit() == []

    def test_nothing_is_counted_where_no_rule_asks(self, table: Table) -> None:
        world = World(table, of=of_rules({**WELCOME, "activity": "review"})).enroll()
        world.accrue("R-1", "100")
        assert world.book().qualifying == {"2026": 100}
        world.accrue("V-1", None, activity="review")
        assert world.book().qualifying == {"2026": 150, "count.review/ever": 1}

    def test_a_merge_adds_the_counts_up(self, table: Table) -> None:
        world = World(table, of=of_rules(WELCOME)).enroll("mbr_a", "mbr_b")
        world.accrue("R-1", "100", member="mbr_a")
        merge(world, "mbr_a", "mbr_b")
        assert world.accrue("R-2", "100", member="mbr_b").entry.points == 100
        assert world.audit() == []


def test_a_preview_is_what_an_accrual_gives_and_writes_nothing(table: Table) -> None:
    world = World(table, of=of_rules(DOUBLE_SHOES, WELCOME)).enroll()
    activity = Activity("purchase", "pos", "R-1", world.occurred_at, amount=eur("100"), lines=(SHOES, SHIRT))
    before = world.dump()
    seen = world.accruals.preview(world.program, MEMBER, activity)
    assert world.dump() == before
    posted = world.accruals.accrue(world.program, MEMBER, activity)
    assert (
        seen.earned[0].rules
        == posted.entry.facts.rule_points[POINTS]
        == {"base": 100, "double-shoes": 50, "welcome": 50}
    )
    assert posted.entry.key == EntryKey(EntryKind.ACCRUAL, "pos", "R-1")
