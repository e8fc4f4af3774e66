"""What is wrong with a document is said with its place, and with what to do."""

from typing import Any

import pytest

from loyalty.programs.validation import MOST_FINDINGS, assess, pointer
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import BASE

NOW = at("2026-11-22T09:00:00Z")
RULE = BASE["earn_rules"][0]
TIER = {"id": "entry", "name": "Entry", "threshold": 0}
DOUBLE = {"id": "double", "activity": RULE["activity"], "multiplier": "2"}
RATE = {"points": 1, "per": "1", "currency": "EUR"}


def _rate(**changes: Any) -> dict[str, Any]:
    return {"earn_rules": [{**RULE, "rates": [{**RATE, **changes}]}]}


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"locals": ["en"]}, "/locals", "unknown field 'locals'; did you mean 'locales'?"),
        (_rate(pionts=2), "/earn_rules/0/rates/0/pionts", "unknown field 'pionts'; did you mean 'points'?"),
        (_rate(zzz=2), "/earn_rules/0/rates/0/zzz", "unknown field 'zzz'; there is points, per, currency"),
        (_rate(**{"a/b.c": 2}), "/earn_rules/0/rates/0", "unknown field 'a/b.c'; there is points, per, currency"),
        (_rate(points=0), "/earn_rules/0/rates/0/points", "input should be greater than 0, not 0"),
        (_rate(points="5"), "/earn_rules/0/rates/0/points", "input should be a valid integer, not '5'"),
        ({"tiers": []}, "/tiers", "list at least 1"),
        ({"limits": {"hold_minuets": 5}}, "/limits/hold_minuets", "unknown field 'hold_minuets'; did you mean 'hold_minutes'?"),
        ({"tiers": 5}, "/tiers", "write a list here"),
        ({"tiers": [TIER, {**TIER, "id": "low"}]}, "/tiers/1/threshold", "tier 'low' has the threshold 0, and 'entry' before it 0; list tiers by thresholds that rise"),
        ({"tiers": [{**TIER, "threshold": 5}]}, "/tiers/0/threshold", "the first tier, 'entry', has the threshold 5, and everybody begins at 0; put a tier of that threshold first"),
        ({"ladders": [{"id": "a", "name": "A", "tiers": [TIER, TIER]}]}, "/ladders/0/tiers/1/threshold", "tier 'entry' has the threshold 0, and 'entry' before it 0; list tiers by thresholds that rise"),
        ({"earn_rules": [RULE, RULE]}, "/earn_rules/1/id", "two earn rules have the id 'shop'; give one of them another"),
        ({"earn_rules": [RULE, {**RULE, "id": "b", "campaign": "x"}]}, "/earn_rules/1/campaign", "earn rule 'b': there is no campaign 'x'; add it to campaigns"),
        ({"earn_rules": [RULE, {**DOUBLE, "of": ["x"]}]}, "/earn_rules/1/of", "earn rule 'double': there is no earn rule 'x' for it to multiply"),
        ({"rewards": [{"id": "a", "name": "A", "type": "perk", "points": 5, "tiers": ["x"]}]}, "/rewards/0/tiers", "reward 'a' is for the tier 'x', which no ladder has"),
        ({"earn_rules": [{**RULE, "translations": {"it": "Negozio"}}]}, "/earn_rules/0", "earn rule 'shop' has translations of a name, and no name; add it"),
        ({"expiry": 5}, "/expiry", "write an object with fields here"),
        ({"expiry": {"policy": "rolling"}}, "/expiry", "the policy 'rolling' needs months"),
        ({"time_zone": "Mars"}, "/time_zone", "'Mars' is not an IANA time zone; name one such as Europe/Rome"),
        ({"transfers": {"maximum_points": 5}}, "/transfers/daily_points", "this is missing; add 'daily_points'"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_place_and_what_to_do(changes: dict[str, Any], where: str, what: str) -> None:
    found = assess({**BASE, **changes}, NOW)
    assert (found.document, found.publishable) == (None, None)
    assert [(pointer(one), one.message) for one in found.findings.errors] == [(where, what)]


@pytest.mark.parametrize("content", [3, None, [], "acme"])
def test_what_is_no_object_is_no_document(content: object) -> None:
    (error,) = assess(content, NOW).findings.errors
    assert pointer(error) == ""


def test_a_document_of_nothing_but_mistakes_has_an_end() -> None:
    found = assess({f"field-{number}": number for number in range(5_000)}, NOW)
    assert len(found.findings.errors) == MOST_FINDINGS


def test_a_good_document_has_nothing_to_say() -> None:
    found = assess(BASE, NOW)
    assert found.findings.errors == found.findings.warnings == ()
    assert found.publishable is found.document is not None
