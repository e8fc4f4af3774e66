"""Totals of a day, by supplier and currency. Pure, and exact: sums are of whole minor units."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from loyalty.core.money import Money, minor_units, money_of
from loyalty.fulfillment.run import Run, RunStatus

SETTLED: Final = timedelta(hours=1)
"""After a day's end until it is taken for over: a write at midnight, and the index behind it, have come by then."""


@dataclass(frozen=True, slots=True)
class Line:
    """One supplier and currency of a day. ``supplier`` is None where none was asked."""

    supplier: str | None
    currency: str
    """Of the cards' values."""
    counts: Mapping[RunStatus, int]
    """Runs that ended, by how; of today also those that are open."""
    value: Money
    """What the issued cards are worth."""
    cost: tuple[Money, ...]
    """What the supplier charges for them, by its currencies. A run that says no cost adds none."""
    waiting_value: Money
    """What the cards of open runs are worth; zero of a past day."""

    @property
    def issued(self) -> int:
        """Runs that ended with a card."""
        return self.counts.get(RunStatus.FULFILLED, 0)

    @property
    def not_issued(self) -> int:
        """Runs that ended without one: refused, rejected, expired or cancelled."""
        ends = (RunStatus.REFUSED, RunStatus.REJECTED, RunStatus.EXPIRED, RunStatus.CANCELLED)
        return sum(self.counts.get(status, 0) for status in ends)

    @property
    def waiting(self) -> int:
        """Runs that have not ended."""
        ended = self.issued + self.not_issued + self.counts.get(RunStatus.RESOLVED, 0)
        return sum(self.counts.values()) - ended


@dataclass(frozen=True, slots=True)
class DayTotals:
    """A day (UTC) in figures. One that is closed does not change any more."""

    day: date
    lines: Sequence[Line]
    closed: bool

    @property
    def issued(self) -> int:
        """Cards of all suppliers."""
        return sum(line.issued for line in self.lines)

    @property
    def not_issued(self) -> int:
        """Runs that ended without one."""
        return sum(line.not_issued for line in self.lines)

    @property
    def waiting(self) -> int:
        """Open runs."""
        return sum(line.waiting for line in self.lines)


def tally(runs: Iterable[Run]) -> tuple[Line, ...]:
    """The lines of these runs, in the order of suppliers and currencies; those without a supplier first."""
    counts: dict[tuple[str, str], Counter[RunStatus]] = {}
    values: Counter[tuple[str, str]] = Counter()
    waiting: Counter[tuple[str, str]] = Counter()
    costs: dict[tuple[str, str], Counter[str]] = {}
    for run in runs:
        key = run.supplier or "", run.value.currency
        counts.setdefault(key, Counter())[run.status] += 1
        if run.status is RunStatus.FULFILLED:
            values[key] += minor_units(run.value)
            if run.cost is not None:
                costs.setdefault(key, Counter())[run.cost.currency] += minor_units(run.cost)
        elif not run.ended:
            waiting[key] += minor_units(run.value)
    return tuple(
        Line(
            supplier=key[0] or None,
            currency=key[1],
            counts=dict(sorted(counts[key].items())),
            value=money_of(values[key], key[1]),
            cost=tuple(money_of(units, currency) for currency, units in sorted(costs.get(key, Counter()).items())),
            waiting_value=money_of(waiting[key], key[1]),
        )
        for key in sorted(counts)
    )


def closes_at(day: date) -> datetime:
    """From when on a day's totals are final."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC) + SETTLED
