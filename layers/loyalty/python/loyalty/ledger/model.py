"""Wallets, entries and accounts: values, and what must always hold between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from loyalty.core.money import Money

MAX_SOURCE_ID: Final = 256
"""Characters of an entry's ``source_id``: room for another entry's whole id, as the cause of a tier change."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The program that a posting belongs to: its id, the version that decides, and the zone of its calendar."""

    program: str
    version: int
    zone: ZoneInfo


class Account(StrEnum):
    """Where points are. The postings of an entry sum to zero over these accounts."""

    AVAILABLE = "member:available"
    PENDING = "member:pending"
    HELD = "member:held"
    ISSUED = "program:issued"
    REDEEMED = "program:redeemed"
    EXPIRED = "program:expired"


class EntryKind(StrEnum):
    """What an entry does."""

    ACCRUAL = "accrual"
    REVERSAL = "reversal"
    EXPIRY = "expiry"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    TIER = "tier"
    """A change of tier. It moves no points, but has its place in the order of entries."""


@dataclass(frozen=True, slots=True)
class EntryKey:
    """An entry's business identity: posting it twice is impossible, for ever."""

    kind: EntryKind
    source: str
    source_id: str

    def __post_init__(self) -> None:
        # A separator in the source would let two identities share one key: a + b#c, a#b + c.
        if not self.source or any(separator in self.source for separator in "#:"):
            raise ValueError("an entry's source is named, without '#' and ':'")
        if not 1 <= len(self.source_id) <= MAX_SOURCE_ID:
            raise ValueError(f"an entry's source_id has 1 to {MAX_SOURCE_ID} characters")

    @property
    def entry_id(self) -> str:
        """The identity in one text, as the API shows it: ``accrual:pos:R-1``."""
        return f"{self.kind}:{self.source}:{self.source_id}"


@dataclass(frozen=True, slots=True)
class Wallet:
    """A member's running totals after entry number ``seq``. All points are whole numbers.

    ``lots`` maps the last day on which points may be spent (ISO date, program's time zone) to points. ``debt`` is
    what reversals took beyond the lots; later credits pay it first. Always: ``available == sum(lots) - debt``.
    ``qualifying`` maps a calendar year of the program to the points earned in it, which alone decide the tier.
    """

    program: str
    member_id: str
    tier: str
    seq: int = 0
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    lots: Mapping[str, int] = field(default_factory=dict)
    qualifying: Mapping[str, int] = field(default_factory=dict)

    def spendable(self, today: date) -> int:
        """Points that may be spent on ``today`` (program's date); negative while a debt is open."""
        return sum(points for lot, points in self.lots.items() if lot >= today.isoformat()) - self.debt


@dataclass(frozen=True, slots=True)
class Movement:
    """What one entry does to a wallet: every number is a change, not a total."""

    postings: Mapping[Account, int] = field(default_factory=dict)
    lots: Mapping[str, int] = field(default_factory=dict)
    debt: int = 0
    qualifying: Mapping[str, int] = field(default_factory=dict)
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What an entry tells about its cause, for the statement and for a later reversal."""

    occurred_at: datetime
    program_version: int
    rule: str | None = None
    activity: str | None = None
    channel: str | None = None
    amount: Money | None = None
    refund_basis: Money | None = None
    """What the customer paid in all; refunds take points back in proportion to it."""
    reverses: str | None = None
    """Entry id of the accrual that a reversal takes back."""
    redemption_id: str | None = None
    reward_id: str | None = None
    tier_from: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable line of the ledger: ``seq`` is gapless from 1, balances are those after it."""

    program: str
    member_id: str
    key: EntryKey
    seq: int
    movement: Movement
    available: int
    pending: int
    held: int
    facts: Facts
    posted_at: datetime
    request_hash: str

    @property
    def entry_id(self) -> str:
        """The entry's identity in one text."""
        return self.key.entry_id

    @property
    def points(self) -> int:
        """The change of the available balance; adding these up over a statement gives the balance."""
        return self.movement.postings.get(Account.AVAILABLE, 0)
