"""Ladders of tiers that a program may have, drawn from a generator: soon reached, and soon over."""

import random
from collections.abc import Mapping
from typing import Any, Final

Document = dict[str, Any]

CURRENCIES: Final = [{"currency": "EUR", "rate": "1"}, {"currency": "JPY", "rate": "0.0062"}]
_PERIODS: Final = {"calendar_year": 3, "anniversary_year": 2, "rolling_months": 5, "lifetime": 1}
_THRESHOLDS: Final = {
    "points": [(80, 400), (150, 400)],
    "spend": [(60, 200), (150, 300)],
    "activities": [(1, 3), (2, 4)],
}
_NAMES: Final = ("bronze", "silver", "gold")


def drawn_status(rng: random.Random) -> Document:
    """The main ladder: as most programs had it before tiers ended, or any."""
    parts: Document = {"currencies": CURRENCIES}
    if rng.random() < 0.7:
        parts |= _counting(rng, {"points": 5, "spend": 1, "activities": 1})
    multipliers = ("1", "1.25", rng.choice(["1.5", "2"]))
    tiers = _tiers(rng, parts)
    return {**parts, "tiers": [{**tier, "multiplier": more} for tier, more in zip(tiers, multipliers, strict=True)]}


def drawn_ladders(rng: random.Random) -> list[Document]:
    """Further ones."""
    found = []
    for number in range(rng.choice([0, 0, 0, 1, 1, 2])):
        parts = _counting(rng, {"points": 2, "spend": 2, "activities": 3})
        tiers = _tiers(rng, parts)
        found.append({"id": f"club{number}", "name": "Club", **parts, "tiers": tiers})
    return found


def later_tiers(rng: random.Random, document: Mapping[str, Any]) -> Document:
    """What a later version says of tiers: the same, other thresholds, or other ends; perhaps the first."""
    parts: Document = {
        name: document[name] for name in ("tiers", "qualification", "downgrade", "ladders") if name in document
    }
    chance = rng.random()
    if chance < 0.6:
        return parts
    change = _other_thresholds if chance < 0.8 else _other_ends
    return {**parts, **change(rng, parts), "ladders": [{**one, **change(rng, one)} for one in parts["ladders"]]}


def _other_thresholds(rng: random.Random, ladder: Mapping[str, Any]) -> Document:
    """Twice as high, or half."""
    dearer = rng.random() < 0.5
    tiers = [
        {**one, "threshold": one["threshold"] * 2 if dearer else (one["threshold"] + 1) // 2} for one in ladder["tiers"]
    ]
    return {"tiers": tiers}


def _other_ends(rng: random.Random, ladder: Mapping[str, Any]) -> Document:
    period = ladder.get("qualification", {}).get("period", "calendar_year")
    # Of a lifetime nothing says whether a tier is from before refunds took any.
    return {} if period == "lifetime" else {"downgrade": _downgrade(rng, period)}


def _counting(rng: random.Random, metrics: Mapping[str, int]) -> Document:
    metric = rng.choices(list(metrics), list(metrics.values()))[0]
    period = rng.choices(list(_PERIODS), list(_PERIODS.values()))[0]
    qualification: Document = {"metric": metric, "period": period}
    if metric == "spend":
        qualification["currency"] = rng.choice(["EUR", "EUR", "JPY"])
    if metric == "activities" or rng.random() < 0.15:
        qualification["activities"] = rng.choice([["purchase"], ["purchase"], ["review"], ["purchase", "review"]])
    if period == "rolling_months":
        qualification["months"] = rng.choice([1, 1, 2, 2, 3, 12])
    return {"qualification": qualification, "downgrade": _downgrade(rng, period)}


def _downgrade(rng: random.Random, period: str) -> Document:
    found: Document = {"after_reversal": rng.choice(["keep_until_review", "at_once"])}
    if period != "lifetime" and rng.random() < 0.85:
        found["by"] = rng.choice(["achievement", "one_level"])
        found["grace_days"] = rng.choice([0, 0, 5, 31, 45])
        found["warn_days"] = rng.choice([[], [1], [14], [30, 7], [60, 14, 1]])
    if period in {"calendar_year", "anniversary_year"}:
        found["valid_through"] = rng.choice(["this_period", "this_period", "next_period"])
    return found


def _tiers(rng: random.Random, parts: Mapping[str, Any]) -> list[Document]:
    qualification = parts.get("qualification", {})
    unit = 160 if qualification.get("currency") == "JPY" else 1
    thresholds = (0, *rng.choice(_THRESHOLDS[qualification.get("metric", "points")]))
    return [
        {"id": name, "name": name.title(), "threshold": least * unit}
        for name, least in zip(_NAMES, thresholds, strict=True)
    ]
