"""A reconciliation report, its differences, and what became of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from loyalty.core.money import Money


class DifferenceKind(StrEnum):
    """How our book and the supplier's disagree."""

    MISSING_THERE = "missing_there"
    """We have an issued order that the supplier does not list."""
    MISSING_HERE = "missing_here"
    """The supplier lists an order that is none of ours, or that we hold for refused."""
    AMOUNT = "amount"
    """Value or cost differ."""
    DUPLICATE = "duplicate"
    """The supplier lists more than one order under one key of ours."""
    UNSETTLED = "unsettled"
    """The supplier issued what we still do not know the outcome of, or the other way round."""
    INVOICED_TWICE = "invoiced_twice"
    """An invoice has more than one line for one order."""
    NOT_ISSUED = "not_issued"
    """An invoice has a line for what is no issued order of ours."""
    NOT_INVOICED = "not_invoiced"
    """An order that was issued in the period of an invoice is not on it."""
    INVOICED_AMOUNT = "invoiced_amount"
    """An invoice charges something else than the order's cost."""


PLATFORM: Final = "platform:reconciliation"
"""Who resolved a difference that was no longer there when its day was compared again."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One work item. ``ours`` and ``theirs``: what each side says that it cost or is worth; None where it has no such order."""

    supplier: str
    day: date
    kind: DifferenceKind
    external_id: str
    order_id: str | None = None
    """The supplier's name for its order."""
    program: str | None = None
    redemption_id: str | None = None
    ours: Money | None = None
    theirs: Money | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    note: str | None = None
    invoice: str | None = None
    """The invoice that it was found by, a hash of its file; None: found by a day's comparison."""

    @property
    def id(self) -> str:
        """Names it within its report."""
        name = f"{self.kind}:{self.order_id or self.external_id}"
        return name if self.invoice is None else f"{name}:{self.invoice[:12]}"

    @property
    def open(self) -> bool:
        """Nobody has resolved it yet."""
        return self.resolved_at is None


@dataclass(frozen=True, slots=True)
class Report:
    """One supplier's orders of one day (UTC), compared.

    Totals and counts are of the cards that stand on each side: issued and not cancelled. They are what cards are worth, by
    currency; a card whose worth the supplier does not say is counted and not added.
    """

    supplier: str
    day: date
    made_at: datetime
    matched: int
    ours: Mapping[str, Money]
    theirs: Mapping[str, Money]
    ours_count: int
    theirs_count: int
    differences: Mapping[str, int]
    """How many of each kind."""
    csv_key: str
    json_key: str
    """Where the report lies in the bucket."""
