"""Erasing a member: who may ask and decide, and what is written down of it. The steps are in :mod:`loyalty.privacy.steps`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import MemberErased, MemberMerged, MemberNotFound, SecondPersonRequired, WalletBusy
from loyalty.core.table import TransactionRefused
from loyalty.ledger.model import Book
from loyalty.ledger.store import LedgerStore
from loyalty.members.erasure import OPEN, Erasure, ErasureReason, ErasureStatus
from loyalty.privacy.closing import require_unmerged
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.privacy.errors import ErasureBegun, ErasureBlocked, ErasureDecided, ErasureNotFound
from loyalty.privacy.steps import ErasureSteps
from loyalty.programs.model import Program


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for an erasure, or decides on one. ``client_id``: vouches for the actor; None: an operator's shell."""

    actor: str
    client_id: str | None


class Erasing:
    """Erasures of members.

    Args:
        store: reads and writes them.
        books: reads books.
        steps: takes the steps.
        clock: gives the present moment.
        start: starts the state machine; the machine's own function starts none.
    """

    def __init__(
        self,
        *,
        store: ErasureStore,
        books: LedgerStore,
        steps: ErasureSteps,
        clock: Clock,
        start: Callable[[Erasure], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._books = books
        self._steps = steps
        self._clock = clock
        self._start = start

    def ask(self, program: Program, member_id: str, reason: ErasureReason, by: Asked) -> Erasure:
        """Asks for an erasure. It starts at once where the program needs no second person; asked again, it is the first.

        Raises:
            MemberNotFound, MemberMerged: there is no such member, or they are another one now: erase that one.
            MemberErased: they are erased.
            ErasureBlocked: points are held, a reward is on its way, or a pool would be left without anybody.
            WalletBusy: others keep writing it.
        """
        before = self._store.get(program.document.id, member_id)
        if before is not None and before.status in OPEN:
            if before.status is ErasureStatus.APPROVED and before.problem is None:
                self._start(before)  # the first call may have been cut off before it
            return before
        alone = not program.document.four_eyes.erasure
        asked = self._asked(program, member_id, reason, by, before=before, alone=alone)
        if alone:
            self._start(asked)
        return asked

    def propose(self, program: Program, member_id: str, by: Asked) -> Erasure:
        """Asks for the erasure of a member of whom nothing was heard for long. It never starts before somebody approves it.

        Raises:
            MemberNotFound, MemberMerged, MemberErased, ErasureBlocked, WalletBusy: as :meth:`ask`.
        """
        before = self._store.get(program.document.id, member_id)
        if before is not None and before.status in OPEN:
            return before
        return self._asked(program, member_id, ErasureReason.RETENTION, by, before=before, alone=False)

    def get(self, program: str, member_id: str) -> Erasure:
        """Where the member's erasure stands.

        Raises:
            ErasureNotFound: nobody asked for one.
        """
        found = self._store.get(program, member_id)
        if found is None:
            raise ErasureNotFound.of(member_id)
        return found

    def approve(self, program: Program, member_id: str, by: Asked) -> Erasure:
        """A second person's yes, and the start of the steps. Said again, by whoever may approve, it starts what stopped.

        Raises:
            ErasureNotFound: nobody asked for one.
            SecondPersonRequired: it is who asked, or their client.
            ErasureDecided: somebody decided on it otherwise, or it is done.
            ErasureBlocked: as :meth:`ask`.
            WalletBusy: others keep writing it.
        """
        found = self.get(program.document.id, member_id)
        if found.status not in OPEN:
            raise _decided(found)
        _require_second(program, found, by)
        if found.status is ErasureStatus.APPROVED and found.problem is None:
            self._start(found)
            return found
        self._steps.require_free(program, self._open_book(program, member_id))
        approved = self._decide(found, ErasureStatus.APPROVED, by)
        self._start(approved)
        return approved

    def reject(self, program: Program, member_id: str, by: Asked) -> Erasure:
        """A second person's no. Said again by the same person, it is what it was.

        Raises:
            ErasureNotFound, SecondPersonRequired, ErasureDecided, WalletBusy: as :meth:`approve`.
        """
        found = self.get(program.document.id, member_id)
        if found.status is ErasureStatus.REJECTED and found.was_decided_by(by.actor):
            return found
        if found.status is not ErasureStatus.ASKED:
            raise _decided(found)
        _require_second(program, found, by)
        return self._decide(found, ErasureStatus.REJECTED, by)

    def withdraw(self, program: Program, member_id: str, by: Asked) -> Erasure:
        """Takes an approval back, while nothing was deleted yet. Said again by the same person, it is what it was.

        Raises:
            ErasureNotFound, SecondPersonRequired, WalletBusy: as :meth:`approve`.
            ErasureDecided: nobody approved it, or it is done.
            ErasureBegun: something of the member is deleted; only its end is left.
        """
        found = self.get(program.document.id, member_id)
        if found.status is ErasureStatus.WITHDRAWN and found.was_decided_by(by.actor):
            return found
        if found.status is not ErasureStatus.APPROVED:
            raise _decided(found)
        _require_second(program, found, by)
        if found.begun_at is not None:
            raise ErasureBegun(
                f"The erasure of '{member_id}' began at {to_text(found.begun_at)} to delete what cannot come back; "
                "end what stops it, and approve it again."
            )
        return self._decide(found, ErasureStatus.WITHDRAWN, by)

    def run(self, program: Program, member_id: str) -> Erasure:
        """Takes all steps of an approved erasure; of one that is over, it checks that nothing is left.

        Raises:
            ErasureNotFound, ErasureDecided: nobody approved it.
            ErasureBlocked: a hold was opened meanwhile; the record says so, and it is approved again once that is over.
            MemberMerged: they were merged meanwhile; likewise, but that the survivor is to be erased.
            ErasureIncomplete: something is left; take the steps again.
            WalletBusy: others keep writing what it needs; likewise.
        """
        erasure = self.get(program.document.id, member_id)
        if erasure.status not in {ErasureStatus.APPROVED, ErasureStatus.ERASED}:
            raise _decided(erasure)
        try:
            self._steps.prepare(program, erasure)
            erasure = self._begun(erasure)
            self._steps.take(program, erasure)
        except (ErasureBlocked, MemberMerged) as refusal:
            stopped = replace(erasure, problem=refusal.detail, version=erasure.version + 1)
            self._save(stopped, "erasure.stopped", self._now())
            raise
        if erasure.status is ErasureStatus.ERASED:
            return erasure
        now = self._now()
        ended = replace(erasure, status=ErasureStatus.ERASED, erased_at=now, problem=None, version=erasure.version + 1)
        self._save(ended, "member.erased", now)
        return ended

    def restore(self, program: Program, member_id: str, by: Asked) -> Erasure:
        """Erases again who had been erased before the table was restored from a backup; no second person: two had decided.

        Raises:
            MemberNotFound: the backup does not have them either.
            ErasureBlocked, ErasureIncomplete, WalletBusy: as :meth:`run`.
        """
        found = self._store.get(program.document.id, member_id)
        if found is None or found.status not in {ErasureStatus.APPROVED, ErasureStatus.ERASED}:
            if self._books.book(program.document.id, member_id) is None:
                raise MemberNotFound.of(program.document.id, member_id)
            now = self._now()
            version = 1 if found is None else found.version + 1
            again = Erasure(
                program.document.id,
                member_id,
                ErasureStatus.APPROVED,
                ErasureReason.RESTORED,
                by.actor,
                by.client_id,
                now,
                version,
                decided_at=now,
            )
            self._save(again, "erasure.restored", now)
        return self.run(program, member_id)

    def _begun(self, erasure: Erasure) -> Erasure:
        """Past the point of no return: whoever withdraws it at the same moment is first, or too late."""
        if erasure.begun_at is not None or erasure.status is ErasureStatus.ERASED:
            return erasure
        now = self._now()
        begun = replace(erasure, begun_at=now, version=erasure.version + 1)
        self._save(begun, "erasure.begun", now)
        return begun

    def _open_book(self, program: Program, member_id: str) -> Book:
        book = self._books.book(program.document.id, member_id)
        if book is None:
            raise MemberNotFound.of(program.document.id, member_id)
        require_unmerged(book)
        if book.erased_at is not None:
            raise MemberErased.of(member_id)
        return book

    def _asked(
        self, program: Program, member_id: str, reason: ErasureReason, by: Asked, *, before: Erasure | None, alone: bool
    ) -> Erasure:
        self._steps.require_free(program, self._open_book(program, member_id))
        now = self._now()
        version = 1 if before is None else before.version + 1
        erasure = Erasure(
            program.document.id, member_id, ErasureStatus.ASKED, reason, by.actor, by.client_id, now, version
        )
        if alone:
            erasure = replace(erasure, status=ErasureStatus.APPROVED, decided_at=now)
        self._save(erasure, "erasure.asked", now)
        return erasure

    def _decide(self, found: Erasure, status: ErasureStatus, by: Asked) -> Erasure:
        """Somebody's decision, with its line of the audit trail, which is named as the status is."""
        now = self._now()
        decided = found.decided(status, by.actor, by.client_id, now)
        self._save(decided, f"erasure.{status}", now)
        return decided

    def _save(self, erasure: Erasure, action: str, now: datetime) -> None:
        try:
            self._store.save(erasure, action, now)
        except TransactionRefused as refusal:
            raise WalletBusy("Somebody else is deciding on this erasure; read it again.") from refusal

    def _now(self) -> datetime:
        return from_text(to_text(self._clock()))


def _require_second(program: Program, erasure: Erasure, by: Asked) -> None:
    if program.document.four_eyes.erasure and erasure.is_of(by.actor, by.client_id):
        raise SecondPersonRequired(
            "Whoever asked for an erasure cannot decide on it; ask somebody else, who uses another client.",
            pointer="/actor",
        )


def _decided(erasure: Erasure) -> ErasureDecided:
    return ErasureDecided(f"The erasure of '{erasure.member_id}' is {erasure.status}; nothing was changed.")
