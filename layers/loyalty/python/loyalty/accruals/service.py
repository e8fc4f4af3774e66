"""Accrual and reversal: rules make points, the ledger posts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import Clock, local_date, to_text
from loyalty.core.errors import AmountExceedsAccrual, CurrencyMismatch, EntryNotFound, OccurredInFuture
from loyalty.core.ids import request_hash
from loyalty.core.money import Money
from loyalty.core.table import IntegerAttribute, Item, Operation, Put, RawItem
from loyalty.ledger import movements
from loyalty.ledger.model import Entry, EntryKey, EntryKind, Facts
from loyalty.ledger.service import Decision, Ledger, Posted, Situation
from loyalty.ledger.store import REVERSED_PREFIX, entry_of, entry_sk, partition
from loyalty.programs.earning import earn, lot_for
from loyalty.programs.model import Program

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead of ours a source's clock may be."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Something a member did, by the identity that its source gave it.

    ``amount`` is what earns points; ``refund_basis`` what was paid in all, the whole of which refunds are parts
    (``amount`` itself where it is None). ``occurred_at`` is the source's clock, UTC.
    """

    activity: str
    source: str
    source_id: str
    occurred_at: datetime
    channel: str | None = None
    amount: Money | None = None
    refund_basis: Money | None = None
    details: object = None
    """Whatever else the request said: part of its hash, so that a repeat with other details is refused."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back for an earlier accrual of the same source."""

    source: str
    source_id: str
    accrual_source_id: str
    occurred_at: datetime
    amount: Money
    channel: str | None = None


class ReversedItem(Item):
    """``REVERSED#{source}#{source_id}``: what refunds have taken back of one accrual so far."""

    points = IntegerAttribute()
    amount = UnicodeAttribute()
    reversals = IntegerAttribute()


class AccrualService:
    """Posts accruals and their reversals."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def accrue(
        self, program: Program, member_id: str, activity: Activity, *, operations: Sequence[Operation] = ()
    ) -> Posted:
        """Points for one activity, exactly once for its source and source id.

        ``operations`` are committed together with the entry, such as the deletion of what it was claimed from.

        The program's version of today decides; points are credited, and qualify, on the day they are posted.

        Raises:
            OccurredInFuture: ``occurred_at`` is more than :data:`CLOCK_SKEW` ahead.
            ActivityNotRewarded, AmountRequired, CurrencyNotInProgram, PointsLimitExceeded: see ``earn``.
            MemberNotFound, EntryExistsWithDifferentRequest, WalletBusy: see :meth:`Ledger.post`.
        """
        document = program.document

        def decide(situation: Situation) -> Decision:
            # Here, so that a repeat of an old request is replayed and not refused by a newer rule.
            self._require_past(activity.occurred_at)
            earned = earn(document, activity.activity, activity.amount, situation.wallet.tier)
            today = local_date(situation.now, document.zone)
            movement = movements.accrue(
                situation.wallet, earned.points, lot=lot_for(document.expiry, today), year=str(today.year)
            )
            facts = Facts(
                occurred_at=activity.occurred_at,
                program_version=program.version,
                rule=earned.rule,
                activity=activity.activity,
                channel=activity.channel,
                amount=activity.amount,
                refund_basis=activity.refund_basis,
            )
            return Decision(movement, facts, operations)

        key = EntryKey(EntryKind.ACCRUAL, activity.source, activity.source_id)
        return _always(self._ledger.post(program.scope, member_id, key, _activity_hash(activity), decide))

    def reverse(self, program: Program, member_id: str, refund: Refund, *, clamp: bool = False) -> Posted:
        """Takes back what the refunded part of an accrual earned.

        Each reversal brings the sum of all to ``floor(points * refunded / refund basis)``, and a refund of the whole
        to all of the points: whatever the order and the rounding, the sum never passes the accrual. Points already
        spent become a debt, which later credits pay first.

        With ``clamp`` a refund that passes the whole takes back what is left of it; the entry's ``amount`` is that rest.

        Raises:
            EntryNotFound: there is no such accrual.
            CurrencyMismatch: the refund's currency is not the accrual's.
            AmountExceedsAccrual: not ``clamp``, and more than the whole would have been given back with this refund.
            MemberNotFound, EntryExistsWithDifferentRequest, WalletBusy: see :meth:`Ledger.post`.
        """
        accrual_key = EntryKey(EntryKind.ACCRUAL, refund.source, refund.accrual_source_id)
        accrual_sk = entry_sk(accrual_key)
        reversed_sk = _reversed_sk(refund)

        def decide(situation: Situation) -> Decision:
            self._require_past(refund.occurred_at)
            if accrual_sk not in situation.records:
                raise EntryNotFound(f"There is no entry '{accrual_key.entry_id}' to reverse.")
            accrual = entry_of(situation.records[accrual_sk])
            part = _part(accrual, refund, situation.records.get(reversed_sk), clamp=clamp)
            (year,) = accrual.movement.qualifying or {str(local_date(accrual.posted_at, program.document.zone).year): 0}
            movement = movements.reverse(situation.wallet, part.points, earned_lots=accrual.movement.lots, year=year)
            facts = Facts(
                occurred_at=refund.occurred_at,
                program_version=accrual.facts.program_version,
                rule=accrual.facts.rule,
                activity=accrual.facts.activity,
                channel=refund.channel,
                amount=part.amount,
                reverses=accrual.entry_id,
            )
            return Decision(movement, facts, [part.record])

        key = EntryKey(EntryKind.REVERSAL, refund.source, refund.source_id)
        records = (accrual_sk, reversed_sk)
        posted = self._ledger.post(program.scope, member_id, key, _refund_hash(refund), decide, records=records)
        return _always(posted)

    def _require_past(self, occurred_at: datetime) -> None:
        if occurred_at > self._clock() + CLOCK_SKEW:
            raise OccurredInFuture(
                f"occurred_at lies in the future ({to_text(occurred_at)}); send when it happened, in UTC.",
                pointer="/occurred_at",
            )


@dataclass(frozen=True, slots=True)
class _Part:
    """What one refund takes back, and the record of all refunds with it."""

    points: int
    amount: Money
    record: Put


def _part(accrual: Entry, refund: Refund, stored: RawItem | None, *, clamp: bool) -> _Part:
    whole = accrual.facts.refund_basis or accrual.facts.amount
    if whole is None or whole.currency != refund.amount.currency:
        raise CurrencyMismatch(
            f"The accrual was in {whole.currency if whole else 'points, without an amount'}, the refund is in "
            f"{refund.amount.currency}."
        )
    before = ReversedItem.from_raw_data(stored) if stored else None
    already = Money.parse(before.amount).amount if before else Decimal(0)
    refunded = already + refund.amount.amount
    if refunded > whole.amount:
        if not clamp:
            raise AmountExceedsAccrual(f"Refunds of '{accrual.entry_id}' would come to {refunded} of {whole}.")
        refunded = whole.amount
    earned = accrual.points
    target = earned if refunded == whole.amount else int(Fraction(earned) * Fraction(refunded) / Fraction(whole.amount))
    record = ReversedItem(
        partition(accrual.program, accrual.member_id),
        _reversed_sk(refund),
        points=target,
        amount=str(Money(refunded, whole.currency)),
        reversals=(before.reversals if before else 0) + 1,
    )
    unchanged = ReversedItem.reversals == before.reversals if before else ReversedItem.pk.does_not_exist()
    amount = Money.of(refunded - already, whole.currency)
    return _Part(target - (before.points if before else 0), amount, Put(record, unchanged))


def _reversed_sk(refund: Refund) -> str:
    return f"{REVERSED_PREFIX}{refund.source}#{refund.accrual_source_id}"


def _activity_hash(activity: Activity) -> str:
    return request_hash(
        {
            "activity": activity.activity,
            "occurred_at": to_text(activity.occurred_at),
            "channel": activity.channel,
            "amount": str(activity.amount) if activity.amount else None,
            "refund_basis": str(activity.refund_basis) if activity.refund_basis else None,
            "details": activity.details,
        }
    )


def _refund_hash(refund: Refund) -> str:
    return request_hash(
        {
            "accrual": refund.accrual_source_id,
            "occurred_at": to_text(refund.occurred_at),
            "amount": str(refund.amount),
        }
    )


def _always(posted: Posted | None) -> Posted:
    if posted is None:
        raise AssertionError("an accrual or a reversal always posts")
    return posted
