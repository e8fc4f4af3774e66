"""What the pages need of reconciliation; ``loyalty.reconciliation`` has it."""

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from loyalty.core.listing import Listed
from loyalty.reconciliation.model import Difference, Report


class Reports(Protocol):
    """Reports of suppliers and their differences."""

    def page(self, supplier: str, *, limit: int, after: str | None = None) -> Listed[Report]:
        """Up to ``limit`` reports of a supplier, the newest first."""

    def get(self, supplier: str, day: date) -> Report:
        """The report of a day, or a named ``Missing``."""

    def differences(self, supplier: str, day: date) -> Iterable[Difference]:
        """What that report found, resolved or not."""

    def resolve(self, supplier: str, day: date, difference_id: str, *, actor: str, note: str) -> Difference:
        """Closes a difference, once."""
