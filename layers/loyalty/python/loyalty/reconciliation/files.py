"""A report as files: every line as CSV, the summary and the differences as JSON. Written line by line."""

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, TextIO

from loyalty.core.clock import to_text
from loyalty.core.money import Money
from loyalty.core.spreadsheets import cell
from loyalty.reconciliation.matching import Line
from loyalty.reconciliation.model import Difference, Report

AGREED: Final = "matched"
COLUMNS: Final = (
    "result", "external_id", "our_order", "our_status", "our_value", "our_cost", "asked_at", "their_order", "their_status",
    "their_value", "their_cost", "created_at", "program", "redemption_id",
)  # fmt: skip


def key(supplier: str, day: date, extension: str) -> str:
    """Where a report lies in the bucket."""
    return f"reconciliation/{supplier}/{day}/report.{extension}"


class CsvReport:
    """A line for each order of either side; amounts as ``10.00 USD``."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, line: Line) -> None:
        """Writes a line."""
        self._writer.writerow(map(cell, _cells(line)))


def _cells(line: Line) -> list[str]:
    ours, theirs = line.ours, line.theirs
    result = line.kind or (AGREED if line.agreed else "nothing")
    if ours is None:
        mine = [theirs.external_id or "" if theirs else "", "", "", "", "", ""]
    else:
        status = "cancelled" if ours.cancelled_at else ours.outcome.value
        asked = to_text(ours.asked_at)
        mine = [ours.external_id, ours.supplier_order_id or "", status, _text(ours.value), _text(ours.cost), asked]
    if theirs is None:
        listed = [""] * 5
    else:
        created = "" if theirs.created_at is None else to_text(theirs.created_at)
        listed = [theirs.order_id, theirs.state.value, _text(theirs.value), _text(theirs.cost), created]
    return [result, *mine, *listed, *((ours.program, ours.redemption_id) if ours else ("", ""))]


@contextmanager
def differences_file(path: Path) -> Iterator["JsonDifferences"]:
    """A file of differences that :func:`write_report` puts into the report."""
    with path.open("w", encoding="utf-8") as file:
        yield JsonDifferences(file)


class JsonDifferences:
    """One JSON document a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def add(self, one: Difference) -> None:
        """Writes a difference."""
        self._file.write(json.dumps(_difference(one), ensure_ascii=False) + "\n")


def write_report(path: Path, report: Report, differences: Path) -> None:
    """The report as JSON, with the differences of a file that :func:`differences_file` wrote."""
    summary = json.dumps(_summary(report), indent=2, ensure_ascii=False)
    with path.open("w", encoding="utf-8") as file, differences.open(encoding="utf-8") as lines:
        file.write(summary.removesuffix("\n}") + ',\n  "items": [')
        for number, line in enumerate(lines):
            file.write(("," if number else "") + "\n    " + line.rstrip("\n"))
        file.write("\n  ]\n}\n")


def _summary(report: Report) -> dict[str, Any]:
    return {
        "supplier": report.supplier,
        "day": str(report.day),
        "made_at": to_text(report.made_at),
        "matched": report.matched,
        "ours": {"count": report.ours_count, "value": _texts(report.ours)},
        "theirs": {"count": report.theirs_count, "value": _texts(report.theirs)},
        "differences": dict(report.differences),
    }


def _difference(one: Difference) -> dict[str, str | None]:
    return {
        "id": one.id, "kind": one.kind.value, "external_id": one.external_id, "order_id": one.order_id,
        "program": one.program, "redemption_id": one.redemption_id, "ours": _text(one.ours) or None,
        "theirs": _text(one.theirs) or None,
    }  # fmt: skip


def _texts(totals: Mapping[str, Money]) -> dict[str, str]:
    return {currency: str(money.amount) for currency, money in sorted(totals.items())}


def _text(money: Money | None) -> str:
    return "" if money is None else str(money)
