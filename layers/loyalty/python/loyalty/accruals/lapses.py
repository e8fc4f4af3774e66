"""Points of an accrual that expired before they were taken back: they are not taken twice. Pure.

What expired is written in the lot's expiry entry, and what reversals have taken of it in a ``LAPSED#`` record beside
that. A reversal takes from there first: at most what the accrual had put into the lot, at most what expired of the lot
and no other reversal has taken. What was pending first was put there as it matured, together with whatever else matured
then: the maturity's entry says how much of all that paid no debt, and each accrual may have put in as much.

Where activity renewed the balance when the points were earned, or does today, they expired with the first lot that
expired after their own: only its points, and those that lived on with them, are in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from loyalty.accruals.reading import Seen
from loyalty.accruals.records import lapsed_points, lapsed_put, lapsed_sk
from loyalty.accruals.share import Original, Part, Reversed
from loyalty.core.table import Check, Operation
from loyalty.ledger.items import EntryItem, book_of, entry_of
from loyalty.ledger.keys import BOOK_SK, entry_sk, partition
from loyalty.ledger.model import Book, EntryKey, EntryKind
from loyalty.ledger.movements import end_of_month, parse_bucket
from loyalty.programs.model import ProgramDocument

MAX_LOTS_READ: Final = 40
"""Lots that a reversal looks at, of all wallets together: each is two records, of the hundred that one read takes."""
MAX_LOTS_CHECKED: Final = 70
"""The same, with all members that were merged into one: each may be a check, of the hundred operations of a transaction."""


@dataclass(frozen=True, slots=True)
class Lapsed:
    """Points that a reversal takes of what had expired, by wallet, and the records that say so."""

    points: Mapping[str, int]
    operations: Sequence[Operation]


def lapsed(
    seen: Seen, book: Book, document: ProgramDocument, today: date, *, original: Original, before: Reversed, part: Part
) -> Lapsed:
    """What of ``part`` had expired on ``today`` (program's date). Reads the expired lots, where there are any."""
    wanted = {wallet: points for wallet, points in part.points.items() if points}
    own = {wallet: _own_lot(original, book, wallet) for wallet in wanted}
    expired = {wallet: lot for wallet, lot in own.items() if lot is not None and lot < today.isoformat()}
    taken: dict[str, int] = {}
    operations: list[Operation] = []
    for wallet, lot in expired.items():
        renewed = wallet in original.facts.renewed or document.expiry_of(wallet).renewed_by_activity
        # An accrual of a merged member may have expired before the merge or after it.
        owners = list(_owners(seen, original, book))
        most_lots = min(MAX_LOTS_READ, MAX_LOTS_CHECKED // len(owners)) // len(expired)
        lots = list(_lots(lot, today, renewed=renewed))[: max(1, most_lots)]
        maturities = [_maturity_sk(wallet, key) for key in original.movement.change(wallet).maturing]
        for member_id in owners:
            fallen = _first_expired(seen, member_id, wallet, lots, *maturities)
            operations += [_absent(book.program, member_id, _expiry_sk(wallet, lot)) for lot in fallen.passed]
            if fallen.lot is not None:
                put, checks = _put_in(seen, original, book, wallet)
                operations += checks
                most = min(wanted[wallet], put - before.lapsed.get(wallet, 0))
                taken[wallet] = max(0, min(most, fallen.left))
                operations += fallen.take(book.program, taken[wallet])
                break
    return Lapsed(taken, operations)


@dataclass(frozen=True, slots=True)
class _Fallen:
    """The first of some lots that expired, if any did, and those before it."""

    member_id: str
    wallet: str
    passed: Sequence[str]
    lot: str | None = None
    expired: int = 0
    attributed: int = 0
    """What other reversals have taken of it."""

    @property
    def left(self) -> int:
        return self.expired - self.attributed

    def take(self, program: str, points: int) -> list[Operation]:
        if self.lot is None or not points:
            return []
        sk = lapsed_sk(self.wallet, self.lot)
        return [lapsed_put(program, self.member_id, sk, before=self.attributed, after=self.attributed + points)]


def _own_lot(original: Original, book: Book, wallet: str) -> str | None:
    """The lot that the accrual's points went into; None where they are pending yet, or all of them paid a debt at once."""
    change = original.movement.change(wallet)
    for key in change.maturing:
        return None if key in book.wallet(wallet).maturing else parse_bucket(key)[1]
    return max(change.lots, default=None)


def _put_in(seen: Seen, original: Original, book: Book, wallet: str) -> tuple[int, Sequence[Operation]]:
    """How many points the accrual put into its lot, at most: not those that paid a debt; and what must hold for that."""
    change = original.movement.change(wallet)
    key = next(iter(change.maturing), None)
    if key is None:
        return sum(change.lots.values()), []
    sk = _maturity_sk(wallet, key)
    for member_id in _owners(seen, original, book):
        raw = seen.get(member_id, sk)
        if raw is not None:
            # Several accruals may have matured together: each put in at most what all of them did.
            together = sum(entry_of(raw).movement.change(wallet).lots.values())
            return min(change.maturing[key], together), []
    return 0, [_absent(book.program, book.member_id, sk)]


def _owners(seen: Seen, original: Original, book: Book) -> Iterator[str]:
    """Whose the accrual's points have been, one after the other; not who else was merged into the last of them."""
    member_id = original.member_id
    while member_id != book.member_id:
        yield member_id
        raw = seen.get(member_id, BOOK_SK)
        into = book_of(raw).merged_into if raw is not None else None
        if into is None:
            raise AssertionError(f"'{member_id}' was not merged into '{book.member_id}'")
        member_id = into
    yield member_id


def _lots(first: str, today: date, *, renewed: bool) -> Iterator[str]:
    """The lots with which an expired lot's points may have expired."""
    day = date.fromisoformat(first)
    while day < today:
        yield day.isoformat()
        if not renewed:
            return
        day = end_of_month(day + timedelta(days=1))


def _first_expired(seen: Seen, member_id: str, wallet: str, lots: Sequence[str], *beside: str) -> _Fallen:
    """``beside`` are sort keys of what will be asked for next, in the same read."""
    sks = [*(_expiry_sk(wallet, lot) for lot in lots), *(lapsed_sk(wallet, lot) for lot in lots)]
    seen.require(member_id, *sks, *beside)
    for place, lot in enumerate(lots):
        raw = seen.get(member_id, _expiry_sk(wallet, lot))
        if raw is not None:
            expired = -entry_of(raw).movement.change(wallet).lots.get(lot, 0)
            attributed = lapsed_points(seen.get(member_id, lapsed_sk(wallet, lot)))
            return _Fallen(member_id, wallet, lots[:place], lot, expired, attributed)
    return _Fallen(member_id, wallet, lots)


def _absent(program: str, member_id: str, sk: str) -> Check:
    # The records of one read are not of one moment: it may have expired, or matured, since.
    return Check(EntryItem, partition(program, member_id), sk, EntryItem.pk.does_not_exist())


def _maturity_sk(wallet: str, key: str) -> str:
    return entry_sk(EntryKey(EntryKind.MATURITY, wallet, key))


def _expiry_sk(wallet: str, lot: str) -> str:
    return entry_sk(EntryKey(EntryKind.EXPIRY, wallet, lot))
