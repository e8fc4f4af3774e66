"""Taking back what was given back of an accrual: from a refund to a posting."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from loyalty.accruals.lapses import lapsed
from loyalty.accruals.limits import changed_counts, given_back, less, require_counts
from loyalty.accruals.model import Refund, refund_hash
from loyalty.accruals.reading import MemberPosting, Seen, reading
from loyalty.accruals.records import (
    Waiting,
    WaitingStatus,
    awaited_delete,
    awaited_of,
    awaited_put,
    awaited_sk,
    reversed_of,
    reversed_put,
    reversed_sk,
    waiting_delete,
    waiting_of,
    waiting_sk,
)
from loyalty.accruals.share import Original, Part, part_of
from loyalty.accruals.times import require_enrolled, require_past
from loyalty.core.clock import Clock, local_date
from loyalty.core.errors import EntryExistsWithDifferentRequest, EntryNotFound
from loyalty.core.table import Operation
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Situation
from loyalty.ledger.items import entry_of
from loyalty.ledger.keys import entry_sk, partition
from loyalty.ledger.ladders import uncounted
from loyalty.ledger.model import Book, EntryKey, EntryKind, Facts, Movement, ReversalPolicy
from loyalty.ledger.movements import Taken
from loyalty.programs.model import Program


def reversal_key(refund: Refund) -> EntryKey:
    """The identity of a reversal."""
    return EntryKey(EntryKind.REVERSAL, refund.source, refund.source_id)


def accrual_key(refund: Refund) -> EntryKey:
    """The identity of the accrual that it is of."""
    return EntryKey(EntryKind.ACCRUAL, refund.source, refund.accrual_source_id)


def reversal_posting(
    program: Program, refund: Refund, clock: Clock, *, clamp: bool, operations: Sequence[Operation]
) -> MemberPosting:
    """A posting that takes back what ``refund`` gives back of its accrual, wherever that was posted."""
    accrual_sk = entry_sk(accrual_key(refund))
    taken_sk = reversed_sk(refund.source, refund.accrual_source_id)
    own_sk = waiting_sk(refund.source, refund.source_id)

    def decide(seen: Seen, situation: Situation) -> Decision:
        book = situation.book
        require_past(refund.occurred_at, clock)
        original = _original(seen, book, refund, (accrual_sk, taken_sk, own_sk))
        if not clamp:  # what a platform tells has happened: its date takes nothing from it
            require_enrolled(refund.occurred_at, book.opened_at, program.document.limits.backdating_days)
        before = reversed_of(seen.get(original.member_id, taken_sk))
        part = part_of(original, before, refund, clamp=clamp)
        today = local_date(situation.now, program.document.zone)
        gone = lapsed(seen, book, program.document, today, original=original, before=before, part=part)
        lapses = {key: before.lapsed.get(key, 0) + points for key, points in gone.points.items() if points}
        after = replace(part.after, lapsed={**before.lapsed, **lapses})
        record = reversed_put(book.program, original, before, after)
        require_counts(seen, original, book.program)
        back = less(given_back(original, before), given_back(original, after))
        kept = _kept_before(seen, book, refund, original)
        writes = [
            record,
            *gone.operations,
            *changed_counts(seen, book.program, original.member_id, back),
            *(write for one in kept for write in _no_longer_kept(seen, one)),
            *operations,
        ]
        return Decision(
            taking(book, original, part, gone.points),
            facts_of(refund, original, part),
            writes,
            awaiting=-sum(one.status is WaitingStatus.WAITING for one in kept),
        )

    return reading(reversal_key(refund), refund_hash(refund), decide, (accrual_sk, taken_sk, own_sk))


def taking(book: Book, original: Original, part: Part, expired: Mapping[str, int]) -> Movement:
    """The movement that takes ``part`` back, ``expired`` of which are gone already, by wallet.

    Raises:
        ReversalRefused: a wallet has too few points left, and the program refuses that.
    """
    policy = original.facts.policy or ReversalPolicy.ALLOW_NEGATIVE
    if book.erased_at is not None:
        policy = ReversalPolicy.ALLOW_NEGATIVE  # nobody is left to owe it: the ledger forfeits it at once
    changes = {
        wallet: movements.reverse(
            book.wallet(wallet),
            Taken(points, expired.get(wallet, 0)),
            earned=original.movement.change(wallet),
            policy=policy,
        )
        for wallet, points in part.points.items()
        if points
    }
    return Movement(changes, qualifying=uncounted(book.qualifying, part.tallies))


def facts_of(refund: Refund, original: Original, part: Part) -> Facts:
    """What the entry of a reversal tells."""
    return Facts(
        occurred_at=refund.occurred_at,
        program_version=original.facts.program_version,
        rules=original.facts.rules,
        activity=original.facts.activity,
        channel=refund.channel,
        amount=part.amount,
        lines=part.lines,
        reverses=original.key.entry_id,
        reason=refund.reason,
    )


def _original(seen: Seen, book: Book, refund: Refund, sks: Sequence[str]) -> Original:
    """The accrual: of the member that the request named, of the one whose book it is, or of one merged into that."""
    for member_id in seen.homes(book):
        seen.require(member_id, *sks)
        raw = seen.get(member_id, sks[0])
        if raw is not None:
            return Original.of(entry_of(raw))
    raise EntryNotFound(f"There is no entry '{accrual_key(refund).entry_id}' to reverse.")


def _kept_before(seen: Seen, book: Book, refund: Refund, original: Original) -> list[Waiting]:
    """What is left of the same reversal's having been refused before, or having waited where its accrual never came.

    That is with another member, who and the accrual's were merged since: any of the family, while the book says that
    something waits for it.

    Raises:
        EntryExistsWithDifferentRequest: under its identity something else waits for another accrual.
    """
    own_sk = waiting_sk(refund.source, refund.source_id)
    named = seen.sent_to, original.member_id
    homes = dict.fromkeys((*named, *(seen.homes(book) if book.awaiting else ())))
    found = [waiting_of(raw) for member_id in homes if (raw := seen.get(member_id, own_sk)) is not None]
    kept = [one for one in found if one.member_id in named or one.status is WaitingStatus.WAITING]
    if any(one.status is WaitingStatus.WAITING and one.request_hash != refund_hash(refund) for one in kept):
        raise EntryExistsWithDifferentRequest(
            f"'{reversal_key(refund).entry_id}' was sent before with another content, and waits for its accrual."
        )
    return kept


def _no_longer_kept(seen: Seen, waiting: Waiting) -> Iterator[Operation]:
    yield waiting_delete(waiting)
    if waiting.status is not WaitingStatus.WAITING:
        return
    refund, pk = waiting.refund, partition(waiting.program, waiting.member_id)
    sk = awaited_sk(refund.source, refund.accrual_source_id)
    awaited = awaited_of(seen.get(waiting.member_id, sk))
    if refund.source_id not in awaited.refunds:
        seen.read_again(waiting.member_id)  # the records of one read are not of one moment
    others = sorted(awaited.refunds - {refund.source_id})
    yield awaited_put(pk, sk, awaited, others) if others else awaited_delete(pk, sk, awaited)
