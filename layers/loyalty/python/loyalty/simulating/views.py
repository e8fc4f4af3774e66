"""A simulation as JSON: points are whole numbers, money is text, shares of the old number are text in percent."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from loyalty.core.clock import to_text
from loyalty.simulating.model import Both
from loyalty.simulating.report import BothCosts, Report, TierRow


def report_view(report: Report) -> dict[str, Any]:
    """Everything that a simulation found."""
    return {
        "program": report.program,
        "now": report.now,
        "draft": report.draft,
        "from": to_text(report.period.start) if report.period.start else None,
        "until": to_text(report.period.end),
        "complete": report.complete,
        "members": report.members,
        "activities": report.activities,
        "partly_known": report.partly_known,
        "unreadable": report.unreadable,
        "refused": {code: _both(both) for code, both in report.refused.items()},
        "tiers": [_row(row) for row in report.tiers],
        "total": _row(report.total),
        "ladders": [
            {
                "ladder": row.ladder,
                "tiers": {tier: _both(both) for tier, both in row.tiers.items()},
                "up": row.up,
                "down": row.down,
            }
            for row in report.ladders
        ],
        "rules": [{"wallet": row.wallet, "rule": row.rule, **_both(row.both)} for row in report.rules],
        "budgets": [
            {
                "campaign": row.campaign,
                "budget": {"now": row.budget_now, "draft": row.budget_draft},
                "used": _both(row.used),
            }
            for row in report.budgets
        ],
        "liability": {wallet: _both(both) for wallet, both in report.liability.items()},
        "liability_costs": _costs(report.liability_costs),
        "costs_known": report.costs_known,
    }


def percent(both: Both) -> str | None:
    """The difference in percent of the present number, with one decimal; None where that is zero."""
    if not both.now:
        return None
    share = Decimal(100 * both.difference) / abs(both.now)
    return f"{share.quantize(Decimal('0.1'), rounding=ROUND_HALF_UP):+}"


def _row(row: TierRow) -> dict[str, Any]:
    return {
        "tier": row.tier,
        "activities": row.activities,
        "members": row.members,
        "points": {
            wallet: {"posted": one.posted, **_both(one.both), "percent": percent(one.both)}
            for wallet, one in row.points.items()
        },
        "costs": _costs(row.costs),
    }


def _both(both: Both) -> dict[str, int]:
    return {"now": both.now, "draft": both.draft, "difference": both.difference}


def _costs(costs: Mapping[str, BothCosts]) -> dict[str, dict[str, str]]:
    return {
        currency: {"now": str(one.now), "draft": str(one.draft), "difference": str(one.difference)}
        for currency, one in costs.items()
    }
