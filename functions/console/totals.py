"""Totals of days with their chart, and the export."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from itertools import groupby
from typing import Final

from functions.console.runs import replace_section
from functions.console.visit import Here, day_of, why
from loyalty.console.web import Answer
from loyalty.core.errors import Invalid, PeriodRefused
from loyalty.core.money import Money, minor_units, money_of
from loyalty.finance.days import TotalsService
from loyalty.finance.export import ExportService
from loyalty.finance.totals import DayTotals, Line

USUAL_DAYS: Final = 14
MOST_BYTES: Final = 5_000_000
"""Of an export: the gateway's answers have 6 MB."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What the lines of several days come to, of one supplier and currency."""

    supplier: str | None
    currency: str
    issued: int
    not_issued: int
    waiting: int
    value: Money
    cost: tuple[Money, ...]
    waiting_value: Money


def totals(here: Here, service: TotalsService) -> Answer:
    """``GET …/totals``: a period of days."""
    today = here.clock().date()
    usual = today - timedelta(days=USUAL_DAYS - 1)
    days: Sequence[DayTotals] = ()
    message, detail = None, None
    first, last = usual, today
    try:
        first, last = _period(here, usual, today)
        days = service.period(here.program, first, last)
    except Invalid as refusal:
        message, detail = why(here, refusal)
    return replace_section(here, "totals").page(
        "totals.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if message else HTTPStatus.OK,
        days=days, sums=sums(line for day in days for line in day.lines), first=first, last=last,
        message=message, detail=detail, shown=sum(len(day.lines) for day in days),
    )  # fmt: skip


def export(here: Here, service: ExportService) -> Answer:
    """``GET …/export``: the runs that ended in a period, as one file.

    Raises:
        PeriodRefused: it is too long, or has more than one answer can carry.
        FieldRefused: it is no period.
    """
    today = here.clock().date()
    first, last = _period(here, today, today)
    part = service.part(here.program, first, last)
    texts, size = [part.text], len(part.text.encode())
    while part.next is not None:
        part = service.part(here.program, first, last, after=part.next)
        texts.append(part.text)
        size += len(part.text.encode())
        if size > MOST_BYTES:
            raise PeriodRefused("The period has more runs than one file can carry; export it in parts.")
    name = f"fulfillment-{here.program}-{first}-{last}.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Answer(HTTPStatus.OK, "".join(texts), "text/csv; charset=utf-8", disposition)


def sums(lines: Iterable[Line]) -> list[Sum]:
    """The lines of all days put together; exact, each currency for itself."""

    def key(line: Line) -> tuple[str, str]:
        return line.currency, line.supplier or ""

    return [_sum(currency, supplier, list(part)) for (currency, supplier), part in groupby(sorted(lines, key=key), key)]


def _sum(currency: str, supplier: str, lines: Sequence[Line]) -> Sum:
    return Sum(
        supplier or None,
        currency,
        sum(line.issued for line in lines),
        sum(line.not_issued for line in lines),
        sum(line.waiting for line in lines),
        _together([line.value for line in lines], currency),
        tuple(
            _together([one for line in lines for one in line.cost if one.currency == each], each)
            for each in sorted({one.currency for line in lines for one in line.cost})
        ),
        _together([line.waiting_value for line in lines], currency),
    )


def _together(amounts: Sequence[Money], currency: str) -> Money:
    return money_of(sum(map(minor_units, amounts)), currency)


def _period(here: Here, first: date, last: date) -> tuple[date, date]:
    query = here.request.query
    return (
        day_of(query["from"]) if "from" in query else first,
        day_of(query["until"]) if "until" in query else last,
    )
