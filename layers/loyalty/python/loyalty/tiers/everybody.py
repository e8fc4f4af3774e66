"""Recalculating the tiers of many members: after a new version of the program has other thresholds, or ends tiers.

A run may be cut off and started again: whoever stands where they should is read once and not written.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.errors import LoyaltyError, MemberNotFound
from loyalty.core.table import Table
from loyalty.ledger.model import Book
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.programs.model import Program
from loyalty.tiers.service import TierService

WORKERS: Final = 8
"""Members recalculated side by side; each waits for DynamoDB most of the time."""
_PAGE: Final = 100


@dataclass(slots=True)
class Recalculated:
    """What a run has done so far."""

    members: int = 0
    """Members who were looked at."""
    changed: int = 0
    """Members of whom another standing was written."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Members who could not be recalculated, and the error's name: what it says may quote what is stored."""


class Recalculation:
    """Recalculates one member, those on a tier, or everybody."""

    def __init__(self, table: Table, clock: Clock, *, workers: int = WORKERS) -> None:
        self._store = LedgerStore(table)
        self._tiers = TierService(Ledger(table, clock))
        self._clock = clock
        self._workers = workers

    def one(self, program: Program, member_id: str, *, run: str) -> bool:
        """Whether the member stands elsewhere now. ``run`` names the occasion: under one name it happens once.

        Raises:
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        posted = self._tiers.recalculate(program, member_id, cause=run, posted_at=self._clock())
        return posted is not None and not posted.replayed

    def many(
        self,
        program: Program,
        *,
        run: str,
        tier: str | None = None,
        progress: Callable[[Recalculated], None] = lambda _: None,
    ) -> Recalculated:
        """Every member, or those on a tier of any ladder. Reads the whole table, and each of these once more."""
        done = Recalculated()
        found = (book.member_id for book in self._store.books(program.document.id) if _is_meant(book, tier))
        with ThreadPoolExecutor(self._workers) as pool:
            for page in _pages(found):
                for member_id, outcome in pool.map(lambda one: (one, self._outcome(program, one, run)), page):
                    done.members += 1
                    done.changed += outcome is True
                    if isinstance(outcome, str):
                        done.failures.append((member_id, outcome))
                progress(done)
        return done

    def _outcome(self, program: Program, member_id: str, run: str) -> bool | str:
        try:
            return self.one(program, member_id, run=run)
        except MemberNotFound:
            return False  # gone since it was read
        except Exception as error:  # noqa: BLE001 - one member's failure is not the run's
            return error.code if isinstance(error, LoyaltyError) else type(error).__name__


def _is_meant(book: Book, tier: str | None) -> bool:
    stands_on = {book.tier, *(standing.tier for standing in book.standings.values())}
    return book.merged_into is None and (tier is None or tier in stands_on)


def _pages(members: Iterator[str]) -> Iterator[list[str]]:
    while page := list(islice(members, _PAGE)):
        yield page
