"""A member's book, its wallets, and the entries that change them: values, and what they mean.

::

    Book                      everything the ledger knows of a member, after entry number ``seq``
    ├── wallets  id → Wallet  balances in one unit: ``points``, and what else the program names
    │             ├── lots       last day on which points may be spent → points
    │             └── maturing   day on which they become lots / that lot → points
    └── holds    id → Hold    points set aside with a time-out

    Entry = key (business identity) + Movement (changes) + balances after it + Facts (why)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from loyalty.core.money import Money
from loyalty.ledger.ladders import STATUS, LadderTerms, Standing

MAX_SOURCE_ID: Final = 256
"""Characters of an entry's ``source_id``: room for another entry's whole id, as the cause of a tier change."""

POINTS: Final = "points"
"""The wallet that every member has. Its points are what rewards cost and what tiers are counted in, unless they say another."""

COUNT_PREFIX: Final = "count."
"""What a book's ``qualifying`` has under names that begin so are no points: how often the member did something."""

ERASURE: Final = "erasure"
"""The source of forfeitures, and their reason."""

MAX_TIMED_HOLDS: Final = 20
"""Holds with a time-out that a member may have open at once: they are kept in the book itself."""


class Account(StrEnum):
    """Where points are. The postings of a wallet's change sum to zero over these accounts."""

    AVAILABLE = "member:available"
    PENDING = "member:pending"
    HELD = "member:held"
    DEBT = "member:debt"
    """What the member owes, as a negative number."""
    ISSUED = "program:issued"
    REDEEMED = "program:redeemed"
    EXPIRED = "program:expired"
    ADJUSTED = "program:adjusted"
    TRANSFERRED = "program:transferred"
    """On their way from one member to another: the two entries of a transfer or a merge sum to zero here."""


class EntryKind(StrEnum):
    """What an entry does."""

    ACCRUAL = "accrual"
    REVERSAL = "reversal"
    MATURITY = "maturity"
    """Pending points became spendable."""
    WARNING = "warning"
    """A lot is about to expire. It moves no points: it is there so that the member is told once."""
    EXPIRY = "expiry"
    RENEWAL = "renewal"
    """Activity moved the balance to a later lot, where inactivity is what makes points expire."""
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    TIMEOUT = "timeout"
    """A hold that nobody ended in time: its points went back."""
    CANCELLATION = "cancellation"
    """A captured redemption was undone: its points came back."""
    ADJUSTMENT = "adjustment"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    MERGE_OUT = "merge_out"
    MERGE_IN = "merge_in"
    FORFEITURE = "forfeiture"
    """All that a member had or owed ended with their erasure; so did what came back or was taken back after it."""
    TIER = "tier"
    """A change of where a member stands on a ladder. It moves no points, but has its place in the order of entries."""
    TIER_WARNING = "tier_warning"
    """A tier is about to be lost. It moves nothing: it is there so that the member is told once."""


class ReversalPolicy(StrEnum):
    """What a reversal does about points that are spent already."""

    ALLOW_NEGATIVE = "allow_negative"
    """The available balance goes below zero; later credits bring it up again."""
    CLAMP_WITH_DEBT = "clamp_with_debt"
    """The available balance stops at zero; the rest is a debt, which later credits pay first."""
    REFUSE = "refuse"
    """The reversal is refused by name, and nothing is written."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A program's rules for one wallet, as far as the ledger needs them.

    ``grace_days``: how long points may be spent that come back after their lot has expired. ``warn_days``: how many
    days before a lot's last day the member is warned.
    """

    grace_days: int = 30
    warn_days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """The program that a posting belongs to: its id, the version that decides, the zone of its calendar, its terms."""

    program: str
    version: int
    zone: ZoneInfo
    terms: Mapping[str, Terms] = field(default_factory=dict)
    """By wallet id; a wallet that is not named has the plain :class:`Terms`."""
    ladders: Mapping[str, LadderTerms] = field(default_factory=dict)
    """By ladder id, the main one among them."""
    reward_wallets: Mapping[str, str] = field(default_factory=dict)
    """By reward id: the wallet from which a reward is paid, where that is not :data:`POINTS`."""

    def terms_of(self, wallet: str) -> Terms:
        """The terms of a wallet."""
        return self.terms.get(wallet) or Terms()


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

    def erases(self, member_id: str) -> bool:
        """Whether it is of the forfeiture that closes the book of this member; others name the entry before them."""
        return self.kind is EntryKind.FORFEITURE and self.source_id == member_id

    @property
    def entry_id(self) -> str:
        """The identity in one text, as the API shows it: ``accrual:pos:R-1``."""
        return f"{self.kind}:{self.source}:{self.source_id}"


@dataclass(frozen=True, slots=True)
class Balances:
    """A wallet's balances after an entry, in whole points (or minor units of the wallet's currency)."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0


@dataclass(frozen=True, slots=True)
class Wallet(Balances):
    """Balances in one unit, and when they may be spent.

    ``lots`` maps the last day on which points may be spent (ISO date, program's time zone) to points; ``maturing``
    maps ``{day they become spendable}/{their lot}`` to points. Always: ``pending == sum(maturing)``, and ``available``
    is the sum of the lots, or below zero while there are none. A debt is never beside points that could pay it.
    """

    lots: Mapping[str, int] = field(default_factory=dict)
    maturing: Mapping[str, int] = field(default_factory=dict)

    @property
    def balances(self) -> Balances:
        """The balances alone."""
        return Balances(self.available, self.pending, self.held, self.debt)


@dataclass(frozen=True, slots=True)
class Hold:
    """Points set aside until ``expires_at`` (UTC), and the lots that they came from."""

    wallet: str
    lots: Mapping[str, int]
    expires_at: datetime
    stock: Mapping[str, int] = field(default_factory=dict)
    """Units of finite stock that wait with them, by the shards that they were taken from."""

    @property
    def points(self) -> int:
        """All of them."""
        return sum(self.lots.values())


@dataclass(frozen=True, slots=True)
class Book:
    """Everything the ledger knows of a member after entry number ``seq``: the running total of all entries.

    ``holds`` are those with a time-out; others are known by their redemption alone. ``qualifying`` has what counts
    towards tiers, see :func:`loyalty.ledger.ladders.bucket`: that alone decides them; beside it what is counted under
    :data:`COUNT_PREFIX`. ``tier`` is the one on the main ladder; ``standings`` has more of it, where there is more to
    know, and the other ladders. Whatever fell due until
    ``settled_to`` (UTC; None before the first posting) is written down; no posting is dated before it.
    """

    program: str
    member_id: str
    tier: str
    seq: int = 0
    opened_at: datetime | None = None
    """When the member enrolled (UTC)."""
    settled_to: datetime | None = None
    wallets: Mapping[str, Wallet] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    qualifying: Mapping[str, int] = field(default_factory=dict)
    standings: Mapping[str, Standing] = field(default_factory=dict)
    """By ladder id."""
    merged_into: str | None = None
    """The member that this one was merged into; nothing more is posted here."""
    absorbed: Sequence[str] = ()
    """Members that were merged into this one, directly or through others."""
    awaiting: int = 0
    """Reversals that wait for an accrual of this member, or of one merged into it. No entry tells of them."""
    on_hold: bool = False
    """Somebody has to look at the member before they redeem or give points away. No entry tells of it."""
    erased_at: datetime | None = None
    """When the member was erased (UTC): points neither come nor go any more, and none are left."""
    restricted_at: datetime | None = None
    """Since when processing is restricted (UTC), while it is. No entry tells of it."""

    def wallet(self, wallet_id: str = POINTS) -> Wallet:
        """A wallet; empty where nothing was ever posted to it."""
        return self.wallets.get(wallet_id) or Wallet()

    def standing(self, ladder: str, terms: LadderTerms) -> Standing:
        """Where the member stands on a ladder; on its first tier where nothing is known."""
        tier = self.tier if ladder == STATUS else terms.first
        return self.standings.get(ladder) or Standing(tier, tier)


@dataclass(frozen=True, slots=True)
class Change:
    """What one entry does to one wallet: every number is a change, not a total."""

    postings: Mapping[Account, int] = field(default_factory=dict)
    lots: Mapping[str, int] = field(default_factory=dict)
    maturing: Mapping[str, int] = field(default_factory=dict)

    @property
    def points(self) -> int:
        """The change of the available balance."""
        return self.postings.get(Account.AVAILABLE, 0)


@dataclass(frozen=True, slots=True)
class Movement:
    """What one entry does to a book."""

    changes: Mapping[str, Change] = field(default_factory=dict)
    """By wallet id."""
    qualifying: Mapping[str, int] = field(default_factory=dict)
    tier: str | None = None
    """On the main ladder, where it changes."""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    """By ladder id: where the member stands from now on."""
    holds: Mapping[str, Hold | None] = field(default_factory=dict)
    """By id: opened, or ended (None)."""
    merged_into: str | None = None
    absorbed: Sequence[str] = ()
    erased: bool = False
    """It is the one that closes the book for good."""

    def change(self, wallet_id: str = POINTS) -> Change:
        """The change of a wallet; an empty one where there is none."""
        return self.changes.get(wallet_id) or Change()


@dataclass(frozen=True, slots=True)
class Line:
    """What was bought, or given back, of one line of a purchase. ``amount`` is net of discounts.

    ``points`` is what it earned, by wallet, where the lines of a purchase did not earn in proportion to their amounts.
    ``excluded``: it is no part of the money that counts towards tiers.
    """

    quantity: int
    amount: Money
    points: Mapping[str, int] = field(default_factory=dict)
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What an entry tells about its cause, for the statement and for a later reversal."""

    occurred_at: datetime
    program_version: int
    rules: Mapping[str, str] = field(default_factory=dict)
    """The rule that decided, by wallet id; of several, the one that gave most."""
    rule_points: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By wallet id, where several rules gave: the points of each, by its id."""
    used: Mapping[str, int] = field(default_factory=dict)
    """Of an accrual: what it used of caps and budgets, by the names that these have there."""
    activity: str | None = None
    channel: str | None = None
    amount: Money | None = None
    refund_basis: Money | None = None
    """What the customer paid in all; refunds take points back in proportion to it."""
    lines: Mapping[str, Line] = field(default_factory=dict)
    """By line id: of an accrual what was bought, of a reversal what it takes back."""
    policy: ReversalPolicy | None = None
    """Of an accrual: what a reversal of it does about spent points."""
    renewed: Sequence[str] = ()
    """Of an accrual: the wallets, of those that it is about, whose points activity renews."""
    reverses: str | None = None
    """Entry id of the accrual that a reversal takes back."""
    reason: str | None = None
    """Of a reversal or an adjustment: why, as a code of the program or of the platform."""
    actor: str | None = None
    """Who asked for an adjustment, a merge: a staff id or a client, never a name or an address."""
    approved_by: str | None = None
    """The second person, where one was needed."""
    other_member: str | None = None
    """The other side of a transfer or a merge."""
    redemption_id: str | None = None
    reward_id: str | None = None
    stock: Mapping[str, int] = field(default_factory=dict)
    """Units of finite stock that the entry takes, by shard; below zero what it gives back."""
    hold_expires_at: datetime | None = None
    """When a hold times out; None: it does not."""
    lot: str | None = None
    """Of a warning: the lot that is about to expire."""
    lot_points: int | None = None
    tier_from: str | None = None
    ladder: str | None = None
    """Of a tier: the ladder that it is on; None: the main one."""
    standing_from: Standing | None = None
    """Where the member stood on it before, if that was written down; of a warning, stands."""
    falls_to: str | None = None
    """Of a warning: the tier that follows unless more is earned."""
    told: str | None = None
    """Of an accrual: what else there was to say of the activity, in the words of its feature; no balance depends on it."""

    def points_by_rule(self, wallet: str, points: int) -> Mapping[str, int]:
        """Of ``points`` in a wallet, those of each rule that gave some, by its id."""
        alone = {self.rules[wallet]: points} if wallet in self.rules else {}
        return self.rule_points.get(wallet) or alone


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable line of the ledger: ``seq`` is gapless from 1; ``after`` has the balances that it left.

    ``after`` names the wallets that the entry changed, and :data:`POINTS` always.
    """

    program: str
    member_id: str
    key: EntryKey
    seq: int
    movement: Movement
    after: Mapping[str, Balances]
    facts: Facts
    posted_at: datetime
    request_hash: str

    @property
    def entry_id(self) -> str:
        """The identity in one text."""
        return self.key.entry_id

    @property
    def tier_to(self) -> str | None:
        """The tier after an entry that changes where the member stands."""
        return next((standing.tier for standing in self.movement.standings.values()), self.movement.tier)

    @property
    def points(self) -> int:
        """The change of the available points; adding these up over a statement gives the balance."""
        return self.movement.change().points

    @property
    def balances(self) -> Balances:
        """The balances of the wallet :data:`POINTS` after the entry."""
        return self.after[POINTS]
