"""Accruals and reversals, posted: exactly once for their source and source id."""

from collections.abc import Sequence
from typing import Final

from loyalty.accruals.accrual import accrual_posting, preview_posting
from loyalty.accruals.model import CLOCK_SKEW, Activity, Refund
from loyalty.accruals.reading import MemberPosting
from loyalty.accruals.reversal import reversal_posting
from loyalty.core.clock import Clock
from loyalty.core.errors import EntryNotFound, LoyaltyError, MemberMerged, Undecided, WalletBusy
from loyalty.core.table import Operation
from loyalty.ledger.draft import Posted, Posting
from loyalty.ledger.pairs import posting_again
from loyalty.ledger.service import Ledger
from loyalty.programs.earning import Outcome
from loyalty.programs.model import Program

__all__ = ["CLOCK_SKEW", "AccrualService", "Activity", "Refund"]

_READS: Final = 60
"""Times that one posting may ask for more records: an accrual is looked for in every member that was merged into one."""


class AccrualService:
    """Posts accruals and their reversals."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def posting(
        self,
        program: Program,
        activity: Activity,
        operations: Sequence[Operation] = (),
        *,
        refunds: Sequence[Refund] = (),
    ) -> Posting:
        """Points for one activity, for :meth:`post_all`; the errors are those of :meth:`accrue`.

        ``refunds`` of it, which came before it, are taken back in the same transaction, each at most what is left; if
        one of them is refused, so is the accrual.
        """
        return accrual_posting(program, activity, self._clock, operations=operations, refunds=refunds)

    def reversal(
        self, program: Program, refund: Refund, *, clamp: bool = False, operations: Sequence[Operation] = ()
    ) -> Posting:
        """Points taken back, for :meth:`post_all`; the errors are those of :meth:`reverse`."""
        return reversal_posting(program, refund, self._clock, clamp=clamp, operations=operations)

    def accrue(
        self, program: Program, member_id: str, activity: Activity, *, operations: Sequence[Operation] = ()
    ) -> Posted:
        """Points for one activity, exactly once for its source and source id.

        ``operations`` are committed together with the entry, such as the deletion of what it was claimed from. So are
        the reversals that waited for it.

        The program's version of today decides; points are credited, and qualify, on the day they are posted.

        Raises:
            OccurredInFuture: ``occurred_at`` is more than :data:`CLOCK_SKEW` ahead.
            OccurredBeforeEnrollment: it is further before the member's enrollment than the program allows.
            ActivityNotRewarded, AmountRequired, CurrencyNotInProgram, PointsLimitExceeded: see ``earn``.
            LineRepeated, CurrencyMismatch: see ``net_lines``.
            MemberNotFound, EntryExistsWithDifferentRequest, WalletBusy: see :meth:`Ledger.post`.
        """
        return self.post(program, member_id, self.posting(program, activity, operations))

    def preview(self, program: Program, member_id: str, activity: Activity) -> Outcome:
        """What :meth:`accrue` would give for an activity now, if it was not posted before. Nothing is posted.

        Raises:
            MemberNotFound: the member has no book in this program.
            LoyaltyError: see :meth:`accrue`.
        """
        told: list[Outcome] = []
        refusal = self._decided(program, member_id, preview_posting(program, activity, self._clock, told.append))
        if isinstance(refusal, LoyaltyError):
            raise refusal
        return told[-1]

    def reverse(self, program: Program, member_id: str, refund: Refund, *, clamp: bool = False) -> Posted:
        """Takes back what the refunded part of an accrual earned; see :mod:`loyalty.accruals.share` for how much that is.

        Points are taken where they are: pending, available, or expired before. What the member has spent is dealt with
        by the program's policy of the day of the accrual.

        With ``clamp`` a refund that passes the whole takes back what is left of it; the entry's ``amount`` is that rest.

        Raises:
            OccurredInFuture: ``occurred_at`` is more than :data:`CLOCK_SKEW` ahead.
            EntryNotFound: there is no such accrual.
            CurrencyMismatch: the refund's currency is not the accrual's.
            LineNotInAccrual: the accrual has no such line.
            LineQuantityExceeded, AmountExceedsAccrual: not ``clamp``, and more than is left would be given back.
            AccrualFullyReversed: not ``clamp``, and nothing is left.
            ReversalRefused: the member has spent the points, and the program refuses that.
            MemberNotFound, EntryExistsWithDifferentRequest, WalletBusy: see :meth:`Ledger.post`.
        """
        return self.post(program, member_id, self.reversal(program, refund, clamp=clamp))

    def post(self, program: Program, member_id: str, posting: Posting) -> Posted:
        """Posts what :meth:`posting` or :meth:`reversal` made.

        Raises:
            LoyaltyError: see :meth:`accrue` and :meth:`reverse`.
        """
        (result,) = self.post_all(program, member_id, [posting])
        if isinstance(result, LoyaltyError):
            raise result
        return result

    def post_all(self, program: Program, member_id: str, postings: Sequence[Posting]) -> list[Posted | LoyaltyError]:
        """Posts many things to one member, in order, in as few transactions as they fit into; each has its own result.

        Where the member was merged into another, they are posted there.

        Raises:
            MemberNotFound: the member has no book in this program.
        """
        results: list[Posted | LoyaltyError] = []
        by_itself = False
        found: list[Posted | LoyaltyError | None] = self._ledger.post_all(program.scope, member_id, postings)
        merged = {place: result.into for place, result in enumerate(found) if isinstance(result, MemberMerged)}
        for into in dict.fromkeys(merged.values()):
            places = [place for place in merged if merged[place] == into]
            elsewhere = self.post_all(program, into, [_sent_to(postings[place], member_id) for place in places])
            for place, one in zip(places, elsewhere, strict=True):
                found[place] = one
        for posting, result in zip(postings, found, strict=True):
            if result is None:
                raise AssertionError("an accrual or a reversal always posts")
            if isinstance(result, Undecided):
                results.append(self._posted(program, member_id, posting_again(result)))
                by_itself = True
            elif by_itself and isinstance(result, EntryNotFound):
                results.append(self._posted(program, member_id, posting))  # what it reverses is there only now
            else:
                results.append(result)
        return results

    def _posted(self, program: Program, member_id: str, posting: Posting) -> Posted | LoyaltyError:
        """One posting by itself, which reads whatever it asks for."""
        result = self._decided(program, member_id, posting)
        if result is None:
            raise AssertionError("an accrual or a reversal always posts")
        return result

    def _decided(self, program: Program, member_id: str, posting: Posting) -> Posted | LoyaltyError | None:
        """The same; None where it decided that there is nothing to post."""
        for _ in range(_READS):
            try:
                return self._ledger.post(program.scope, member_id, posting)
            except Undecided as undecided:
                posting = posting_again(undecided)
            except MemberMerged as merged:  # meanwhile
                posting, member_id = _sent_to(posting, member_id), merged.into
            except LoyaltyError as refusal:
                return refusal
        return WalletBusy("What this depends on is being changed at the moment; send the same request again.")


def _sent_to(posting: Posting, member_id: str) -> Posting:
    """The posting for a member into whom ``member_id``, to whom it was sent, was merged."""
    if isinstance(posting, MemberPosting) and posting.when_sent_to is not None:
        return posting.when_sent_to(member_id)
    return posting
