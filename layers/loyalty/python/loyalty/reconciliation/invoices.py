"""A supplier's invoice as a file: which of its columns says what, and its lines, refused whole where one is malformed."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Self

from loyalty.core.errors import TooManyDecimals, UnknownCurrency
from loyalty.core.money import Money
from loyalty.reconciliation.errors import InvoiceInvalid

MOST_LINES: Final = 200_000
MOST_PROBLEMS: Final = 20
MOST_KEY: Final = 128
EXTERNAL_ID, ORDER_ID, AMOUNT, CURRENCY = "external_id", "order_id", "amount", "currency"
MEANINGS: Final = (EXTERNAL_ID, ORDER_ID, AMOUNT, CURRENCY)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column says what: the order by our key or by the supplier's, the amount, and its currency or one for all lines."""

    by: str
    """:data:`EXTERNAL_ID` or :data:`ORDER_ID`."""
    key: str
    amount: str
    currency: str | None
    all_in: str | None

    @classmethod
    def of(cls, mapping: Mapping[str, str], all_in: str | None) -> Self:
        """From meanings to names of columns; ``all_in`` is the currency of every line.

        Raises:
            InvoiceInvalid: it does not say all that is needed, or more.
        """
        keys = [name for name in (EXTERNAL_ID, ORDER_ID) if name in mapping]
        unknown = [name for name in mapping if name not in MEANINGS]
        if unknown or len(keys) != 1 or AMOUNT not in mapping or (CURRENCY in mapping) == (all_in is not None):
            raise InvoiceInvalid(
                "Say which column is which: external_id or order_id, amount, and either the column currency or one currency "
                "for all lines."
            )
        return cls(keys[0], mapping[keys[0]], mapping[AMOUNT], mapping.get(CURRENCY), all_in)

    @property
    def names(self) -> Sequence[str]:
        """Columns that the file must have."""
        return [name for name in (self.key, self.amount, self.currency) if name is not None]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line. ``number`` is that of the file's line on which it ends."""

    number: int
    key: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Invoice:
    """What was imported. Both ends of the period belong to it; ``sha256`` is the file's."""

    supplier: str
    sha256: str
    number: str
    start: date
    end: date
    imported_at: datetime
    imported_by: str
    lines: int
    totals: Mapping[str, Money]
    differences: Mapping[str, int]
    csv_key: str


def read_lines(path: Path, columns: Columns) -> Iterator[InvoiceLine]:
    """The lines of a file, one after the other.

    Raises:
        InvoiceInvalid: after the last of them, if any is malformed: the message names up to twenty, and why.
    """
    problems: list[str] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, strict=True)
        _require_columns(table.fieldnames or (), columns)
        try:
            for count, row in enumerate(table, start=1):
                line, problem = _line(table.line_num, row, columns)
                if problem:
                    problems.append(f"line {table.line_num}: {problem}")
                if line is not None and not problems:
                    yield line
                if count > MOST_LINES:
                    problems.append(f"line {table.line_num}: an invoice has at most {MOST_LINES} lines; divide it")
                if len(problems) == MOST_PROBLEMS or count > MOST_LINES:
                    break
        except (csv.Error, UnicodeDecodeError) as error:
            problems.append(f"line {table.line_num + 1}: it is no CSV in UTF-8 ({type(error).__name__})")
    if problems:
        raise InvoiceInvalid("The invoice is refused whole. " + "; ".join(problems) + ".")


def _require_columns(names: Sequence[str], columns: Columns) -> None:
    missing = [name for name in columns.names if name not in names]
    twice = [name for name in columns.names if list(names).count(name) > 1]
    if missing or twice:
        raise InvoiceInvalid(
            f"line 1: the file's columns are {', '.join(names) or 'none'}; each of {', '.join(columns.names)} has to be there "
            "once."
        )


def _line(number: int, row: Mapping[str, str | None], columns: Columns) -> tuple[InvoiceLine | None, str | None]:
    if None in row or any(value is None for value in row.values()):
        return None, "it has not as many fields as the heading"
    key, amount = (row[columns.key] or "").strip(), (row[columns.amount] or "").strip()
    currency = columns.all_in or (row[columns.currency or ""] or "").strip()
    if not key or len(key) > MOST_KEY or not key.isprintable():
        return None, f"{columns.key} names no order"
    try:
        return InvoiceLine(number, key, Money.of(amount, currency)), None
    except (UnknownCurrency, TooManyDecimals) as error:
        return None, error.detail.rstrip(".")
    except ValueError:
        return None, f"{columns.amount} is no amount such as 1234.50"
