"""Adding entries up, one after the other: what a book must have been before and after each.

This is the proof's own arithmetic. It knows nothing of what a kind of entry should do, only what the entry says.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from loyalty.ledger.ladders import Standing
from loyalty.ledger.model import POINTS, Account, Change, Entry, EntryKind

ENDS_OF_A_HOLD: Final = frozenset({EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.TIMEOUT})
"""Of these, every hold has one at most."""
SETTLING: Final = frozenset(
    {EntryKind.TIMEOUT, EntryKind.WARNING, EntryKind.MATURITY, EntryKind.EXPIRY, EntryKind.TIER_WARNING}
)
"""What falls due by itself; ``occurred_at`` is when it did. So do the ends of tiers, see :func:`settles`."""
ENDS_OF_A_TIER: Final = frozenset({"review", "grant_end"})
"""Sources of the entries of tiers that fall due by themselves."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What the entries so far add up to, in one wallet."""

    accounts: Mapping[Account, int] = field(default_factory=dict)
    lots: Mapping[str, int] = field(default_factory=dict)
    maturing: Mapping[str, int] = field(default_factory=dict)

    def plus(self, change: Change) -> "Sums":
        """With one more change."""
        return Sums(
            {account: self.of(account) + change.postings.get(account, 0) for account in Account},
            _plus(self.lots, change.lots),
            _plus(self.maturing, change.maturing),
        )

    def of(self, account: Account) -> int:
        """The sum of all postings to an account."""
        return self.accounts.get(account, 0)

    @property
    def available(self) -> int:
        """Spendable points; below zero where more was taken back than was left."""
        return self.of(Account.AVAILABLE)

    @property
    def debt(self) -> int:
        """What is owed."""
        return -self.of(Account.DEBT)

    @property
    def is_empty(self) -> bool:
        """Whether the member has nothing and owes nothing."""
        member = (Account.AVAILABLE, Account.PENDING, Account.HELD, Account.DEBT)
        return not (any(map(self.of, member)) or self.lots or self.maturing)


@dataclass(frozen=True, slots=True)
class State:
    """What the entries so far add up to. ``holds`` are the open ones, by redemption: their entries."""

    wallets: Mapping[str, Sums] = field(default_factory=dict)
    holds: Mapping[str, Entry] = field(default_factory=dict)
    qualifying: Mapping[str, int] = field(default_factory=dict)
    tier: str | None = None
    standings: Mapping[str, Standing] = field(default_factory=dict)
    seq: int = 0
    posted_at: datetime | None = None
    merged_into: str | None = None
    absorbed: frozenset[str] = frozenset()
    erased_at: datetime | None = None

    def wallet(self, wallet_id: str) -> Sums:
        """One wallet's."""
        return self.wallets.get(wallet_id) or Sums()

    def plus(self, entry: Entry) -> "State":
        """With one more entry."""
        movement = entry.movement
        changed = {name: self.wallet(name).plus(change) for name, change in movement.changes.items()}
        return State(
            wallets={**self.wallets, **changed},
            holds=_held(self.holds, entry),
            qualifying=_plus(self.qualifying, movement.qualifying),
            tier=movement.tier or self.tier,
            standings={**self.standings, **movement.standings},
            seq=entry.seq,
            posted_at=max(self.posted_at or entry.posted_at, entry.posted_at),
            merged_into=movement.merged_into or self.merged_into,
            absorbed=self.absorbed | set(movement.absorbed),
            erased_at=entry.posted_at if movement.erased else self.erased_at,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One entry, and what there was before and after it."""

    before: State
    entry: Entry
    after: State

    @property
    def kind(self) -> EntryKind:
        """What the entry does."""
        return self.entry.key.kind

    @property
    def where(self) -> str:
        """How a problem names the entry."""
        return self.entry.entry_id


def replay(entries: Iterable[Entry], first_tier: str | None = None) -> Iterator[Step]:
    """The entries in their order, from nothing."""
    state = State(tier=first_tier)
    for entry in entries:
        after = state.plus(entry)
        yield Step(state, entry, after)
        state = after


def settles(entry: Entry) -> bool:
    """Whether the entry is of something that fell due by itself."""
    return entry.key.kind in SETTLING or (entry.key.kind is EntryKind.TIER and entry.key.source in ENDS_OF_A_TIER)


def redemption_of(entry: Entry) -> str:
    """The redemption that an entry belongs to."""
    return entry.facts.redemption_id or entry.key.source_id


def wallet_of(entry: Entry) -> str:
    """The one wallet that an entry of a redemption moves; the main one of what moves none."""
    return next(iter(entry.movement.changes), POINTS)


def _held(holds: Mapping[str, Entry], entry: Entry) -> Mapping[str, Entry]:
    redemption_id = redemption_of(entry)
    if entry.key.kind is EntryKind.HOLD:
        return {**holds, redemption_id: entry}
    if entry.key.kind in ENDS_OF_A_HOLD and redemption_id in holds:
        return {key: hold for key, hold in holds.items() if key != redemption_id}
    return holds


def without_zeros(numbers: Mapping[str, int]) -> dict[str, int]:
    """The numbers that are not zero."""
    return {key: number for key, number in numbers.items() if number}


def _plus(totals: Mapping[str, int], changes: Mapping[str, int]) -> Mapping[str, int]:
    if not changes:
        return totals
    return without_zeros({key: totals.get(key, 0) + changes.get(key, 0) for key in {*totals, *changes}})
