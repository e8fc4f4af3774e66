"""What clients ask for. Sums are whole minor units; moments are UTC."""

from dataclasses import dataclass, field
from datetime import date, datetime

DECIMALS = {"EUR": 2, "USD": 2, "IDR": 2, "JPY": 0, "KWD": 3}


@dataclass(frozen=True, slots=True)
class Sum:
    """Money."""

    units: int
    currency: str


@dataclass(frozen=True, slots=True)
class Bought:
    """A line of a purchase; ``units`` is what was paid for all of it."""

    line_id: str
    quantity: int
    units: int


@dataclass(frozen=True, slots=True)
class Accrue:
    """Something a member did."""

    member: str
    source: str
    source_id: str
    activity: str
    occurred_at: datetime
    amount: Sum | None = None
    basis: Sum | None = None
    lines: tuple[Bought, ...] = ()
    channel: str | None = None
    by_event: bool = False
    """It comes from the queue, in batches; else from a client of the API."""

    @property
    def content(self) -> object:
        """What must be the same where the identity is."""
        lines = () if self.by_event else self.lines
        return self.activity, self.occurred_at, self.amount, self.basis, lines, self.channel


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Something given back: exactly one of money, lines and everything."""

    member: str
    source: str
    source_id: str
    accrual_id: str
    occurred_at: datetime
    amount: Sum | None = None
    lines: tuple[tuple[str, int], ...] = ()
    everything: bool = False
    reason: str = "refund"
    by_event: bool = False
    """It comes from the queue, and takes at most what is left."""

    @property
    def content(self) -> object:
        """What must be the same where the identity is."""
        return self.accrual_id, self.occurred_at, self.amount, self.lines, self.everything, self.reason


@dataclass(frozen=True, slots=True)
class HoldPoints:
    """Points set aside for a reward."""

    member: str
    key: str
    reward: str
    quantity: int
    minutes: int | None = None

    @property
    def content(self) -> object:
        """What must be the same where the identity is."""
        return self.reward, self.quantity, self.minutes


@dataclass(frozen=True, slots=True)
class EndHold:
    """A hold is captured, released, or cancelled after its capture. ``member`` is who is named in the request."""

    member: str
    hold: HoldPoints
    how: str
    points: int | None = None
    by: str = "partner"
    name: str | None = field(default=None, compare=False)
    """The redemption's id, as far as its client knows it."""


@dataclass(frozen=True, slots=True)
class Adjust:
    """Points given or taken by hand."""

    member: str
    key: str
    points: int
    reason: str | None
    actor: str
    wallet: str = "points"

    @property
    def content(self) -> object:
        """What must be the same where the identity is."""
        return self.points, self.reason, self.actor, self.wallet


@dataclass(frozen=True, slots=True)
class Decide:
    """A second person's word on an adjustment: approved or rejected."""

    member: str
    adjust: Adjust
    approved: bool
    actor: str


@dataclass(frozen=True, slots=True)
class Give:
    """Points from one member to another."""

    member: str
    key: str
    to: str
    points: int
    wallet: str = "points"

    @property
    def content(self) -> object:
        """What must be the same where the identity is."""
        return self.to, self.points, self.wallet


@dataclass(frozen=True, slots=True)
class Merge:
    """One member takes over another."""

    member: str
    absorbed: str
    actor: str = "staff-1"


@dataclass(frozen=True, slots=True)
class Recalculate:
    """The tier in the wake of an accrual, which was posted at ``posted_at``."""

    member: str
    cause: str
    posted_at: datetime | None = field(default=None, compare=False)
    """Not known before the accrual is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A tier that staff grant through a day, so many days after that on which it is first asked for."""

    member: str
    key: str
    ladder: str
    tier: str
    days: int
    reason: str = "goodwill"
    actor: str = "ann"
    until: date = date.min

    @property
    def content(self) -> object:
        """What must be the same where the identity is."""
        return self.ladder, self.tier, self.until, self.reason, self.actor


@dataclass(frozen=True, slots=True)
class EndGrant:
    """A granted tier ends now."""

    member: str
    key: str
    ladder: str
    reason: str = "correction"
    actor: str = "ann"

    @property
    def content(self) -> object:
        """What must be the same where the identity is."""
        return self.ladder, self.reason, self.actor


Command = Accrue | TakeBack | HoldPoints | EndHold | Adjust | Decide | Give | Merge | Recalculate | Grant | EndGrant


class Refused(Exception):
    """The command is refused; ``code`` is the platform's name for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
