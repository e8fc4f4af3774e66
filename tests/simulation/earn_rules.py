"""Earn rules that a program may have, drawn from a generator: one or several, some within caps and budgets."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

Document = dict[str, Any]

_PERIODS: Final = ("day", "week", "month", "year", "ever")


def drawn_rules(rng: random.Random, wallets: list[Document], campaigns: list[Document]) -> Document:
    """The rules of a program, and which of them count."""
    per = rng.choice(["1", "1.00", "3.00"])
    rates = [{"points": rng.choice([1, 2]), "per": per, "currency": "EUR"}]
    days = {"return_days": rng.choice([0, 0, 0, 1, 3, 14])}
    rules: list[Document] = [
        {"id": "shop", "activity": "purchase", "rates": rates, **days},
        {"id": "review", "activity": "review", "fixed_points": 25},
    ]
    if rng.random() < 0.3:
        rates.append({"points": 1, "per": "100", "currency": "JPY"})
    if campaigns:
        rules += [{**rule, **days} for rule in _more(rng)]
        rules[0] |= _capped(rng, 0.25, 150)
        rules[1] |= _capped(rng, 0.5, 40)
    for wallet in wallets:
        more = {"id": "back", "activity": "purchase", "wallet": wallet["id"], "return_days": rng.choice([0, 2])}
        rules.append({**more, "rates": [{"points": 1, "per": "2.50", "currency": "EUR"}], **_capped(rng, 0.2, 40)})
    stacking = rng.choices(["sum", "best", "priority"], [6, 1, 1])[0] if campaigns else "sum"
    return {"earn_rules": rules, "stacking": stacking}


def drawn_campaigns(rng: random.Random, start: datetime) -> list[Document]:
    """None, or one with a budget, and another that has caps alone; their days are around those of the history."""
    if rng.random() < 0.5:
        return []
    begins = start.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)

    def days() -> Document:
        first = begins + timedelta(days=rng.choice([-30, -1, 0, 2]))
        last = begins + timedelta(days=rng.choice([3, 20, 90, 400]))
        return {"starts_at": f"{first:%Y-%m-%dT%H:%M}", "ends_at": f"{last:%Y-%m-%dT%H:%M}"}

    budget = {
        "budget_points": rng.choice([40, 150, 300, 5000]),
        "when_exhausted": rng.choice(["partial", "partial", "nothing"]),
    }
    return [
        {"id": "rush", "name": "Rush", **days(), **budget, **_capped(rng, 0.3, 80)},
        {"id": "season", "name": "Season", **days(), **_capped(rng, 0.7, 60)},
    ]


def _more(rng: random.Random) -> list[Document]:
    """Rules beside that of the shop: within the campaigns, in groups, or multiplying."""
    per_ten = [{"points": rng.choice([3, 7]), "per": "10", "currency": "EUR"}]
    group: Mapping[str, Any] = {"group": "gift"} if rng.random() < 0.5 else {}
    found: list[Document] = [
        {"id": "rush", "campaign": "rush", "rates": per_ten, **_capped(rng, 0.3, 50), **group, "priority": rng.choice([0, 2])},
        {"id": "gift", "fixed_points": rng.choice([10, 30]), **_capped(rng, 0.8, 70), **group, "priority": 1},
        {"id": "treat", "campaign": rng.choice(["rush", "season"]), "fixed_points": 15, "tier_multiplied": False},
        {
            "id": "double", "campaign": rng.choice(["rush", "season"]), "multiplier": rng.choice(["2", "1.5"]),
            **_capped(rng, 0.4, 90), **({"maximum_points": 60} if rng.random() < 0.3 else {}),
        },
    ]  # fmt: skip
    kept = [rule for rule in found if rng.random() < 0.7] or found[:1]
    return [{"activity": "purchase", **rule} for rule in kept]


def _capped(rng: random.Random, chance: float, points: int) -> Document:
    """Caps, or none."""
    if rng.random() >= chance:
        return {}
    caps: list[Document] = [
        {"per": rng.choice(_PERIODS), "points": points}
        if rng.random() < 0.6
        else {"per": rng.choice(_PERIODS), "times": rng.choice([1, 2])}
        for _ in range(rng.choice([1, 1, 2]))
    ]
    return {"caps": list({(cap["per"], "points" in cap): cap for cap in caps}.values())}
