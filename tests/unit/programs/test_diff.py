"""What one document says otherwise than another, by path and in words."""

from typing import Any

import pytest

from loyalty.programs.diff import MOST_TOLD, diff, summary
from tests.ledgerkit.programs import BASE, document

RULE = BASE["earn_rules"][0]
TIERS = BASE["tiers"]
REWARDS = BASE["rewards"]
EUR = {"points": 2, "per": "1", "currency": "EUR"}
MOVES = {"maximum_points": 100, "daily_points": 500}


@pytest.mark.parametrize(
    ("changes", "where", "text"),
    [
        ({"name": "Acme Club"}, "name", "name Acme → Acme Club"),
        ({"rounding": "up"}, "rounding", "rounding down → up"),
        ({"locales": ["en", "it"]}, "locales", "locales en → en, it"),
        ({"transfers": MOVES}, "transfers", "transfers added: maximum points 100, daily points 500"),
        ({"limits": {**BASE["limits"], "hold_minutes": 5}}, "limits.hold_minutes", "limits: hold minutes 10080 → 5"),
        (
            {"tiers": [*TIERS[:2], {**TIERS[2], "threshold": 1500}]},
            "tiers.gold.threshold",
            "tier 'gold': threshold 2000 → 1500",
        ),
        ({"segments": [{"id": "staff", "name": "Staff"}]}, "segments.staff", "segment 'staff' added: name Staff"),
        ({"tiers": TIERS[:2]}, "tiers.gold", "tier 'gold' removed: name Gold, threshold 2000, multiplier 1.5"),
        ({"rewards": REWARDS[1:]}, "rewards.coffee", "reward 'coffee' removed: name Coffee, type perk, points 50"),
        (
            {"rewards": [REWARDS[1], REWARDS[0], REWARDS[2]]},
            "rewards",
            "order of rewards: coffee, ten, card → ten, coffee, card",
        ),
        (
            {"earn_rules": [{**RULE, "rates": [*RULE["rates"][:3], EUR]}, BASE["earn_rules"][1]]},
            "earn_rules.shop.rates.EUR.points",
            "earn rule 'shop', rate for 'EUR': points 1 → 2",
        ),
        (
            {"earn_rules": [*BASE["earn_rules"], {"id": "quiz", "activity": "quiz", "fixed_points": 5}]},
            "earn_rules.quiz",
            "earn rule 'quiz' added: activity quiz, fixed points 5",
        ),
        ({"adjustment_reasons": ["goodwill"]}, "adjustment_reasons", "adjustment reasons goodwill, correction, complaint, migration → goodwill"),
    ],
)  # fmt: skip
def test_a_difference_is_told_by_its_path_and_in_words(changes: dict[str, Any], where: str, text: str) -> None:
    ((change),) = diff(document(), document(**changes))
    assert (change.where, change.text) == (where, text)


def test_what_says_the_same_differs_in_nothing() -> None:
    assert diff(document(), document()) == ()
    # 1.5 and 1.50 are one number, a null and no field one document.
    spelled = document(tiers=[*TIERS[:2], {**TIERS[2], "multiplier": "1.50"}], transfers=None)
    assert diff(document(), spelled) == ()
    assert summary(()) == "no change"


def test_a_part_put_between_others_is_added_and_the_order_is_told() -> None:
    tea = {"id": "tea", "name": "Tea", "type": "perk", "points": 40}
    changes = diff(document(), document(rewards=[REWARDS[0], tea, *REWARDS[1:]]))
    assert [(change.where, change.kind.value) for change in changes] == [
        ("rewards.tea", "added"),
        ("rewards", "reordered"),
    ]
    assert changes[1].after == ["coffee", "tea", "ten", "card"]


def test_a_summary_tells_the_first_few_and_how_many_more() -> None:
    many = diff(document(), document(name="N", rounding="up", tiers=TIERS[:1], transfers=MOVES))
    assert len(many) == 5
    assert summary(many[:MOST_TOLD]) == "; ".join(change.text for change in many[:3])
    assert summary(many).endswith("; and 2 more")


def test_a_long_change_is_cut() -> None:
    (change,) = diff(document(), document(adjustment_reasons=[f"reason-{number}" for number in range(50)]))
    assert len(change.text) == 160
    assert change.text.endswith("…")
    assert len(change.after) == 50
