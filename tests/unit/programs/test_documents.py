import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.programs.model import MAX_LOTS, ProgramDocument
from tests.ledgerkit.programs import BASE, document

RULE = BASE["earn_rules"][0]
TIERS = BASE["tiers"]
REWARD = BASE["rewards"][0]
CARD = BASE["rewards"][2]
RATE = RULE["rates"][0]


def _rule(**changes: Any) -> dict[str, Any]:
    return {"earn_rules": [{**RULE, **changes}]}


def _rate(**changes: Any) -> dict[str, Any]:
    return _rule(rates=[{**RATE, **changes}])


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"id": "Acme"}, "id", "pattern"),
        ({"id": "a#b"}, "id", "pattern"),
        ({"id": "a"}, "id", "pattern"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "is not an IANA time zone"),
        ({"time_zone": "+02:00"}, "time_zone", "is not an IANA time zone"),
        ({"earn_rules": []}, "earn_rules", "at least 1"),
        ({"earn_rules": [RULE, {**RULE, "id": "other"}]}, "", "two earn rules share an activity"),
        ({"earn_rules": [RULE, {**RULE, "activity": "other"}]}, "", "two earn rules are the same"),
        (_rule(fixed_points=5), "earn_rules.0", "either rates or fixed_points"),
        (_rule(rates=[]), "earn_rules.0", "either rates or fixed_points"),
        (_rule(rates=[RATE, RATE]), "earn_rules.0", "two rates for one currency"),
        (_rate(currency="XXX"), "earn_rules.0.rates.0.currency", "is not an ISO 4217 currency"),
        (_rate(points=0), "earn_rules.0.rates.0.points", "greater than 0"),
        (_rate(points=-1), "earn_rules.0.rates.0.points", "greater than 0"),
        (_rate(points=1.0), "earn_rules.0.rates.0.points", "valid integer"),
        (_rate(points="1"), "earn_rules.0.rates.0.points", "valid integer"),
        (_rate(points=1_000_000_001), "earn_rules.0.rates.0.points", "less than or equal"),
        (_rate(per="0"), "earn_rules.0.rates.0.per", "greater than 0"),
        (_rate(per="-1"), "earn_rules.0.rates.0.per", "greater than 0"),
        (_rate(per="NaN"), "earn_rules.0.rates.0.per", "finite number"),
        ({"tiers": []}, "tiers", "at least 1"),
        ({"tiers": TIERS[1:]}, "", "start at threshold 0"),
        ({"tiers": [TIERS[0], TIERS[2], TIERS[1]]}, "", "rise strictly"),
        ({"tiers": [TIERS[0], {**TIERS[1], "threshold": 0}]}, "", "rise strictly"),
        ({"tiers": [TIERS[0], {**TIERS[1], "id": "bronze"}]}, "", "two tiers are the same"),
        ({"tiers": [{**TIERS[0], "multiplier": "0.5"}]}, "tiers.0.multiplier", "greater than or equal to 1"),
        ({"expiry": {"policy": "rolling"}}, "expiry", "names its months"),
        ({"expiry": {"policy": "never", "months": 3}}, "expiry", "'never' has none"),
        ({"expiry": {"policy": "rolling", "months": 0}}, "expiry.months", "greater than or equal to 1"),
        ({"expiry": {"policy": "rolling", "months": MAX_LOTS}}, "expiry.months", "less than or equal to 35"),
        ({"expiry": {"policy": "weekly", "months": 1}}, "expiry.policy", "rolling"),
        ({"rewards": [REWARD, REWARD]}, "", "two rewards are the same"),
        ({"rewards": [{**REWARD, "points": 0}]}, "rewards.0.points", "greater than 0"),
        ({"rewards": [{**REWARD, "gift_card": CARD["gift_card"]}]}, "rewards.0", "only there"),
        ({"rewards": [{**CARD, "gift_card": None}]}, "rewards.0", "only there"),
        ({"limits": {"redemption_quantity": 0}}, "limits.redemption_quantity", "greater than or equal to 1"),
        ({"colour": "blue"}, "colour", "Extra inputs"),
    ],
)
def test_a_wrong_document_is_refused_with_the_place_and_the_reason(
    changes: dict[str, Any], where: str, what: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        document(**changes)
    problems = {".".join(map(str, error["loc"])): error["msg"] for error in refusal.value.errors()}
    assert next(iter(problems)) == where
    assert what in problems[where]


def test_the_sample_program_is_one() -> None:
    path = Path(__file__).parents[3] / "events" / "programs" / "aurora.json"
    aurora = ProgramDocument.model_validate_json(path.read_text())
    assert aurora.id == "aurora"
    assert ProgramDocument.model_validate_json(aurora.model_dump_json()) == aurora
    assert ProgramDocument.model_validate(json.loads(aurora.model_dump_json())) == aurora


@pytest.mark.parametrize(
    ("points", "tier"),
    [
        (-5, "bronze"),
        (0, "bronze"),
        (499, "bronze"),
        (500, "silver"),
        (1999, "silver"),
        (2000, "gold"),
        (10**9, "gold"),
    ],
)
def test_qualifying_points_reach_the_highest_threshold_not_above_them(points: int, tier: str) -> None:
    assert document().tier_for(points).id == tier


def test_lookups_name_nothing_for_the_unknown() -> None:
    plain = document()
    assert plain.reward("coffee") is not None
    assert plain.reward("tea") is None
    assert plain.earn_rule("dance") is None
    assert plain.earn_rules[0].rate("GBP") is None
    assert plain.tier("platinum").id == "bronze"
