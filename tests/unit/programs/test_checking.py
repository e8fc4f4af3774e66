"""What a check of a document names, with its place: expressions that cannot be, and rules that can hardly be meant."""

from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.programs.checking import Finding, check
from loyalty.programs.model import ProgramDocument
from tests.ledgerkit.deeds import BASE_RULE, program_of, rule
from tests.ledgerkit.programs import BASE, SEGMENTS, document
from tests.unit.programs.test_documents import EXAMPLES

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
CAMPAIGN = {"id": "sale", "name": "Sale", "starts_at": "2026-11-01T00:00", "ends_at": "2026-12-01T00:00"}


def bonus(**more: Any) -> dict[str, Any]:
    return rule("r", fixed_points=5, **more)


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"when": "amount >"}, "when", "Syntax error: mismatched input '<EOF>'"),
        ({"when": "amuont > 1.0"}, "when", "undeclared reference to 'amuont' (column 1)"),
        ({"when": "amount > 20"}, "when", "(column 8); an amount is compared with a number that has decimals: 20.0"),
        ({"when": "true &&\n  quantity == 'x'"}, "when", "(line 2, column 12)"),
        ({"when": "amount + 1.0"}, "when", "it gives a double; a condition is true or false"),
        ({"when": "skus"}, "when", "it gives a list"),
        ({"when": "line.category == 'x'"}, "when", "undeclared reference to 'line.category'"),
        ({"when": "member.friends.exists(s, s == 'vip')"}, "when", "undeclared reference to 'member.friends'"),
        ({"lines": "line.categroy == 'x'"}, "lines", "undeclared reference to 'line.categroy'"),
    ],
)
def test_an_expression_that_cannot_be_is_an_error(changes: dict[str, Any], path: str, message: str) -> None:
    found = check(program_of(bonus(**changes)), NOW)
    (error,) = found.errors
    assert error.path == f"earn_rules.1.{path}"
    assert error.message.startswith("this is no condition: ")
    assert message in error.message
    assert found.warnings == ()


@pytest.mark.parametrize(
    "condition",
    [
        "local.weekday in ['saturday', 'sunday'] && local.hour >= 18",
        "local.time >= '18:00' && local.time < '20:00'",
        "local.date >= '2026-12-24' && local.date <= '2026-12-26'",
        "local.date > '2026-12-24' && local.date < '2026-12-26'",
        "member.tier == 'gold' && amount > 50.0",
        "local.hour >= 14 && local.hour < 16 && !(local.weekday in ['saturday', 'sunday'])",
        "has(attributes.minutes) && int(attributes.minutes) >= 20",
        "member.tiers['status'] in ['silver', 'gold']",
        "has(attributes.level) && attributes.level == '3'",
        "'level' in attributes && attributes['level'] != '3'",
        "skus.exists(sku, sku.startsWith('A-')) && 'shoes' in categories",
        "quantity >= 3 && size(skus) == 2",
        "!(channel == 'web')",
        "channel != 'web' && channel.startsWith('w')",
        (
            "local.weekday == 'sunday' && local.hour == 23 && local.month == 12 && local.day == 31 && amount == 12345.0 "
            "&& channel == 'app' && store == 'roma-1' && quantity < 7"
        ),
        "local.hour % 2 == 1 && 10.0 <= amount && 'app' == channel",
        "member.first && channel == 'web' && store == 'roma-1' && currency == 'EUR' && quantity > 7 && amount > 100.0",
    ],
)
def test_what_can_be_true_is_not_doubted(condition: str) -> None:
    assert check(program_of(bonus(when=condition)), NOW) == check(document(), NOW)


DOUBTED = "it was true for nothing that was tried: it may be that this rule never counts (a guess)"


@pytest.mark.parametrize(
    "condition",
    ["false", "local.weekday == 'sunda'", "amount > 50.0 && amount < 40.0", "local.hour > 24", "channel == 'a' && channel == 'b'"],
)  # fmt: skip
def test_what_can_hardly_be_true_is_a_warning(condition: str) -> None:
    assert check(program_of(bonus(when=condition)), NOW).warnings == (Finding("earn_rules.1.when", DOUBTED),)
    assert check(program_of(bonus(lines=condition)), NOW).warnings == (Finding("earn_rules.1.lines", DOUBTED),)


@pytest.mark.parametrize(
    "condition",
    ["member.tier == 'platinum' || true", "'platinum' != member.tier", "member.tier in ['gold', 'platinum'] && true"],
)
def test_a_tier_that_is_none_is_a_warning(condition: str) -> None:
    assert check(program_of(bonus(when=condition)), NOW).warnings == (
        Finding("earn_rules.1.when", "'platinum' is no tier of this program: bronze, silver, gold"),
    )


@pytest.mark.parametrize(
    "condition",
    [
        "'staff' in member.segments",
        "'staff' in member.segments && 'vip' in member.segments && !('founder' in member.segments)",
        "!('staff' in member.segments) && size(member.segments) > 0",
        "size(member.segments) == 3 || size(member.segments) == 0",
        "member.segments.exists(one, one.startsWith('f')) && channel == 'web'",
    ],
)
def test_what_segments_can_be_is_not_doubted(condition: str) -> None:
    assert check(program_of(bonus(when=condition), segments=SEGMENTS), NOW).warnings == ()


@pytest.mark.parametrize(
    ("segments", "declared"), [(SEGMENTS, "founder, staff, vip"), ([], "it declares none")], ids=["some", "none"]
)
def test_a_segment_that_is_not_declared_is_a_warning(segments: list[dict[str, str]], declared: str) -> None:
    found = check(program_of(bonus(when="'stuff' in member.segments"), segments=segments), NOW)
    said = Finding("earn_rules.1.when", f"'stuff' is no segment of this program: {declared}")
    assert (found.errors, found.warnings) == ((), (said, Finding("earn_rules.1.when", DOUBTED)))


def _warned(*rules: dict[str, Any], **more: Any) -> list[str]:
    return [warning.path for warning in check(document(earn_rules=list(rules), **more), NOW).warnings]


def test_campaigns_that_are_over_or_that_no_rule_names() -> None:
    over = {**CAMPAIGN, "id": "over", "ends_at": "2026-11-22T14:05"}  # now, in Rome
    not_yet = {**over, "id": "not-yet", "ends_at": "2026-11-22T14:06"}
    rules = [BASE_RULE, *(rule(name, fixed_points=5, campaign=name) for name in ("over", "not-yet"))]
    campaigns = [over, not_yet, {**CAMPAIGN, "id": "idle"}]
    assert _warned(*rules, campaigns=campaigns, time_zone="Europe/Rome") == ["campaigns.0.ends_at", "campaigns.2.id"]


@pytest.mark.parametrize(
    ("second", "more", "warned"),
    [
        ({}, {}, ["earn_rules.1"]),
        ({"when": "channel == 'web'"}, {}, []),
        ({"lines": "line.category == 'x'"}, {}, []),
        ({"group": "g"}, {}, []),
        ({"campaign": "sale"}, {"campaigns": [CAMPAIGN]}, []),
        ({"activity": "review"}, {}, []),
        ({}, {"stacking": "best"}, []),
    ],
)
def test_rules_that_always_count_together(second: dict[str, Any], more: dict[str, Any], warned: list[str]) -> None:
    assert _warned(BASE_RULE, bonus() | second, **more) == warned


def test_what_has_no_effect() -> None:
    assert _warned(BASE_RULE, {"id": "m", "activity": "dance", "multiplier": "2"}) == ["earn_rules.1.multiplier"]
    caps = [{"per": "day", "times": 1}, {"per": "day", "points": 5}]
    assert _warned({**BASE_RULE, "minimum_points": 6, "caps": caps}) == ["earn_rules.0.caps.1.points"]


def test_a_signup_has_no_amount() -> None:
    by_amount = {**BASE_RULE, "id": "welcome", "activity": "signup"}
    assert _warned(BASE_RULE, by_amount) == ["earn_rules.1.rates"]
    assert _warned(BASE_RULE, {"id": "welcome", "activity": "signup", "fixed_points": 5}) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_beyond_doubt(path: Any) -> None:
    found = check(ProgramDocument.model_validate_json(path.read_text()), NOW)
    assert (found.errors, found.warnings) == ((), ())


def test_the_plain_document_is_too() -> None:
    assert check(ProgramDocument.model_validate(BASE), NOW).errors == ()
