"""A fulfilment run: what became of one redemption's gift card, attempt by attempt, as finance sees it.

A run is open until it ends. Each change of it is a step of its timeline, and a step never changes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from loyalty.core.four_eyes import same_hands
from loyalty.core.money import Money
from loyalty.ledger.model import POINTS


class RunStatus(StrEnum):
    """Where a run stands."""

    SCREENING = "screening"
    """Opened; nobody was asked for anything."""
    AWAITING_APPROVAL = "awaiting_approval"
    """A person of finance decides, until the deadline."""
    ORDERING = "ordering"
    """A supplier is about to be asked, or was asked and has not answered."""
    AWAITING_FUNDS = "awaiting_funds"
    """The supplier's balance, or the program's budget, is too low: nothing was ordered, and it is tried again."""
    PENDING = "pending"
    """The supplier has the order and has not settled it."""
    DELIVERING = "delivering"
    """The card is in the vault; the points are about to be captured."""
    ATTENTION = "attention"
    """A person has to look: ``reason`` says at what. The points stay held."""
    FULFILLED = "fulfilled"
    """The card was issued and the points captured."""
    REFUSED = "refused"
    """No supplier gave a card; the points went back."""
    REJECTED = "rejected"
    """Finance said no; the points went back."""
    EXPIRED = "expired"
    """Finance said nothing in time; the points went back."""
    CANCELLED = "cancelled"
    """Finance gave it up, the order where there was one is cancelled; the points went back."""
    RESOLVED = "resolved"
    """A person settled it outside of the platform, and wrote down how."""


ENDED: Final = frozenset(
    {
        RunStatus.FULFILLED,
        RunStatus.REFUSED,
        RunStatus.REJECTED,
        RunStatus.EXPIRED,
        RunStatus.CANCELLED,
        RunStatus.RESOLVED,
    }
)
"""What a run leaves by a person's decision alone: a card that was issued can be taken back, or replaced."""


@dataclass(frozen=True, slots=True)
class Run:
    """One redemption's fulfilment. ``value`` is what the card is worth; times are UTC."""

    program: str
    redemption_id: str
    member_id: str
    reward_id: str
    points: int
    value: Money
    requested_by: str
    """The client, or the person, who held the points or asked for the campaign: not who may approve it."""
    opened_at: datetime
    wallet: str = POINTS
    """The wallet that the points are of."""
    requested_through: str | None = None
    """The client that named the person: it may not approve it either."""
    status: RunStatus = RunStatus.SCREENING
    reason: str | None = None
    """Why it is where it is: a stable code such as ``over_threshold``, ``supplier_timeout``."""
    flags: tuple[str, ...] = ()
    """Everything that screening found; ``reason`` has the first one."""
    campaign: str | None = None
    """The list that it came with, where it was one of many."""
    supplier: str | None = None
    """Whom it was ordered from last."""
    product: str | None = None
    external_id: str | None = None
    """The key of ours that the last order bears."""
    supplier_order_id: str | None = None
    cost: Money | None = None
    """What the supplier charges for the card that was issued."""
    orders: int = 0
    """How many orders were begun, each with a key of its own: one more for another supplier, or for a new card."""
    steps: int = 0
    """How many steps are written down."""
    executions: int = 1
    """How often the state machine was started for it."""
    approve_until: datetime | None = None
    reminded_at: datetime | None = None
    task_token: str | None = None
    """By which the state machine that waits for a person is answered."""
    approved_by: str | None = None
    """Who let it order, where somebody had to."""
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str | None = None
    """What the person who decided last wrote."""
    ends_as: RunStatus | None = None
    """What it becomes once the points are back; None: nobody gave it up."""
    replaces: int = 0
    """The number of the order whose card is to be taken back before another one is ordered; 0: none."""
    candidate: int = 0
    """Whom it is ordered from: 0 is the reward's supplier, 1 its first fallback, and so on."""
    tries: int = 0
    """How often in a row a step was taken that has to be taken again: each waits longer than the one before."""
    waiting_since: datetime | None = None
    """When the first of these was taken."""
    turn_at: datetime | None = None
    """When its first order's turn comes at the supplier; None: it has none yet, or nothing is to be ordered."""
    news_at: datetime | None = None
    """When the supplier last told, by itself, that something had become of the order."""
    updated_at: datetime | None = None
    ended_at: datetime | None = None
    revision: int = 1
    """Counts the changes: who writes names the one that was read."""

    def asked_by(self, actor: str) -> bool:
        """Whether the client or person asked for it: who did may not approve it."""
        return same_hands((self.requested_by, self.requested_through), (actor,))

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status in ENDED

    @property
    def settled(self) -> bool:
        """Whether it is over, and nobody asked since for its card to be taken back or replaced."""
        return self.ended and self.ends_as is None and not self.replaces


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done in a run, or was about to be: what a timeline shows."""

    number: int
    at: datetime
    name: str
    """``screen``, ``approval_requested``, ``reminder``, ``approve``, ``order``, ``query``, ``capture``, ``release``, …"""
    outcome: str
    """``asked`` is written before a supplier is; after it ``issued``, ``pending``, ``refused``, ``ambiguous``; else ``done``."""
    supplier: str | None = None
    external_id: str | None = None
    request_id: str | None = None
    """The supplier's own name for the request."""
    cost: Money | None = None
    error: str | None = None
    """The name of what went wrong, with its message; no code, link or body."""
    by: str | None = None
    """The person or client, where it was one."""
    note: str | None = None
