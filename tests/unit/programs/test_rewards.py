"""What a document may say of its rewards, and of fulfilment: what is refused, where, and in which words."""

from typing import Any

import pytest

from loyalty.core.money import Money
from loyalty.programs.validation import assess
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import BASE, document

PERK: dict[str, Any] = {"id": "r", "name": "R", "type": "perk", "points": 5}
CARD: dict[str, Any] = {"id": "r", "name": "R", "type": "gift_card", "points": 5}
EUR = {"currency": "EUR", "least": "5", "most": "50", "step": "5", "points": 9}
FIXED = {"product": "P", "denomination": "10", "currency": "EUR"}
FIVE = {"value": "5.00", "currency": "EUR"}
WALLETS = [
    {"id": "cups", "name": "Cups", "expiry": BASE["expiry"]},
    {"id": "cash", "name": "Cash", "currency": "EUR", "expiry": BASE["expiry"]},
]
PICTURE = f"{'a' * 64}.png"


def wrong(**changes: Any) -> list[tuple[str, str]]:
    found = assess({**BASE, **changes}, at("2026-03-15"))
    return [(finding.path, finding.message) for finding in found.findings.errors]


@pytest.mark.parametrize(
    ("reward", "path", "words"),
    [
        (PERK | {"points": None}, "points", "either points, or denominations"),
        (PERK | {"denominations": [EUR]}, "points", "either points, or denominations"),
        (PERK | {"points": None, "denominations": [EUR]}, "denominations", "give it points instead"),
        (CARD, "gift_card", "only there"),
        (CARD | {"gift_card": {"product": "P"}}, "gift_card", "either a denomination"),
        (CARD | {"gift_card": {"product": "P", "denomination": "10"}}, "gift_card", "belong together"),
        (CARD | {"gift_card": FIXED | {"denomination": "10.001"}}, "gift_card", "EUR has 2 decimals"),
        (CARD | {"gift_card": FIXED | {"fallbacks": [{"supplier": "tremendous", "product": "P"}]}}, "gift_card", "named twice"),
        (CARD | {"gift_card": FIXED | {"fallbacks": [{"supplier": f"s{n}", "product": "P"} for n in range(4)]}}, "gift_card.fallbacks", "list at most 3"),
        (CARD | {"gift_card": FIXED, "return_days": 3}, "return_days", "cannot be cancelled"),
        (CARD | {"gift_card": FIXED, "cash": FIVE}, "cash", "leave it out"),
        (PERK | {"cash": FIVE | {"value": "0"}}, "cash", "above zero"),
        (PERK | {"cash": FIVE | {"value": "0.001"}}, "cash", "EUR has 2 decimals"),
        (PERK | {"value": FIVE}, "value", "only there"),
        (PERK | {"type": "cashback"}, "value", "only there"),
        (PERK | {"type": "donation", "value": FIVE}, "charity", "only there"),
        (PERK | {"codes": {"source": "pool"}}, "codes", "leave them out"),
        (PERK | {"countries": ["ID", "XX"]}, "countries.1", "'XX' is not an ISO 3166-1 country"),
        (PERK | {"countries": ["ID", "ID"]}, "countries", "ID is named twice"),
        (PERK | {"available_from": "2026-12-02T00:00", "available_until": "2026-12-01T00:00"}, "available_until", "before it has begun"),
        (PERK | {"available_from": "2026-12-02T00:00Z"}, "available_from", "without an offset"),
        (PERK | {"per_member": [{"per": "day", "count": 1}, {"per": "day", "count": 2}]}, "per_member", "two limits per day"),
        (PERK | {"images": {"default": "mug.png"}}, "images.default", "pattern"),
        (PERK | {"images": {"default": PICTURE, "it": PICTURE}}, "images", "'it' is not among the program's locales"),
        (PERK | {"terms": {"text": "T", "translations": {"en": "T"}}}, "terms", "default language"),
        (PERK | {"tiers": ["onyx"]}, "tiers", "no ladder has"),
        (PERK | {"wallet": "stars"}, "wallet", "there is no wallet 'stars' in this program, only points, cups, cash; name one of these, or add it to wallets"),
        (PERK | {"wallet": "cash"}, "wallet", "'r' costs points, and the wallet 'cash' holds EUR; name 'points', or a wallet without a currency"),
        (CARD | {"points": None, "gift_card": {"product": "P"}, "denominations": [EUR | {"most": "4"}]}, "denominations.0", "below least"),
        (CARD | {"points": None, "gift_card": {"product": "P"}, "denominations": [EUR | {"step": "0"}]}, "denominations.0", "above zero"),
        (CARD | {"points": None, "gift_card": {"product": "P"}, "denominations": [EUR, EUR]}, "denominations", "EUR is named twice"),
    ],
)  # fmt: skip
def test_a_reward_that_makes_no_sense_is_refused_where_it_makes_none(
    reward: dict[str, Any], path: str, words: str
) -> None:
    ((where, message), *_) = wrong(rewards=[reward], wallets=WALLETS)
    assert where == f"rewards.0.{path}"
    assert words in message


@pytest.mark.parametrize(
    ("rules", "path", "words"),
    [
        ({"approve_above": [FIVE, FIVE]}, "approve_above.1.currency", "EUR is named twice"),
        ({"monthly_budget": [FIVE | {"currency": "EURO"}]}, "monthly_budget.0.currency", "not an ISO 4217 currency"),
        ({"approval_hours": 24, "reminder_hours": 24}, "", "must be below approval_hours (24)"),
        ({"velocity": [{"days": 7}]}, "velocity.0", "of how many cards"),
    ],
)
def test_so_are_rules_of_fulfilment(rules: dict[str, Any], path: str, words: str) -> None:
    ((where, message), *_) = wrong(fulfillment=rules)
    assert where == f"fulfillment.{path}".rstrip(".")
    assert words in message


def test_a_reward_of_a_wallet_that_nothing_comes_into_is_warned_of() -> None:
    earns = {"id": "cup", "activity": "visit", "wallet": "cups", "fixed_points": 1}

    def warned(*more: dict[str, Any]) -> list[str]:
        rules = [*BASE["earn_rules"], *more]
        reward = PERK | {"wallet": "cups"}
        found = assess(
            {**BASE, "wallets": WALLETS, "earn_rules": rules, "rewards": [PERK | {"id": "s"}, reward]}, at("2026-03-15")
        )
        assert found.publishable
        return [finding.path for finding in found.findings.warnings]

    assert warned() == ["rewards.1.wallet"]
    multiplied = earns | {"fixed_points": None, "multiplier": "2"}
    assert warned(multiplied) == ["earn_rules.2.multiplier", "rewards.1.wallet"]
    assert warned(earns) == []


def test_approval_is_needed_above_the_threshold_of_its_currency() -> None:
    rules = document(fulfillment={"approve_above": [{"value": "100", "currency": "EUR"}]}).fulfillment
    asked = [("100.00", "EUR"), ("100.01", "EUR"), ("9999", "USD")]
    assert [rules.needs_approval(Money.of(*one)) for one in asked] == [False, True, False]


def test_a_card_comes_from_its_supplier_first() -> None:
    reward = CARD | {"gift_card": FIXED | {"fallbacks": [{"supplier": "tango", "product": "U1"}]}}
    (found,) = document(rewards=[reward]).rewards
    assert found.gift_card is not None
    assert [(one.supplier, one.product) for one in found.gift_card.sources] == [("tremendous", "P"), ("tango", "U1")]
