"""The steps by which a member is erased, each of which may be taken again.

::

    prepare     nothing is on its way to the member; the household is left
    begin       the record says so: until here the erasure may be withdrawn, and nothing is deleted
    note        a file in the bucket says who is to be erased: a backup that is restored does not know of it
    unclaimed   what waits under their hashes, which nobody knows afterwards
    alike       in what screening remembers, and in the referral by which they came, by what they were like others; that somebody was
                erased who was stays known for as long as the program says
    close       one transaction: points forfeited, book closed, key and lookups deleted, the profile a stub
    absorbed    the same of whoever was merged into them, until that very moment; their books are closed already
    sweep       segments, consents in force, preferences, cases of abuse, exports, cards, links to
                parcels, links to share, codes of referrals
    check       nothing of it is left
    end         the record says erased

Cut off anywhere, the whole is taken again from its beginning: what was done is found done.
"""

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import HouseholdNotFound, MemberNotFound
from loyalty.core.files import FilesToForget
from loyalty.core.retrying import Retries
from loyalty.core.table import Operation
from loyalty.households.errors import HouseholdHasPoints, MemberNotInHousehold
from loyalty.households.service import HouseholdService
from loyalty.households.store import membership_check
from loyalty.ledger.draft import Situation
from loyalty.ledger.model import Book
from loyalty.ledger.service import Ledger
from loyalty.ledger.settlement import as_of
from loyalty.ledger.store import LedgerStore
from loyalty.members.erasure import Erasure
from loyalty.privacy.closing import closing, require_no_holds, require_unmerged
from loyalty.privacy.erasure_store import ErasureStore, stub
from loyalty.privacy.errors import ErasureBlocked
from loyalty.privacy.export_store import folder_of
from loyalty.programs.model import Program
from loyalty_contract import MEMBER_SK

_RETRIES: Final = Retries(
    6, base=0.02, cap=0.5, busy="This member has many writers at the moment; take the steps again."
)
"""A step is tried while other writers get in first."""
NOTES: Final = "privacy/erasures"


class ErasureIncomplete(Exception):
    """Something is left of a member after all steps: another try takes it, or somebody has to look."""


class Forgetting(Protocol):
    """Remembers who may share what with whom, for the screening of referrals."""

    def forget(self, program: Program, member_id: str) -> None:
        """Takes a member out of it; raises ``WalletBusy`` where others keep writing the same."""


class ErasureSteps:
    """Takes the steps.

    Args:
        store: reads, writes and deletes what is a member's.
        ledger: closes books.
        books: reads books.
        households: are left.
        screening: forgets what they shared with others.
        files: the bucket with exports, and with the notes of who was erased.
        clock: gives the present moment.
        sleep: waits.
    """

    def __init__(
        self,
        *,
        store: ErasureStore,
        ledger: Ledger,
        books: LedgerStore,
        households: HouseholdService,
        screening: Forgetting,
        files: FilesToForget,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._books = books
        self._households = households
        self._screening = screening
        self._files = files
        self._clock = clock
        self._sleep = sleep

    def prepare(self, program: Program, erasure: Erasure) -> None:
        """Whatever comes before the erasure has begun; of who is erased already, nothing.

        Raises:
            MemberNotFound, MemberMerged: there is no such member, or they are another one now.
            ErasureBlocked: see :meth:`require_free`; or a pool would be left with points and nobody in it.
            WalletBusy: take them again.
        """
        book = self._book(program.document.id, erasure.member_id)
        if book.erased_at is None:
            require_unmerged(book)
            self.require_free(program, book)
            self._leave(program, erasure.member_id)

    def take(self, program: Program, erasure: Erasure) -> None:
        """All that follow once it has begun, in order.

        Raises:
            MemberNotFound, MemberMerged, ErasureBlocked: as of :meth:`prepare`.
            ErasureIncomplete, WalletBusy: take them again.
        """
        name, member_id = program.document.id, erasure.member_id
        book = self._book(name, member_id)
        if book.erased_at is None:
            self._note(erasure)
            self._forget_unclaimed(name, member_id)
            self._screening.forget(program, member_id)
            self._close(program, erasure)
            book = self._closed(name, member_id)
        for one in book.absorbed:
            self._forget_unclaimed(name, one)
            self._screening.forget(program, one)
            _RETRIES.of(partial(self._store.erase_member, name, one, owner=member_id, now=self._now()), self._sleep)
        for one in (member_id, *book.absorbed):
            _RETRIES.of(partial(self._store.sweep, name, one), self._sleep)
            self._files.remove(folder_of(name, one))
        if left := [sk for one in (member_id, *book.absorbed) for sk in self._store.left(name, one)]:
            raise ErasureIncomplete(f"left behind: {', '.join(left)}")

    def _close(self, program: Program, erasure: Erasure) -> None:
        name, member_id = program.document.id, erasure.member_id

        def beside(situation: Situation) -> list[Operation]:
            raw = situation.records.get(MEMBER_SK)
            gone = stub(name, member_id, raw, owners=(member_id,), now=situation.now)
            return [*gone, membership_check(name, member_id, None)]

        posting = closing(
            program,
            member_id,
            actor=erasure.asked_by,
            approved_by=erasure.decided_by,
            records=(MEMBER_SK,),
            require_free=partial(self.require_free, program),
            beside=beside,
        )
        self._ledger.post(program.scope, member_id, posting)

    def _book(self, program: str, member_id: str) -> Book:
        book = self._books.book(program, member_id)
        if book is None:
            raise MemberNotFound.of(program, member_id)
        return book

    def _closed(self, program: str, member_id: str) -> Book:
        book = self._books.book(program, member_id)
        if book is None or book.erased_at is None:
            raise ErasureIncomplete("the book is open")
        return book

    def _forget_unclaimed(self, program: str, member_id: str) -> None:
        """As long as the profile tells under what it waits: before it is made a stub."""
        for digest in self._store.digests(program, member_id):
            _RETRIES.of(partial(self._store.forget_unclaimed, program, digest), self._sleep)

    def _leave(self, program: Program, member_id: str) -> None:
        with suppress(HouseholdNotFound, MemberNotInHousehold):
            household = self._households.of_member(program, member_id).household
            try:
                self._households.leave(program, household.household_id, member_id)
            except HouseholdHasPoints as refusal:
                raise ErasureBlocked(refusal.detail) from refusal

    def _note(self, erasure: Erasure) -> None:
        """Ids and moments alone, outside of the table: see ``loyalty privacy reapply``."""
        told = {"program": erasure.program, "member_id": erasure.member_id, "approved_at": to_text(self._now())}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "note.json"
            path.write_text(json.dumps(told))
            self._files.put(note_key(erasure.program, erasure.member_id), path, "application/json")

    def require_free(self, program: Program, book: Book) -> None:
        """Nothing is on its way to the member, or to whom they absorbed.

        Raises:
            ErasureBlocked: points are held, a reward that the program pays is not given yet, or the fulfilment of a gift card
                goes on: a card that is being replaced would be stored for nobody.
        """
        now = self._now()
        for one in (book.member_id, *book.absorbed):
            held = self._store.open_redemption(program.document.id, one, now)
            if held is not None:
                raise ErasureBlocked(
                    f"The redemption '{held}' is not ended; capture or release it, or wait for it, then erase the member."
                )
            run = self._store.unsettled_run(program.document.id, one)
            if run is not None:
                raise ErasureBlocked(
                    f"The fulfilment of '{run.redemption_id}' goes on ({run.status}); wait for it, or have finance end it, "
                    "then erase the member."
                )
        require_no_holds(as_of(book, program.scope, now))  # without those that have timed out

    def _now(self) -> datetime:
        return from_text(to_text(self._clock()))


def note_key(program: str, member_id: str) -> str:
    """Where the bucket says that a member was erased."""
    return f"{NOTES}/{program}/{member_id}.json"
