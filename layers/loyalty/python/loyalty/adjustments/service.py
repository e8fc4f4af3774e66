"""Giving and taking points by hand: at once, or with a second person's approval."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from loyalty.adjustments.errors import AdjustmentAlreadyPosted, AdjustmentAlreadyRejected
from loyalty.adjustments.model import Adjustment, AdjustmentStatus, Asked, change
from loyalty.adjustments.store import (
    AdjustmentStore,
    adjustment_line,
    adjustment_of,
    adjustment_sk,
    decided_put,
    new_put,
    not_found,
)
from loyalty.core import ids
from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import (
    AdjustmentNotFound,
    EntryExistsWithDifferentRequest,
    IdempotencyKeyReused,
    SecondPersonRequired,
    WalletBusy,
)
from loyalty.core.four_eyes import client_actor, person_actor, same_hands
from loyalty.core.table import Put, TransactionRefused
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.model import Change, EntryKey, EntryKind, Facts, Movement
from loyalty.ledger.service import Ledger, following
from loyalty.programs.model import Program

ATTEMPTS: Final = 6
"""Times that a record is written while other writers hold it."""
_SOURCE: Final = "adjustment"
_BACKOFF_SECONDS: Final = 0.01
_BACKOFF_CAP_SECONDS: Final = 0.2


class AdjustmentService:
    """Adjustments of members' wallets, each posted at most once. They never count towards a tier.

    A record stays with the member it was asked for. Where that member is merged into another, the points move on the
    survivor's book.
    """

    def __init__(
        self, ledger: Ledger, store: AdjustmentStore, clock: Clock, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._sleep = sleep

    def ask(
        self, program: Program, member_id: str, asked: Asked, *, client_id: str, idempotency_key: str
    ) -> tuple[Adjustment, bool]:
        """The adjustment that this client's idempotency key stands for; True where an earlier call asked for it.

        It is posted at once, or where it is above the program's limit, proposed.

        Raises:
            AdjustmentIsZero, PointsLimitExceeded, AdjustmentReasonUnknown, WalletNotFound: see :class:`Asked`.
            InsufficientPoints: more is to be taken than is available.
            IdempotencyKeyReused: the key was used with another content.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        request = ids.request_hash(
            {"points": asked.points, "reason": asked.reason, "actor": asked.actor, "wallet": asked.wallet}
        )
        adjustment_id = ids.adjustment_id(program.document.id, member_id, client_id, idempotency_key)
        earlier: list[Adjustment] = []
        made: list[Adjustment] = []

        def decide(holder: str, situation: Situation) -> Decision | None:
            if (raw := situation.records.get(adjustment_sk(adjustment_id))) is not None:
                earlier.append(_same_request(adjustment_of(raw), request))
                return None
            reason = asked.reason_in(program.document)
            moved = change(program.document, asked.wallet, asked.points, situation)
            adjustment = Adjustment(
                program=program.document.id,
                member_id=member_id,
                adjustment_id=adjustment_id,
                status=AdjustmentStatus.PROPOSED,
                points=asked.points,
                reason=reason,
                actor=asked.actor,
                wallet=asked.wallet,
                client_id=client_id,
                request_hash=request,
                created_at=situation.now,
            )
            made.append(adjustment)
            if asked.needs_second_person(program.document):
                return None
            made[-1] = replace(adjustment, status=AdjustmentStatus.POSTED, posted_to=holder)
            return _decision(program, made[-1], moved, new_put(made[-1]), situation)

        def post(holder: str) -> tuple[Adjustment, bool]:
            key = EntryKey(EntryKind.ADJUSTMENT, _SOURCE, adjustment_id)
            posting = Posting(
                key, request, lambda situation: decide(holder, situation), (adjustment_sk(adjustment_id),), member_id
            )
            posted = self._ledger.post(program.scope, holder, posting)
            if earlier:
                return _first_answer(earlier[-1]), True
            if posted is None:
                return self._propose(made[-1])
            if posted.replayed:
                return _first_answer(self._store.get(program.document.id, member_id, adjustment_id)), True
            return made[-1], False

        try:
            return following(member_id, post)
        except EntryExistsWithDifferentRequest:
            # The entry is of whoever approved it: the record tells what was asked for.
            standing = self._store.get(program.document.id, member_id, adjustment_id)
            return _first_answer(_same_request(standing, request)), True

    def approve(
        self, program: Program, member_id: str, adjustment_id: str, *, actor: str, client_id: str
    ) -> Adjustment:
        """Posts a proposed adjustment, once; approved by the same person again, it says so again.

        Raises:
            AdjustmentNotFound: nothing of that id was asked for this member.
            SecondPersonRequired: ``actor`` is who proposed it, or ``client_id`` the client that named them.
            AdjustmentAlreadyPosted, AdjustmentAlreadyRejected: it was decided on by somebody else, or needed nobody.
            InsufficientPoints: more is to be taken than is available by now; it stays proposed.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        try:
            return self._approved(program, member_id, adjustment_id, actor, client_id)
        except AdjustmentNotFound:
            found = self._store.get(program.document.id, member_id, adjustment_id)
            if found.member_id == member_id:
                raise
        return self._approved(program, found.member_id, adjustment_id, actor, client_id)

    def reject(self, program: str, member_id: str, adjustment_id: str, *, actor: str, client_id: str) -> Adjustment:
        """Ends a proposed adjustment without a movement; rejected by the same person again, it says so again.

        Raises:
            AdjustmentNotFound: nothing of that id was asked for this member.
            SecondPersonRequired: ``actor`` is who proposed it, or ``client_id`` the client that named them.
            AdjustmentAlreadyPosted, AdjustmentAlreadyRejected: it was decided on by somebody else, or needed nobody.
            WalletBusy: other writers hold it.
        """
        found = self._store.get(program, member_id, adjustment_id)
        who: dict[str, Any] = {"decided_by": actor, "decided_through": client_id}
        while not _is_decided(found, AdjustmentStatus.REJECTED, actor, client_id):
            rejected = replace(found, status=AdjustmentStatus.REJECTED, decided_at=self._now(), **who)
            other = self._written(rejected, self._store.reject)
            if other is None:
                return rejected
            found = other
        return found

    def _approved(self, program: Program, member_id: str, adjustment_id: str, actor: str, client_id: str) -> Adjustment:
        """Approves what was asked for this very member."""
        sk = adjustment_sk(adjustment_id)
        approved: list[Adjustment] = []

        def decide(holder: str, situation: Situation) -> Decision | None:
            raw = situation.records.get(sk)
            if raw is None:
                raise not_found(member_id, adjustment_id)
            proposed = adjustment_of(raw)
            if _is_decided(proposed, AdjustmentStatus.POSTED, actor, client_id):
                approved.append(proposed)
                return None
            moved = change(program.document, proposed.wallet, proposed.points, situation)
            decided = replace(proposed, decided_by=actor, decided_through=client_id, decided_at=situation.now)
            approved.append(replace(decided, status=AdjustmentStatus.POSTED, posted_to=holder))
            return _decision(program, approved[-1], moved, decided_put(approved[-1]), situation)

        def post(holder: str) -> Adjustment:
            key = EntryKey(EntryKind.ADJUSTMENT, _SOURCE, adjustment_id)
            # Whose approval it is belongs to the request: who comes second is refused, and does not see his own.
            request = ids.request_hash({"approved_by": actor})
            posting = Posting(key, request, lambda situation: decide(holder, situation), (sk,), member_id)
            posted = self._ledger.post(program.scope, holder, posting)
            if posted is not None and posted.replayed:
                return self._store.get(program.document.id, member_id, adjustment_id)
            return approved[-1]

        try:
            return following(member_id, post)
        except EntryExistsWithDifferentRequest as error:
            raise _already_posted(adjustment_id) from error

    def _propose(self, adjustment: Adjustment) -> tuple[Adjustment, bool]:
        """Writes the proposal; another call with the same key may have been first, or the first call of this one."""
        found = self._written(adjustment, self._store.propose)
        if found is None:
            return adjustment, False
        return _first_answer(_same_request(found, adjustment.request_hash)), True

    def _written(self, adjustment: Adjustment, write: Callable[[Adjustment], Adjustment | None]) -> Adjustment | None:
        for attempt in range(ATTEMPTS):
            try:
                return write(adjustment)
            except TransactionRefused:
                self._sleep(jitter(attempt, base=_BACKOFF_SECONDS, cap=_BACKOFF_CAP_SECONDS))
        raise WalletBusy("This adjustment has many writers at the moment; send the same request again.")

    def _now(self) -> datetime:
        return from_text(to_text(self._clock()))


def _same_request(adjustment: Adjustment, request: str) -> Adjustment:
    if adjustment.request_hash != request:
        raise _key_reused()
    return adjustment


def _is_decided(adjustment: Adjustment, status: AdjustmentStatus, actor: str, client_id: str) -> bool:
    """Whether this very person has decided this already; False: they may do so now."""
    if adjustment.status is status and adjustment.decided_by == actor:
        return True
    if adjustment.status is AdjustmentStatus.POSTED:
        raise _already_posted(adjustment.adjustment_id)
    if adjustment.status is AdjustmentStatus.REJECTED:
        raise AdjustmentAlreadyRejected(f"'{adjustment.adjustment_id}' was rejected; ask for a new one.")
    asked = person_actor(adjustment.actor), client_actor(adjustment.client_id)
    if same_hands(asked, (person_actor(actor), client_actor(client_id))):
        raise SecondPersonRequired(
            "Whoever proposed an adjustment cannot decide on it; ask somebody else, who uses another client.",
            pointer="/actor",
        )
    return False


def _first_answer(adjustment: Adjustment) -> Adjustment:
    """As the first call answered it, whatever was decided since."""
    if adjustment.decided_by is None:
        return adjustment
    undecided: dict[str, Any] = {"decided_by": None, "decided_through": None, "decided_at": None, "posted_to": None}
    return replace(adjustment, status=AdjustmentStatus.PROPOSED, **undecided)


def _decision(program: Program, adjustment: Adjustment, moved: Change, record: Put, situation: Situation) -> Decision:
    facts = Facts(
        occurred_at=situation.now,
        program_version=program.version,
        reason=adjustment.reason,
        actor=adjustment.actor,
        approved_by=adjustment.decided_by,
    )
    return Decision(Movement({adjustment.wallet: moved}), facts, [record, adjustment_line(adjustment)])


def _already_posted(adjustment_id: str) -> AdjustmentAlreadyPosted:
    return AdjustmentAlreadyPosted(
        f"'{adjustment_id}' is posted; what is wrong with it, another adjustment puts right."
    )


def _key_reused() -> IdempotencyKeyReused:
    return IdempotencyKeyReused("This Idempotency-Key was used for another adjustment of this member; send a new key.")
