"""What the pages need of reconciliation; ``loyalty.reconciliation`` has it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from loyalty.reconciliation.model import Difference, Report


class ReportPage(Protocol):
    """Some reports, the newest first."""

    @property
    def reports(self) -> Sequence[Report]:
        """The reports."""

    @property
    def next(self) -> str | None:
        """Where the next page begins; None: it was the last."""


class Reports(Protocol):
    """Reports of suppliers and their differences."""

    def page(self, supplier: str, *, limit: int, after: str | None = None) -> ReportPage:
        """Up to ``limit`` reports of a supplier."""

    def get(self, supplier: str, day: date) -> Report:
        """The report of a day, or a named ``Missing``."""

    def differences(self, supplier: str, day: date) -> Iterable[Difference]:
        """What that report found, resolved or not."""

    def resolve(self, supplier: str, day: date, difference_id: str, *, actor: str, note: str) -> Difference:
        """Closes a difference, once."""
