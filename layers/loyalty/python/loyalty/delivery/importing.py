"""Importing codes from a CSV file into a reward's pool: line after line, each code once for ever, again from where it stopped.

Nothing that is said of a line repeats what is in it: codes are money to whoever reads them.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from loyalty.core.clock import Clock, local_date
from loyalty.core.pii import Lookups, Vault, pool_code_of
from loyalty.core.table import Table, TransactionRefused
from loyalty.delivery.codes import code_hash
from loyalty.delivery.pool import CodePool, FreeCode
from loyalty.programs.model import Program
from loyalty.suppliers.model import GiftCard
from loyalty.vault.store import card_document

COLUMNS: Final = ("code", "pin", "expires_on")
_CODE: Final = re.compile(r"[!-~]{4,128}")
_PIN: Final = re.compile(r"[!-~]{1,32}")
_ATTEMPTS: Final = 8


class WrongHeader(ValueError):
    """The file does not begin with the names of its columns."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one line, counted as an editor does: the header is line 1."""

    line: int
    problem: str | None = None
    """Why it was not imported; None: it was."""


class CodeImport:
    """Imports into one reward's pool.

    Args:
        table: the table.
        vault: seals codes for the pool: one call to KMS each.
        lookups: makes the keyed hash by which a code is known.
        clock: the present moment.
    """

    def __init__(self, table: Table, vault: Vault, lookups: Lookups, clock: Clock) -> None:
        self._table = table
        self._pool = CodePool(table)
        self._vault = vault
        self._lookups = lookups
        self._clock = clock

    def run(self, program: Program, reward_id: str, text: Iterable[str], *, after: int = 1) -> Iterator[Imported]:
        """What becomes of each line behind ``after``, one after the other, as it is imported.

        A line that was imported before is told as such, so that the same file may be imported again from its beginning.

        Raises:
            WrongHeader: the first line does not name the columns.
        """
        rows = csv.reader(text)
        columns = _columns(next(rows, []))
        today = local_date(self._clock(), program.document.zone)
        for row in rows:
            line = rows.line_num
            if line <= after or not any(row):
                continue
            card, problem = _card(dict(zip(columns, row, strict=False)), today)
            if card is not None:
                problem = None if self._add(program.document.id, reward_id, card) else "known"
            yield Imported(line, problem)

    def _add(self, program: str, reward_id: str, card: GiftCard) -> bool:
        """Whether the code is in the pool now and never was before, in this or another one of the program."""
        hashed = code_hash(self._lookups, program, card.code or "")
        if self._pool.known(program, hashed):
            return False
        sealed = self._vault.seal(pool_code_of(program, reward_id, hashed), card_document(card))
        operations = self._pool.add(FreeCode(program, reward_id, hashed, sealed), self._clock())
        for attempt in range(_ATTEMPTS):
            try:
                self._table.write(operations)
            except TransactionRefused as refusal:
                if 0 in refusal.failed:
                    return False
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            break
        return True


def _columns(header: list[str]) -> list[str]:
    columns = [name.strip().lstrip("\ufeff").lower() for name in header]
    if "code" not in columns or not set(columns) <= set(COLUMNS) or len(set(columns)) != len(columns):
        raise WrongHeader("the first line names the columns: code, and where there are any, pin and expires_on")
    return columns


def _card(row: dict[str, str], today: date) -> tuple[GiftCard | None, str | None]:
    """The code of a line, or what is wrong with it."""
    code, pin, expires_on = (row.get(name, "").strip() for name in COLUMNS)
    if not _CODE.fullmatch(code):
        return None, "code_malformed"
    if pin and not _PIN.fullmatch(pin):
        return None, "pin_malformed"
    try:
        expired = bool(expires_on) and date.fromisoformat(expires_on) < today
    except ValueError:
        return None, "expires_on_malformed"
    if expired:
        return None, "expired"
    return GiftCard(code=code, pin=pin or None, expires_on=expires_on or None), None
