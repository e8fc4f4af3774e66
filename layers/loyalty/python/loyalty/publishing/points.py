"""What entries of the ledger tell: points and tiers."""

from typing import Final

import loyalty_contract as contract
from loyalty.core.clock import to_text
from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import POINTS, Balances, Entry, EntryKind
from loyalty.ledger.settlement import GRANT_END, REVIEW
from loyalty.publishing.events import Event, PointsEvent, PointsExpiring, TierChanged, TierExpiring, WalletChange

_POINTS_TYPES: Final = {
    EntryKind.ACCRUAL: contract.POINTS_ACCRUED,
    EntryKind.REVERSAL: contract.POINTS_REVERSED,
    EntryKind.EXPIRY: contract.POINTS_EXPIRED,
    EntryKind.HOLD: contract.POINTS_HELD,
    EntryKind.CAPTURE: contract.POINTS_CAPTURED,
    EntryKind.RELEASE: contract.POINTS_RELEASED,
    EntryKind.TIMEOUT: contract.POINTS_TIMED_OUT,
    EntryKind.CANCELLATION: contract.POINTS_CANCELLED,
    EntryKind.RENEWAL: contract.POINTS_RENEWED,
    EntryKind.MATURITY: contract.POINTS_MATURED,
    EntryKind.ADJUSTMENT: contract.POINTS_ADJUSTED,
    EntryKind.TRANSFER_OUT: contract.POINTS_SENT,
    EntryKind.TRANSFER_IN: contract.POINTS_RECEIVED,
    EntryKind.MERGE_OUT: contract.MEMBER_MERGED,
    EntryKind.MERGE_IN: contract.MEMBER_ABSORBED,
    EntryKind.FORFEITURE: contract.POINTS_FORFEITED,
}
_TIER_CAUSES: Final = {
    "merge": "merged",
    REVIEW: "reviewed",
    GRANT_END: "grant_ended",
    "tier_grant": "granted",
    "tier_grant_end": "grant_ended",
}


def entry_event(entry: Entry) -> tuple[str, Event] | None:
    """The event of an entry; None of a tier that stays what it is."""
    identity = f"{entry.program}/{entry.member_id}/{entry.entry_id}"
    if entry.key.kind is EntryKind.TIER:
        # A tier that is kept on, or earned beneath a higher one that was granted, is nothing to tell of.
        kept = entry.tier_to is not None and entry.tier_to == entry.facts.tier_from
        return None if kept else (contract.TIER_CHANGED, _tier(entry, identity))
    if entry.key.kind is EntryKind.TIER_WARNING:
        return contract.TIER_EXPIRING, _tier_expiring(entry, identity)
    if entry.key.kind is EntryKind.WARNING:
        return contract.POINTS_EXPIRING, _expiring(entry, identity)
    facts = entry.facts
    return _POINTS_TYPES[entry.key.kind], PointsEvent(
        id=identity,
        program=entry.program,
        member_id=entry.member_id,
        entry_id=entry.entry_id,
        seq=entry.seq,
        points=entry.points,
        available=entry.balances.available,
        pending=entry.balances.pending,
        held=entry.balances.held,
        debt=entry.balances.debt,
        others={
            name: WalletChange(points=change.points, **_balances(entry.after[name]))
            for name, change in entry.movement.changes.items()
            if name != POINTS
        },
        program_version=facts.program_version,
        rule=facts.rules.get(POINTS),
        activity=facts.activity,
        channel=facts.channel,
        reverses=facts.reverses,
        reason=facts.reason,
        other_member=facts.other_member,
        redemption_id=facts.redemption_id,
        reward_id=facts.reward_id,
        occurred_at=to_text(facts.occurred_at),
        posted_at=to_text(entry.posted_at),
    )


def _tier(entry: Entry, identity: str) -> TierChanged:
    facts = entry.facts
    standing = next(iter(entry.movement.standings.values()), None)
    return TierChanged(
        id=identity,
        program=entry.program,
        member_id=entry.member_id,
        entry_id=entry.entry_id,
        seq=entry.seq,
        ladder=facts.ladder or STATUS,
        tier_from=facts.tier_from,
        tier_to=entry.tier_to or "",
        cause=_cause(entry),
        reason=facts.reason,
        valid_until=standing.valid_until.isoformat() if standing and standing.valid_until else None,
        posted_at=to_text(entry.posted_at),
    )


def _cause(entry: Entry) -> str:
    source = entry.key.source.partition(".")[0]
    if source in _TIER_CAUSES:
        return _TIER_CAUSES[source]
    return "reversed" if entry.key.source_id.startswith(f"{EntryKind.REVERSAL}:") else "earned"


def _tier_expiring(entry: Entry, identity: str) -> TierExpiring:
    return TierExpiring(
        id=identity,
        program=entry.program,
        member_id=entry.member_id,
        entry_id=entry.entry_id,
        seq=entry.seq,
        ladder=entry.key.source,
        tier=entry.facts.tier_from or "",
        expires_on=entry.key.source_id.partition("/")[0],
        tier_to=entry.facts.falls_to or "",
        posted_at=to_text(entry.posted_at),
    )


def _expiring(entry: Entry, identity: str) -> PointsExpiring:
    (wallet,) = entry.movement.changes
    return PointsExpiring(
        id=identity,
        program=entry.program,
        member_id=entry.member_id,
        entry_id=entry.entry_id,
        seq=entry.seq,
        wallet=wallet,
        expires_on=entry.facts.lot or "",
        points=entry.facts.lot_points or 0,
        posted_at=to_text(entry.posted_at),
    )


def _balances(balances: Balances) -> dict[str, int]:
    return {
        "available": balances.available,
        "pending": balances.pending,
        "held": balances.held,
        "debt": balances.debt,
    }
