"""What finance reads, put together once for the API and once for the pages."""

from dataclasses import dataclass
from typing import Self

from loyalty.core.clock import Clock
from loyalty.core.table import Table
from loyalty.finance.days import TotalsService
from loyalty.finance.export import ExportService
from loyalty.finance.review import RunReview
from loyalty.fulfillment.runs import RunStore


@dataclass(frozen=True, slots=True)
class FinanceServices:
    """Lists and timelines, totals, exports."""

    review: RunReview
    totals: TotalsService
    exports: ExportService

    @classmethod
    def over(cls, table: Table, clock: Clock) -> Self:
        """All of them over one table."""
        runs = RunStore(table)
        review = RunReview(runs, clock)
        return cls(review, TotalsService(table, review, clock), ExportService(runs, clock))
