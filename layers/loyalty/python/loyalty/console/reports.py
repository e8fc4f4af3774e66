"""What the pages need of reconciliation; ``loyalty.reconciliation`` has it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from loyalty.core.listing import Listed
from loyalty.reconciliation.model import Difference, Report


class Reports(Protocol):
    """Reports of suppliers and their differences."""

    def page(self, supplier: str, *, limit: int, after: str | None = None) -> Listed[Report]:
        """Up to ``limit`` reports of a supplier, the newest first."""

    def open_days(self, supplier: str, first: date, last: date) -> Counter[date]:
        """How many differences are open, of each day that has any."""

    def get(self, supplier: str, day: date) -> Report:
        """The report of a day, or a named ``Missing``."""

    def differences(self, supplier: str, day: date) -> Iterable[Difference]:
        """What that report found, resolved or not."""

    def resolve(self, supplier: str, day: date, difference_id: str, *, actor: str, note: str) -> Difference:
        """Closes a difference, once."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a supplier's. ``open`` counts the differences that nobody has resolved, those of invoices among them."""

    supplier: str
    day: date
    report: Report | None
    open: int


def days(kept: Reports, supplier: str, *, limit: int, after: str | None = None) -> tuple[list[Day], str | None]:
    """A page of a supplier's days, the newest first, and where the next one begins; None: it was the last.

    A page has up to ``limit`` reports, and all days between them that have open differences; the first one those after
    the last report too.

    Raises:
        ValueError: ``after`` is no day.
    """
    page = kept.page(supplier, limit=limit, after=after)
    newest = date.max if after is None else date.fromisoformat(after) - timedelta(days=1)
    oldest = date.min if page.next is None else date.fromisoformat(page.next)
    reports = {one.day: one for one in page.items}
    still_open = kept.open_days(supplier, oldest, newest)
    found = [Day(supplier, day, reports.get(day), still_open[day]) for day in {*reports, *still_open}]
    return sorted(found, key=lambda one: one.day, reverse=True), page.next
