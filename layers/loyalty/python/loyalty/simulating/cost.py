"""What points cost. Money is exact, and rounded once: half up, to minor units of its currency."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from loyalty.core.money import MINOR_UNITS
from loyalty.ledger.model import POINTS
from loyalty.programs.model import PointCost, ProgramDocument
from loyalty.simulating.model import Both
from loyalty.simulating.report import BothCosts, Costs


class Prices:
    """What a point of each wallet costs, under both versions."""

    def __init__(self, now: ProgramDocument, draft: ProgramDocument, given: PointCost | None) -> None:
        """``given`` is instead of what the documents say; where one says nothing, what the other says is for both."""
        self._now, self._draft = now, draft
        self._point_now = given or now.point_cost or draft.point_cost
        self._point_draft = given or draft.point_cost or now.point_cost

    @property
    def known(self) -> bool:
        """Whether it is known what a point costs."""
        return self._point_now is not None

    def of(self, points: Mapping[str, Both]) -> Costs:
        """What points of wallets cost, by currency; nothing of a wallet whose points have no known cost."""
        now = _sum(self._now, self._point_now, {wallet: both.now for wallet, both in points.items()})
        draft = _sum(self._draft, self._point_draft, {wallet: both.draft for wallet, both in points.items()})
        return {
            currency: BothCosts(_rounded(now, currency), _rounded(draft, currency))
            for currency in sorted({*now, *draft})
        }


def _sum(document: ProgramDocument, cost: PointCost | None, points: Mapping[str, int]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for wallet, number in points.items():
        currency = document.currency_of(wallet)
        if currency is not None:
            found[currency] = found.get(currency, Decimal(0)) + Decimal(number).scaleb(-MINOR_UNITS[currency])
        elif wallet == POINTS and cost is not None:
            found[cost.currency] = found.get(cost.currency, Decimal(0)) + number * cost.amount
    return found


def _rounded(costs: Mapping[str, Decimal], currency: str) -> Decimal:
    unit = Decimal(1).scaleb(-MINOR_UNITS[currency])
    return costs.get(currency, Decimal(0)).quantize(unit, rounding=ROUND_HALF_UP)
