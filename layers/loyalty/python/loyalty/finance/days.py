"""Totals of days, each computed once: ``T#{program}`` / ``DAY#{date}``."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import Clock, to_text
from loyalty.core.money import Money
from loyalty.core.periods import check_period
from loyalty.core.table import Item, Put, RawItem, Table, TransactionRefused
from loyalty.finance.review import RunReview
from loyalty.finance.totals import DayTotals, Line, closes_at, tally
from loyalty.fulfillment.run import RunStatus

MOST_DAYS: Final = 31
DAY_PREFIX: Final = "DAY#"


class DayItem(Item):
    """``T#{program}`` / ``DAY#{date}``: the totals of a day that is over."""

    lines = UnicodeAttribute()
    counted_at = UnicodeAttribute()


class TotalsService:
    """Totals of a program.

    A day that is over is counted from its runs when somebody first asks for it, and kept: it stays what it was, also
    where a card is issued anew later, which counts on the day of that. Today, and the hour after midnight, are
    counted at every call.
    """

    def __init__(self, table: Table, review: RunReview, clock: Clock) -> None:
        self._table = table
        self._review = review
        self._clock = clock

    def period(self, program: str, first: date, last: date) -> list[DayTotals]:
        """Each day from ``first`` to ``last`` (UTC), both included, the first one first.

        Raises:
            PeriodRefused: it ends before it begins, has more than :data:`MOST_DAYS` days, or goes beyond today.
        """
        check_period(first, last, today=self._clock().date(), most=MOST_DAYS)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        kept = self._kept(program, first, last)
        return [kept.get(day) or self._count(program, day) for day in days]

    def _kept(self, program: str, first: date, last: date) -> Mapping[date, DayTotals]:
        where = DayItem.sk.between(f"{DAY_PREFIX}{first}", f"{DAY_PREFIX}{last}")
        return {totals.day: totals for totals in map(_totals_of, self._table.query_all(_pk(program), where=where))}

    def _count(self, program: str, day: date) -> DayTotals:
        now = self._clock()
        # The clock is read first: a day that closes while it is counted is counted again next time.
        closed = now >= closes_at(day)
        runs = list(self._review.ended_on(program, day))
        if day == now.date():
            runs += self._review.open(program)
        totals = DayTotals(day, tally(runs), closed)
        return self._keep(program, totals) if closed else totals

    def _keep(self, program: str, totals: DayTotals) -> DayTotals:
        item = DayItem(
            _pk(program),
            f"{DAY_PREFIX}{totals.day}",
            lines=json.dumps([_written(line) for line in totals.lines], separators=(",", ":")),
            counted_at=to_text(self._clock()),
        )
        try:
            self._table.write([Put(item, condition=DayItem.pk.does_not_exist())])
        except TransactionRefused as refused:
            stored = refused.failed.get(0)
            if stored is None:
                raise  # contended: somebody keeps it at this moment
            return _totals_of(stored)
        return totals


def _pk(program: str) -> str:
    return f"T#{program}"


def _written(line: Line) -> Mapping[str, Any]:
    return {
        "supplier": line.supplier,
        "counts": dict(line.counts),
        "value": str(line.value),
        "cost": [str(one) for one in line.cost],
    }


def _totals_of(raw: RawItem) -> DayTotals:
    item = DayItem.from_raw_data(raw)
    lines: Sequence[Mapping[str, Any]] = json.loads(item.lines)
    day = date.fromisoformat(item.sk.removeprefix(DAY_PREFIX))
    return DayTotals(day, tuple(map(_line_of, lines)), closed=True)


def _line_of(written: Mapping[str, Any]) -> Line:
    value = Money.parse(written["value"])
    return Line(
        supplier=written["supplier"],
        currency=value.currency,
        counts={RunStatus(status): int(number) for status, number in written["counts"].items()},
        value=value,
        cost=tuple(map(Money.parse, written["cost"])),
        waiting_value=Money.of("0", value.currency),
    )
