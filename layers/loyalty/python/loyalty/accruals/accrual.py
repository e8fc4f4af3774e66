"""Points for what a member did: from an activity to a posting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loyalty.accruals.allocation import net_lines
from loyalty.accruals.early import early
from loyalty.accruals.model import Activity, Refund, activity_hash
from loyalty.accruals.reading import MemberPosting, Seen, reading
from loyalty.accruals.share import Original
from loyalty.accruals.times import require_enrolled, require_past
from loyalty.core.clock import Clock, local_date
from loyalty.core.table import MOST_OPERATIONS, Operation
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.model import Book, Entry, EntryKey, EntryKind, Facts, Movement
from loyalty.ledger.renewal import renewal
from loyalty.programs.earning import Earned, earn, lot_for
from loyalty.programs.model import Program
from loyalty.programs.qualifying import qualifying


def accrual_posting(
    program: Program, activity: Activity, clock: Clock, *, operations: Sequence[Operation], refunds: Sequence[Refund]
) -> MemberPosting:
    """A posting of what ``activity`` earns, of ``refunds`` of it, and of the reversals that waited for it."""
    key = EntryKey(EntryKind.ACCRUAL, activity.source, activity.source_id)
    document = program.document

    def decide(seen: Seen, situation: Situation) -> Decision:
        # Here, so that a repeat of an old request is replayed and not refused by a newer rule.
        require_past(activity.occurred_at, clock)
        require_enrolled(activity.occurred_at, situation.book.opened_at, document.limits.backdating_days)
        earned = earn(document, activity.activity, activity.amount, situation.book.tier)
        posted = _Posted.of(program, activity, earned, situation)
        facts = Facts(
            occurred_at=activity.occurred_at,
            program_version=program.version,
            rules={one.wallet: one.rule for one in earned},
            activity=activity.activity,
            channel=activity.channel,
            amount=activity.amount,
            refund_basis=activity.refund_basis,
            lines=net_lines(activity.lines, activity.amount),
            policy=document.reversal,
            renewed=tuple(sorted({wallet for wallet, _ in posted.renewed})),
        )
        original = Original(situation.book.member_id, key, facts, posted.movement)
        for refund in refunds:
            require_past(refund.occurred_at, clock)
        entries = (1 + len(posted.renewed)) * (1 + len(posted.book.absorbed))
        room = MOST_OPERATIONS - 1 - entries - len(operations)
        undone = early(seen, posted.book, original, refunds, now=situation.now, room=room)
        then = _following(posted.renewed, undone.postings)
        return Decision(posted.movement, facts, [*undone.operations, *operations], then, awaiting=-undone.settled)

    return reading(key, activity_hash(activity), decide)


@dataclass(frozen=True, slots=True)
class _Posted:
    """What is earned, the older points that it renews (wallet and lot), and the book after both."""

    movement: Movement
    renewed: Sequence[tuple[str, str]]
    book: Book

    @classmethod
    def of(cls, program: Program, activity: Activity, earned: Sequence[Earned], situation: Situation) -> "_Posted":
        document, today = program.document, local_date(situation.now, program.document.zone)
        changes, renewed = {}, []
        for one in earned:
            expiry, matures_on = document.expiry_of(one.wallet), one.matures_on(today)
            # Pending points live from the day on which they mature: none expires before it may be spent.
            lot = lot_for(expiry, matures_on or today)
            wallet = situation.book.wallet(one.wallet)
            changes[one.wallet] = movements.accrue(wallet, one.points, lot=lot, matures_on=matures_on)
            if expiry.renewed_by_activity:
                renewed.append((one.wallet, lot_for(expiry, today)))
        counted = qualifying(program, situation.book, activity.activity, activity.amount, earned, today=today)
        movement = Movement(changes, qualifying=counted)
        book = movements.apply(situation.book, movement, settled_to=situation.now)
        for wallet_id, lot in renewed:
            change = movements.renew(book.wallet(wallet_id), lot)
            if change is not None:
                book = movements.apply(book, Movement({wallet_id: change}), settled_to=situation.now)
        return cls(movement, renewed, book)


def _following(renewed: Sequence[tuple[str, str]], postings: Sequence[Posting]) -> Callable[[Entry], Sequence[Posting]]:
    def following(entry: Entry) -> list[Posting]:
        renewals = [posting for wallet, lot in renewed for posting in renewal(wallet, lot)(entry)]
        return [*renewals, *postings]

    return following
