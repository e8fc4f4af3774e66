"""What points cost the business."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from loyalty.programs.fields import CurrencyCode, DocumentPart


class PointCost(DocumentPart):
    """What one point of the wallet ``points`` costs the business: an amount of a currency, also of less than its minor unit.

    It decides nothing: simulations tell by it what a change of rules costs.
    """

    amount: Annotated[Decimal, Field(gt=0, le=1_000_000, max_digits=12, decimal_places=6)]
    currency: CurrencyCode
