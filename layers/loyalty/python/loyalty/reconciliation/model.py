"""A reconciliation report, its differences, and what became of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

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

    @property
    def id(self) -> str:
        """Names it within its report."""
        return f"{self.kind}:{self.order_id or self.external_id}"

    @property
    def open(self) -> bool:
        """Nobody has resolved it yet."""
        return self.resolved_at is None


@dataclass(frozen=True, slots=True)
class Report:
    """One supplier's orders of one day (UTC), compared. Totals are by currency."""

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
