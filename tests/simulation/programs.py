"""Programs that a history may be about, drawn from a generator: short lives of points, so that things happen."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.simulation.earn_rules import drawn_campaigns, drawn_rules
from tests.simulation.ladders import drawn_ladders, drawn_status, later_tiers
from tests.simulation.naming import PROGRAM

Document = dict[str, Any]

STARTS: Final = (
    ("Europe/Rome", datetime(2026, 3, 27, tzinfo=UTC)),
    ("Europe/Rome", datetime(2027, 12, 29, tzinfo=UTC)),
    ("Asia/Jakarta", datetime(2026, 1, 29, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 27, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2026, 2, 25, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2017, 10, 12, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 2, 14, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2024, 4, 23, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2024, 10, 29, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2028, 2, 27, tzinfo=UTC)),
    ("America/Los_Angeles", datetime(2026, 11, 29, tzinfo=UTC)),
    ("UTC", datetime(2026, 12, 30, tzinfo=UTC)),
)
"""A zone, and a time at which its calendar is worth a look: a clock goes forward at midnight, a day or a year ends."""


def drawn_start(rng: random.Random) -> tuple[str, datetime]:
    """A zone, and a moment in the days after."""
    zone, day = rng.choice(STARTS)
    return zone, day + timedelta(seconds=rng.randrange(3 * 86_400))


def drawn_program(rng: random.Random, zone: str, start: datetime) -> Document:
    """A program that begins to be played at ``start``."""
    wallets = _wallets(rng)
    campaigns = drawn_campaigns(rng, start)
    further = _paid_from(wallets)
    return {
        "id": PROGRAM,
        "name": "Acme",
        "time_zone": zone,
        "wallets": wallets,
        "campaigns": campaigns,
        **drawn_rules(rng, wallets, campaigns),
        **drawn_status(rng),
        "ladders": drawn_ladders(rng),
        "expiry": _expiry(rng),
        "rounding": rng.choice(["down", "down", "half_up", "up"]),
        "reversal": rng.choice(["allow_negative", "clamp_with_debt", "refuse"]),
        "rewards": [
            {"id": "coffee", "name": "Coffee", "type": "perk", "points": rng.choice([8, 25])},
            {"id": "ten", "name": "Ten off", "type": "discount", "points": rng.choice([15, 40]), **further},
            {
                "id": "card",
                "name": "Gift card",
                "type": "gift_card",
                "points": 20,
                "gift_card": {"product": "P1", "denomination": "10.00", "currency": "EUR"},
            },
        ],
        "limits": {
            "redemption_quantity": 3,
            "hold_minutes": rng.choice([1, 5, 60, 1440, 10_080]),
            "backdating_days": rng.choice([0, 30]),
            "adjustment_points": rng.choice([15, 40]),
        },
        "adjustment_reasons": ["goodwill", "correction"],
        "transfers": _transfers(rng, wallets),
    }


def changed_program(rng: random.Random, document: Mapping[str, Any], start: datetime) -> Document:
    """A later version of it: other rates, other rules for what is spent and when it expires, other limits.

    Zone and wallets stay. So does how far back something may be dated: a reversal's entry does not tell which version
    it was decided by.
    """
    other = drawn_program(rng, document["time_zone"], start)
    # Of a budget that is lowered shards may give that are above their share.
    kept = ("wallets", "expiry", "campaigns")
    of_tiers = ("tiers", "qualification", "downgrade", "ladders")
    after = {name: part for name, part in other.items() if name not in of_tiers}
    after |= {**{name: document[name] for name in kept}, **later_tiers(rng, document)}
    after["limits"] = {**after["limits"], "backdating_days": document["limits"]["backdating_days"]}
    after |= drawn_rules(rng, document["wallets"], document["campaigns"])
    after["transfers"] = _transfers(rng, document["wallets"])
    # Of another reward than before: what is held in a wallet ends there, whatever is in force.
    coffee, *others = [{name: part for name, part in one.items() if name != "wallet"} for one in other["rewards"]]
    after["rewards"] = [{**coffee, **_paid_from(document["wallets"])}, *others]
    if "months" in document["expiry"] and rng.random() < 0.5:
        after["expiry"] = {**document["expiry"], "months": rng.randint(1, 3)}
    if rng.random() < 0.35:
        after["expiry"] = _other_expiry(rng, document["expiry"])
        after["wallets"] = [{**one, "expiry": _other_expiry(rng, one["expiry"])} for one in document["wallets"]]
    return after


def _other_expiry(rng: random.Random, before: Mapping[str, Any]) -> Document:
    """Any policy, but inactivity only where it was that. Warnings and days of grace stay.

    A reversal's entry names the version of its accrual: nothing tells the model that another one renews since. A book
    that nothing is posted to stands in the due index where it stood, whatever warnings there are since. A cancellation
    names the version of its hold, while the days of grace are today's.
    """
    other = {**_expiry(rng), "warn_days": before.get("warn_days", []), "grace_days": before.get("grace_days", 30)}
    return dict(before) if other["policy"] == "inactivity" != before["policy"] else other


def _expiry(rng: random.Random) -> Document:
    policy = rng.choices(["rolling", "inactivity", "fixed_date", "never"], [5, 4, 3, 1])[0]
    if policy == "never":
        return {"policy": "never"}
    terms: Document = {"policy": policy, "grace_days": rng.choice([0, 5, 30])}
    terms["warn_days"] = rng.choice([[], [1], [7], [30, 7], [40, 3, 1]])
    if policy == "fixed_date":
        month, day = rng.choice(
            [(2, 29), (12, 31), (1, 1), (4, 26), (10, 15), (rng.randint(1, 12), rng.randint(1, 28))]
        )
        return {**terms, "month": month, "day": day, "minimum_months": rng.choice([0, 0, 1, 3])}
    return {**terms, "months": rng.choice([1, 1, 2, 3])}


def _wallets(rng: random.Random) -> list[Document]:
    chance = rng.random()
    if chance < 0.6:
        return []
    currency = "EUR" if chance < 0.75 else None
    return [{"id": "cashback", "name": "Cashback", "currency": currency, "expiry": _expiry(rng)}]


def _paid_from(wallets: list[Document]) -> Document:
    """What a reward says that is paid from a further wallet of points; nothing where there is none."""
    further = [wallet["id"] for wallet in wallets if wallet["currency"] is None]
    return {"wallet": further[0]} if further else {}


def _transfers(rng: random.Random, wallets: list[Document]) -> Document | None:
    if rng.random() < 0.15:
        return None
    names = ["points", *(wallet["id"] for wallet in wallets if rng.random() < 0.5)]
    return {"minimum_points": 5, "maximum_points": 45, "daily_points": rng.choice([45, 70]), "wallets": names}
