"""The examples of docs/earning.md: each number that it promises, under the words that it promises it with."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from loyalty.core.table import Table
from loyalty.programs.conditions import OF_ACTIVITY, OF_LINE
from loyalty.programs.model import ProgramDocument
from loyalty.programs.worth import RuleReason
from tests.ledgerkit.deeds import BASE_RULE, eur, line, points, program_of, purchase, rule
from tests.ledgerkit.programs import document, program
from tests.ledgerkit.world import World

TEXT = (Path(__file__).parents[3] / "docs" / "earning.md").read_text()
DOUBLE, TRIPLE = rule("double", multiplier="2"), rule("triple", multiplier="3")


def test_double_points_on_gold() -> None:
    assert points(program_of(DOUBLE), purchase("100"), "gold") == {"base": 150, "double": 100}


def test_double_and_triple() -> None:
    assert sum(points(program_of(DOUBLE, TRIPLE), purchase("100")).values()) == 400
    both = {**TRIPLE, "of": ["base", "double"]}
    assert points(program_of(DOUBLE, both), purchase("100")) == {"base": 100, "double": 100, "triple": 400}


def test_double_points_for_shoes() -> None:
    shoes = {**DOUBLE, "lines": "line.category == 'shoes'"}
    of = program_of(shoes, rule("thirty", fixed_points=30))
    bought = purchase("100", line("60", "shoes"), line("40", "shirts"))
    assert points(of, bought) == {"base": 100, "double": 60, "thirty": 30}


def test_tax_and_a_gift_card() -> None:
    bought = purchase("122", line("60"), line("40", gift_card=True), tax=eur("22"))
    assert points(program_of(exclusions=["tax", "gift_cards"]), bought) == {"base": 60}


def test_rounded_once() -> None:
    third = {**BASE_RULE, "rates": [{"points": 1, "per": "3", "currency": "EUR"}]}
    assert Fraction(4, 3) * Fraction(3, 2) == 2
    assert points(document(earn_rules=[third]), purchase("4"), "gold") == {"base": 2}


def test_shoes_come_back(table: Table) -> None:
    shoes = {**DOUBLE, "lines": "line.category == 'shoes'"}
    world = World(table, of=program(earn_rules=[BASE_RULE, shoes, rule("thirty", fixed_points=30)])).enroll()
    bought = (line("50", "shoes", line_id="1"), line("50", "shirts", line_id="2"))
    assert world.accrue("R-1", "100", lines=bought).entry.points == 180
    assert -world.refund("F-1", "R-1", lines={"1": 1}).entry.points == 115
    assert world.proven().available == 65


def test_every_example_has_a_test() -> None:
    told = re.findall(r"^\*([^*]+)\.\*", TEXT, flags=re.MULTILINE)
    assert {f"test_{example.lower().replace(' ', '_')}" for example in told} <= globals().keys()


def test_the_document_s_rules_are_rules() -> None:
    (found,) = re.findall(r"```json\n(.*?)```", TEXT, flags=re.DOTALL)
    shown = ProgramDocument.model_validate_json(found.replace("{", '{"id": "shown",', 1).rstrip()[:-1] + _REST)
    assert [one.id for one in shown.earn_rules] == ["base", "double-shoes", "sunday"]


_REST = ',"name": "Shown", "time_zone": "UTC", "expiry": {"policy": "never"}, "tiers": [{"id": "b", "name": "B", "threshold": 0}]}'


@pytest.mark.parametrize("name", [*OF_ACTIVITY, *OF_LINE])
def test_what_conditions_may_ask_is_told(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_reasons_are_few_and_named() -> None:
    assert sorted(RuleReason) == [
        "budget_exhausted", "capped", "condition_error", "condition_not_met", "currency_without_rate", "lost_to",
        "no_eligible_amount", "no_line_matched", "nothing_to_multiply", "outside_campaign",
    ]  # fmt: skip
