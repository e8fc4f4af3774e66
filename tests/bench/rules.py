"""What it costs a processor to evaluate many rules for one order, in units of validating that order with pydantic.

A ratio within one run says the same on any machine. Both are what a function does with a request whose program it has:
the first evaluation, which loads the library and compiles the conditions, is told by itself.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from loyalty.accruals.views import AccrualBody
from loyalty.programs.deeds import Deed, Earner
from loyalty.programs.earning import earn
from loyalty.programs.model import ProgramDocument
from tests.bench.figures import Figure
from tests.ledgerkit.programs import document

RULES: Final = 50
LINES: Final = 20
RUNS: Final = 7
_TIMES: Final = 50
MOST: Final = 90
"""Times that an evaluation may take what a validation does, which is one call of compiled code; it is some sixty now."""


def figures() -> Iterator[Figure]:
    """The ratio, and both of its sides."""
    program, body = rules_document(), json.dumps(order())
    activity = AccrualBody.model_validate_json(body).activity_done()
    earner = Earner("silver", {"status": "silver"})
    first = _seconds(lambda: _counted(program, activity.deed, earner), 1)
    ratios, evaluations, validations = [], [], []
    for _ in range(RUNS):
        validations.append(_seconds(lambda: AccrualBody.model_validate_json(body), _TIMES))
        evaluations.append(_seconds(lambda: _counted(program, activity.deed, earner), _TIMES))
        ratios.append(evaluations[-1] / validations[-1])
    yield Figure("rules.evaluation", round(statistics.median(ratios), 1), "x validation", MOST)
    yield Figure("rules.first_evaluation", round(first / statistics.median(evaluations), 1), "x evaluation")
    yield Figure("rules.evaluation_microseconds", round(statistics.median(evaluations) * 1e6), "us")
    yield Figure("rules.validation_microseconds", round(statistics.median(validations) * 1e6), "us")


def rules_document() -> ProgramDocument:
    """A program of fifty rules for one activity, of every sort: by amount, by line, by piece, multipliers, groups."""
    return document(time_zone="Europe/Rome", earn_rules=[_rule(number) for number in range(RULES)])


def order() -> dict[str, Any]:
    """An order of twenty lines."""
    lines = [
        {
            "line_id": f"L-{number}",
            "sku": f"SKU-{number}",
            "category": ("shoes", "socks", "coats", "hats")[number % 4],
            "quantity": 1 + number % 3,
            "amount": {"value": f"{10 + number}.50", "currency": "EUR"},
        }
        for number in range(LINES)
    ]
    return {
        "activity": "purchase", "source": "pos", "source_id": "R-1", "occurred_at": "2026-03-15T11:30:00Z",
        "channel": "online", "amount": {"value": "400.00", "currency": "EUR"}, "lines": lines,
    }  # fmt: skip


def _rule(number: int) -> dict[str, Any]:
    effects: list[dict[str, Any]] = [
        {"rates": [{"points": 1, "per": "1.00", "currency": "EUR"}], "group": "base"},
        {"multiplier": "2", "lines": f"line.category == 'shoes' && line.amount > {10 + number}.0"},
        {"points_per_item": 2, "lines": f"line.sku.startsWith('SKU-{number % 10}')"},
        {"fixed_points": 25, "when": f"local.weekday == 'sunday' && amount > {number}.0"},
        {"multiplier": "1.5", "when": "channel == 'online' && member.tier in ['silver', 'gold']", "group": "channel"},
    ]
    return {"id": f"rule-{number:02}", "activity": "purchase", **effects[number % len(effects)]}


def _counted(program: ProgramDocument, deed: Deed, earner: Earner) -> None:
    if not earn(program, deed, earner).earned:
        raise AssertionError("the order earned nothing")


def _seconds(run: Callable[[], object], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - start) / times
