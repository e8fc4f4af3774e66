"""Lists as they are sent: CSV of a plain kind, read as a stream, refused whole where anything in it is wrong.

The heading names the columns in any order: ``member_id``, ``reference`` and, unless it is one each, ``quantity``; where the
reward has amounts to choose from, ``amount``, and ``currency`` unless there is one only. A list is in one currency. Fields are
identifiers and numbers, so there are no quotes, and a line of the file is a line of the list: any batch can be read by its
place in the file.
"""

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from loyalty.bulk.errors import ListInvalid
from loyalty.bulk.model import BATCH, MOST_LINES, MOST_PROBLEMS, Batch, Line
from loyalty.core.errors import LoyaltyError
from loyalty.core.money import Money, minor_units, money_of
from loyalty.rewards.pricing import Price

MOST_LINE_BYTES: Final = 1000
REQUIRED: Final = ("member_id", "reference")
COLUMNS: Final = (*REQUIRED, "quantity", "amount", "currency")
_FORMS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "member_id": (re.compile(r"mbr_[0-9a-z]{26}"), "a member's id, mbr_ and 26 characters"),
    "reference": (re.compile(r"[A-Za-z0-9._:-]{1,64}"), "1 to 64 letters, digits, '.', '_', ':' or '-'"),
    "quantity": (re.compile(r"[1-9][0-9]{0,5}"), "a whole number from 1"),
    "amount": (re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?"), "a number with a point, such as 12.50"),
    "currency": (re.compile(r"[A-Z]{3}"), "an ISO 4217 code such as USD"),
}
_CACHE_KIB: Final = 2048


@dataclass(frozen=True, slots=True)
class Checked:
    """What a well-formed list has. ``points`` and ``value`` are of all lines together, as members would pay for them."""

    lines: int
    units: int
    points: int
    value: Money | None
    batches: Sequence[Batch]
    columns: tuple[str, ...]
    sha256: str


def check(
    parts: Iterable[bytes], *, most_each: int, price: Callable[[Line], Price], currency: str | None = None
) -> Checked:
    """Reads a list whole. In memory there is a line and the places of the batches; references are told apart on disk.

    Args:
        parts: of the file, in order.
        most_each: the most of the reward that one line may ask for.
        price: of a line; what it raises is said of that line.
        currency: of amounts, where no column says it.

    Raises:
        ListInvalid: it is malformed; the message names up to twenty of the lines, and why.
    """
    digest, batches, problems = hashlib.sha256(), list[Batch](), list[str]()
    lines = units = start = at = 0
    columns: tuple[str, ...] = ()
    sums = _Sums(price)
    with _References() as references:
        for number, raw in enumerate(_raw_lines(_digested(parts, digest)), start=1):
            at += len(raw)
            if number == 1:
                columns, start = _columns(raw, currency), at
                continue
            line, problem = _line(raw, number, columns, most_each, currency)
            problem = problem or references.second(line) or sums.add(line)
            problems += [f"line {number}: {problem}"] if problem else []
            if len(problems) == MOST_PROBLEMS or number > MOST_LINES + 1:
                break
            lines, units = lines + 1, units + line.quantity
            if lines % BATCH == 0:
                batches.append(Batch(len(batches), start, at, number - BATCH + 1))
                start = at
    if not problems and lines == 0:
        problems = ["line 1: there is nothing behind it"]
    if lines > MOST_LINES:
        problems.append(f"line {MOST_LINES + 2}: a list has at most {MOST_LINES} lines; divide it")
    if problems:
        raise ListInvalid("The list is refused whole. " + "; ".join(problems) + ".")
    if lines % BATCH:
        batches.append(Batch(len(batches), start, at, lines - lines % BATCH + 2))
    return Checked(lines, units, sums.points, sums.value, batches, columns, digest.hexdigest())


def read_batch(
    parts: Iterable[bytes], columns: tuple[str, ...], first_line: int, *, currency: str | None = None
) -> Iterator[Line]:
    """The lines of a batch of a list that :func:`check` found well-formed.

    Raises:
        ListInvalid: it is not, so it is another file.
    """
    for number, raw in enumerate(_raw_lines(parts), start=first_line):
        line, problem = _line(raw, number, columns, None, currency)
        if problem:
            raise ListInvalid(f"line {number}: {problem}. It was checked as another file.")
        yield line


def _digested(parts: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for part in parts:
        digest.update(part)
        yield part


def _raw_lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends. One that is too long comes cut, and is refused for it."""
    left = b""
    for part in parts:
        left, start = left + part, 0
        while (end := left.find(b"\n", start) + 1) > 0:
            yield left[start:end]
            start = end
        left = left[start:]
        if len(left) > MOST_LINE_BYTES:
            yield left
            return
    if left:
        yield left


def _columns(raw: bytes, currency: str | None) -> tuple[str, ...]:
    names = tuple(_text(raw.removeprefix(b"\xef\xbb\xbf")).split(","))
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in names]
    if unknown or missing or len(set(names)) != len(names):
        raise ListInvalid(
            f"line 1: name the columns, each once, separated by commas: {', '.join(REQUIRED)} and, unless it is one each, "
            "quantity; where there are amounts to choose from, amount, and currency unless there is one only."
        )
    if "currency" in names and "amount" not in names:
        raise ListInvalid(
            "line 1: currency is that of a column amount; leave it out where the reward has a fixed price."
        )
    if "amount" in names and "currency" not in names and currency is None:
        raise ListInvalid("line 1: name a column currency: the reward does not say which one an amount is in.")
    return names


def _line(
    raw: bytes, number: int, columns: tuple[str, ...], most_each: int | None, currency: str | None
) -> tuple[Line, str | None]:
    if len(raw) > MOST_LINE_BYTES:
        return Line(number, "", ""), f"it is longer than {MOST_LINE_BYTES} bytes"
    cells = _text(raw).split(",")
    if len(cells) != len(columns):
        return Line(number, "", ""), f"it has {len(cells)} fields, and the heading {len(columns)}"
    fields = dict(zip(columns, cells, strict=True))
    for name, cell in fields.items():
        form, words = _FORMS[name]
        if not form.fullmatch(cell):
            return Line(number, "", ""), f"{name} is {words}"
    quantity = int(fields.get("quantity", "1"))
    try:
        amount = _amount(fields, currency)
    except LoyaltyError as refusal:
        return Line(number, "", ""), refusal.detail.rstrip(".")
    line = Line(number, fields["member_id"], fields["reference"], quantity, amount)
    if most_each is not None and quantity > most_each:
        return line, f"quantity is at most {most_each}: so many of a reward may be in one redemption"
    return line, None


def _amount(fields: Mapping[str, str], currency: str | None) -> Money | None:
    amount, unit = fields.get("amount"), fields.get("currency", currency)
    return None if amount is None or unit is None else Money.of(amount, unit)


class _Sums:
    """What the lines come to so far, in points and in minor units of the list's one currency."""

    def __init__(self, price: Callable[[Line], Price]) -> None:
        self._price = price
        self._units = 0
        self._currency: str | None = None
        self.points = 0

    @property
    def value(self) -> Money | None:
        return None if self._currency is None else money_of(self._units, self._currency)

    def add(self, line: Line) -> str | None:
        """Adds a line; why it is refused, where it has no price or another currency."""
        try:
            price = self._price(line)
        except LoyaltyError as refusal:
            return refusal.detail.rstrip(".")
        self.points += price.points
        if price.value is None:
            return None
        first, self._currency = self._currency, self._currency or price.value.currency
        if first not in (None, price.value.currency):
            return f"it is in {price.value.currency}, and the lines before it are in {first}; send a list for each currency"
        self._units += minor_units(price.value)
        return None


def _text(raw: bytes) -> str:
    """Without the line's end. What is no UTF-8 becomes what no field may have."""
    return raw.decode(errors="replace").removesuffix("\n").removesuffix("\r")


class _References:
    """Which references a list has had, in a database on disk: a list of any length takes the same memory."""

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="bulk-")
        self._database = sqlite3.connect(Path(self._folder.name) / "references.sqlite")
        settings = f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{_CACHE_KIB};"
        table = "CREATE TABLE lines (reference TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;"
        self._database.executescript(settings + table)
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._folder.cleanup()

    def second(self, line: Line) -> str | None:
        """Notes a line's reference; why it is refused, where an earlier one has it."""
        added = "INSERT OR IGNORE INTO lines VALUES (?, ?)"
        with closing(self._database.execute(added, (line.reference, line.number))) as done:
            if done.rowcount == 1:
                return None
        found = self._database.execute("SELECT number FROM lines WHERE reference = ?", (line.reference,)).fetchone()
        return f"reference is that of line {found[0]}: it names one line of the campaign"
