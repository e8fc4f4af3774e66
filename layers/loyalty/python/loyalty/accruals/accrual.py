"""Points for what a member did: from an activity to a posting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from loyalty.accruals.allocation import net_lines
from loyalty.accruals.early import early
from loyalty.accruals.firsts import counted, earner
from loyalty.accruals.limits import Limits, changed_counts, given_back, less, unchanged_counts
from loyalty.accruals.model import REFERRAL_SOURCE, Activity, Refund, activity_hash
from loyalty.accruals.reading import MemberPosting, Seen, reading
from loyalty.accruals.segments import segment_sks, segments_for
from loyalty.accruals.share import Original
from loyalty.accruals.times import require_enrolled, require_past
from loyalty.accruals.told import told_of
from loyalty.core.clock import Clock, local_date
from loyalty.core.table import MOST_OPERATIONS, Operation
from loyalty.core.telemetry import count
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.model import Book, Entry, EntryKey, EntryKind, Facts, Line, Movement, ReversalPolicy
from loyalty.ledger.renewal import renewal
from loyalty.programs.deeds import BoughtLine, Deed
from loyalty.programs.earning import Outcome, lot_for
from loyalty.programs.model import Program, ProgramDocument
from loyalty.programs.qualifying import qualifying
from loyalty.programs.worth import RuleReason


def accrual_posting(
    program: Program, activity: Activity, clock: Clock, *, operations: Sequence[Operation], refunds: Sequence[Refund]
) -> MemberPosting:
    """A posting of what ``activity`` earns, of ``refunds`` of it, and of the reversals that waited for it."""
    key = EntryKey(EntryKind.ACCRUAL, activity.source, activity.source_id)
    document = program.document
    limits = limits_of(document, activity)

    def decide(seen: Seen, situation: Situation) -> Decision:
        # Here, so that a repeat of an old request is replayed and not refused by a newer rule.
        worth = worth_of(activity, limits, seen, situation.book, clock)
        earned = worth.outcome.earned
        _report(worth.outcome)
        posted = Effect.of(program, activity.deed, worth.outcome, situation)
        facts = Facts(
            occurred_at=activity.occurred_at,
            program_version=program.version,
            rules={one.wallet: one.rule for one in earned},
            rule_points={one.wallet: one.rules for one in earned if len(one.rules) > 1},
            used=limits.uses(seen, worth.outcome),
            activity=activity.activity,
            channel=activity.channel,
            amount=activity.amount,
            refund_basis=activity.refund_basis,
            lines=with_points(worth.lines, activity.lines, worth.outcome),
            policy=_policy(document, activity),
            renewed=tuple(sorted({wallet for wallet, _ in posted.renewed})),
            told=told_of(activity, worth.segments),
        )
        original = Original(situation.book.member_id, key, facts, posted.movement)
        for refund in refunds:
            require_past(refund.occurred_at, clock)
        entries = (1 + len(posted.renewed)) * (1 + len(posted.book.absorbed))
        deciding = limits.deciding(seen, situation.book, worth.outcome)
        room = MOST_OPERATIONS - 1 - entries - len(operations) - len(facts.used) - len(deciding)
        undone = early(seen, posted.book, original, refunds, now=situation.now, room=room)
        then = _following(posted.renewed, undone.postings)
        used = less(facts.used, given_back(original, undone.taken))
        counts = list(changed_counts(seen, document.id, situation.book.member_id, used))
        counts += unchanged_counts(seen, document.id, deciding, facts.used, counts)
        writes = [*undone.operations, *counts, *operations]
        return Decision(posted.movement, facts, writes, then, awaiting=-undone.settled)

    return reading(key, activity_hash(activity), decide, _sks(limits, activity), limits.shards)


def preview_posting(program: Program, activity: Activity, clock: Clock, tell: Callable[[Outcome], None]) -> Posting:
    """A posting of nothing, which tells what an accrual would earn on what it would be decided on."""
    limits = limits_of(program.document, activity)

    def decide(seen: Seen, situation: Situation) -> None:
        tell(worth_of(activity, limits, seen, situation.book, clock).outcome)

    # An identity that nothing has: what was posted before is no answer to what it would earn now.
    key = EntryKey(EntryKind.ACCRUAL, activity.source, f"{activity.source_id}?")
    return reading(key, activity_hash(activity), decide, _sks(limits, activity), limits.shards)


@dataclass(frozen=True, slots=True)
class WorthOf:
    """What an activity is worth to a member: the outcome, the lines that may be given back, by id, and what was asked.

    ``segments``: those that the member was in, where a rule asks for them.
    """

    outcome: Outcome
    lines: Mapping[str, Line]
    segments: tuple[str, ...]


def limits_of(document: ProgramDocument, activity: Activity) -> Limits:
    """The caps and budgets that concern an activity."""
    return Limits(document, activity.deed, f"{activity.source}:{activity.source_id}")


def worth_of(activity: Activity, limits: Limits, seen: Seen, book: Book, clock: Clock) -> WorthOf:
    """What ``activity`` earns the member of the book, by the program of today.

    Raises:
        LoyaltyError: see :meth:`loyalty.accruals.service.AccrualService.accrue`.
    """
    require_past(activity.occurred_at, clock)
    require_enrolled(activity.occurred_at, book.opened_at, limits.document.limits.backdating_days)
    lines = net_lines(activity.lines, activity.amount)
    segments = segments_for(limits.document, activity.deed, seen, book)
    return WorthOf(limits.outcome(seen, book, earner(book, activity.activity, segments)), lines, segments)


def _sks(limits: Limits, activity: Activity) -> list[str]:
    return [*limits.sks, *segment_sks(limits.document, activity.deed)]


@dataclass(frozen=True, slots=True)
class Effect:
    """What an outcome does to a book: what is earned, the older points that it renews (wallet and lot), the book then."""

    movement: Movement
    renewed: Sequence[tuple[str, str]]
    book: Book

    @classmethod
    def of(cls, program: Program, deed: Deed, outcome: Outcome, situation: Situation) -> "Effect":
        """The effect of a deed that is posted at the moment of the situation, on its book."""
        document, today = program.document, local_date(situation.now, program.document.zone)
        changes, renewed = {}, []
        for one in outcome.earned:
            expiry, matures_on = document.expiry_of(one.wallet), one.matures_on(today)
            # Pending points live from the day on which they mature: none expires before it may be spent.
            lot = lot_for(expiry, matures_on or today)
            wallet = situation.book.wallet(one.wallet)
            changes[one.wallet] = movements.accrue(wallet, one.points, lot=lot, matures_on=matures_on)
            if expiry.renewed_by_activity:
                renewed.append((one.wallet, lot_for(expiry, today)))
        counts = qualifying(program, situation.book, deed.activity, deed.amount, outcome, today=today)
        movement = Movement(changes, qualifying={**counts, **counted(document, deed.activity)})
        book = movements.apply(situation.book, movement, settled_to=situation.now)
        for wallet_id, lot in renewed:
            change = movements.renew(book.wallet(wallet_id), lot)
            if change is not None:
                book = movements.apply(book, Movement({wallet_id: change}), settled_to=situation.now)
        return cls(movement, renewed, book)


def with_points(bought: Mapping[str, Line], lines: Sequence[BoughtLine], outcome: Outcome) -> dict[str, Line]:
    """The lines that may be given back, with what they earned where that is not in proportion to their amounts."""
    ids = [line.line_id for line in lines]
    points: dict[str, dict[str, int]] = {}
    for one in outcome.earned:
        for place, part in one.lines.items():
            points.setdefault(ids[place] or "", {})[one.wallet] = part
    excluded = {ids[place] for place in outcome.excluded if place is not None}
    return {
        line_id: replace(line, points=points.get(line_id, {}), excluded=line_id in excluded)
        for line_id, line in bought.items()
    }


def _policy(document: ProgramDocument, activity: Activity) -> ReversalPolicy:
    """What a reversal does about spent points. Those of a referral are owed: no spending keeps them from being taken back."""
    refuses = document.reversal is ReversalPolicy.REFUSE
    return ReversalPolicy.CLAMP_WITH_DEBT if refuses and activity.source == REFERRAL_SOURCE else document.reversal


def _report(outcome: Outcome) -> None:
    """Counts rules whose condition could not be evaluated: each is a mistake in the program, and costs members points."""
    if failed := sum(judged.reason is RuleReason.CONDITION_ERROR for judged in outcome.rules):
        count("ConditionErrors", failed)


def _following(renewed: Sequence[tuple[str, str]], postings: Sequence[Posting]) -> Callable[[Entry], Sequence[Posting]]:
    def following(entry: Entry) -> list[Posting]:
        renewals = [posting for wallet, lot in renewed for posting in renewal(wallet, lot)(entry)]
        return [*renewals, *postings]

    return following
