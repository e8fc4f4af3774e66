"""Which runs are wanted. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from loyalty.core.clock import to_text
from loyalty.core.ids import request_hash
from loyalty.core.money import Money
from loyalty.finance.errors import FilterRefused
from loyalty.fulfillment.run import ENDED, Run, RunStatus

FOR_A_PERSON: Final = frozenset({RunStatus.AWAITING_APPROVAL, RunStatus.ATTENTION})
"""Runs that wait until somebody of finance does something."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """A run is wanted where everything that is said holds; what is None is not asked.

    Both ends of the amount are of the card's value, in one currency, and count themselves. ``opened_until`` does not.
    """

    statuses: frozenset[RunStatus] = frozenset()
    """None given: any."""
    supplier: str | None = None
    reason: str | None = None
    amount_from: Money | None = None
    amount_to: Money | None = None
    older_than: timedelta | None = None
    opened_from: datetime | None = None
    opened_until: datetime | None = None

    def check(self, *, open_runs: bool) -> None:
        """That some run can fit at all.

        Raises:
            FilterRefused: the message says which two filters contradict one another.
        """
        if self.statuses and not self.statuses & (frozenset(RunStatus) - ENDED if open_runs else ENDED):
            where = "not ended: leave ended_on out" if not open_runs else "ended: say on which day, with ended_on"
            raise FilterRefused(f"Runs of such a status have {where}.")
        low, high = self.amount_from, self.amount_to
        if low and high and low.currency != high.currency:
            raise FilterRefused("Both ends of the amount must be in one currency.")
        if low and high and low.amount > high.amount:
            raise FilterRefused("amount_from is above amount_to: no run is of such an amount.")
        if self.opened_from and self.opened_until and self.opened_from >= self.opened_until:
            raise FilterRefused("opened_from must be before opened_until.")

    def wants(self, run: Run, now: datetime) -> bool:
        """Whether the run is wanted at the moment ``now``."""
        said: tuple[bool, ...] = (
            not self.statuses or run.status in self.statuses,
            self.supplier is None or run.supplier == self.supplier,
            self.reason is None or run.reason == self.reason,
            self._wants_value(run.value),
            self.older_than is None or run.opened_at <= now - self.older_than,
            self.opened_from is None or run.opened_at >= self.opened_from,
            self.opened_until is None or run.opened_at < self.opened_until,
        )
        return all(said)

    def _wants_value(self, value: Money) -> bool:
        low, high = self.amount_from, self.amount_to
        if low is not None and (value.currency != low.currency or value.amount < low.amount):
            return False
        return high is None or (value.currency == high.currency and value.amount <= high.amount)

    def digest(self) -> str:
        """Tells one filter from another: a page's cursor is good for the filter that it was made with."""
        said: Mapping[str, object] = {
            "statuses": sorted(self.statuses),
            "supplier": self.supplier,
            "reason": self.reason,
            "amount": [str(one) if one else None for one in (self.amount_from, self.amount_to)],
            "older_than": None if self.older_than is None else int(self.older_than.total_seconds()),
            "opened": [to_text(one) if one else None for one in (self.opened_from, self.opened_until)],
        }
        return request_hash(said)
