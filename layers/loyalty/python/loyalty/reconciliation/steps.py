"""The steps of a reconciliation that a state machine takes: what it gives to each, and gets from it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from loyalty.core.clock import Clock

MOST_DAYS = 31


class ReconciliationRequest(BaseModel):
    """Which days (UTC): ``days`` back from the last one that is over, or that many until ``until``; of whom: None for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 1
    until: date | None = None
    supplier: str | None = None

    def reports(self, suppliers: Sequence[str], clock: Clock) -> list[dict[str, str]]:
        """What each child of the map is given.

        Raises:
            LookupError: the stage has no such supplier.
        """
        if self.supplier is not None and self.supplier not in suppliers:
            raise LookupError(f"there is no supplier '{self.supplier}'; there are {', '.join(suppliers)}")
        last = self.until or clock().date() - timedelta(days=1)
        days = [last - timedelta(days=back) for back in range(self.days)]
        return [
            {"supplier": one, "day": day.isoformat()}
            for one in suppliers
            if self.supplier in (None, one)
            for day in days
        ]


class StepRequest(BaseModel):
    """``request`` is of the step ``begin``; ``supplier`` and ``day`` of the step ``report``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    step: Literal["begin", "report"]
    request: ReconciliationRequest | None = None
    supplier: str | None = None
    day: date | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        of_a_report = self.supplier is not None and self.day is not None
        if of_a_report != (self.step == "report") or (self.request is not None) != (self.step == "begin"):
            raise ValueError("a step says what it is of, and nothing else")
        return self
