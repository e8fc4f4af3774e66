"""Runs as CSV, for a period of days on which they ended."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from loyalty.core.clock import Clock, to_text
from loyalty.core.money import Money
from loyalty.core.periods import check_period
from loyalty.core.spreadsheets import cell
from loyalty.finance.review import is_in
from loyalty.fulfillment.run import Run
from loyalty.fulfillment.runs import RunStore

MOST_DAYS: Final = 92
PAGE_ROWS: Final = 2_000
"""About: pages of the index are taken whole, so that a part has up to 99 more. Far below the 6 MB of an answer."""
COLUMNS: Final = (
    "program", "redemption_id", "member_id", "reward_id", "points", "value", "currency", "cost", "cost_currency",
    "status", "reason", "supplier", "product", "external_id", "supplier_order_id", "orders", "campaign",
    "requested_by", "opened_at", "decided_by", "decided_at", "ended_at", "note",
    "wallet",
)  # fmt: skip
_INDEX_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows as CSV, the first part with the names of the columns; ``next`` is None of the last."""

    text: str
    rows: int
    next: tuple[date, str] | None


class ExportService:
    """Exports what ended, part by part, so that a period may have any number of runs."""

    def __init__(self, runs: RunStore, clock: Clock) -> None:
        self._runs = runs
        self._clock = clock

    def part(self, program: str, first: date, last: date, *, after: tuple[date, str] | None = None) -> Part:
        """The runs that ended from ``first`` to ``last`` (UTC), behind the position that the part before named.

        Raises:
            PeriodRefused: it ends before it begins, has more than :data:`MOST_DAYS` days, or goes beyond today.
        """
        check_period(first, last, today=self._clock().date(), most=MOST_DAYS)
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        if after is None:
            writer.writerow(COLUMNS)
        day, position = after or (first, "")
        rows = 0
        while day <= last:
            page = self._runs.page(program, day, limit=_INDEX_PAGE, after=position or None)
            found = [run for run in page.items if is_in(run, day)]
            writer.writerows(list(row_of(run)) for run in found)
            rows += len(found)
            day, position = (day + timedelta(days=1), "") if page.next is None else (day, page.next)
            if rows >= PAGE_ROWS and day <= last:
                return Part(text.getvalue(), rows, (day, position))
        return Part(text.getvalue(), rows, None)


def row_of(run: Run) -> Iterator[str]:
    """A run as the cells of :data:`COLUMNS`."""
    yield from (run.program, run.redemption_id, run.member_id, run.reward_id, str(run.points))
    yield from (*_money(run.value), *_money(run.cost))
    yield from (run.status.value, cell(run.reason), cell(run.supplier), cell(run.product), cell(run.external_id))
    yield from (cell(run.supplier_order_id), str(run.orders), cell(run.campaign), cell(run.requested_by))
    yield from (_moment(run.opened_at), cell(run.decided_by), _moment(run.decided_at), _moment(run.ended_at))
    yield cell(run.note)
    yield run.wallet


def _money(money: Money | None) -> tuple[str, str]:
    return ("", "") if money is None else (str(money.amount), money.currency)


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else to_text(moment)
