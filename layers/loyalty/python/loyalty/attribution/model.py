"""A referral: who brought whom, how far it is, and what speaks for and against it.

::

    enrolled ── a qualifying activity ──▶ qualified ── the return window is over ──▶ rewarded ──▶ reversed
       ▲                                      │                                   given back
       └──────────── given back ──────────────┘
    enrolled, qualified ──▶ expired     it did not qualify in time
                            rejected    by the score, or by a person; may be appealed
                            unrewarded  nobody is left to be rewarded, or no rule gives either side anything

There is one for each member who was brought, in their own partition: whoever names a second code finds it there.
What who was brought is told says nothing of screening: see :meth:`Referral.told`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from loyalty.core.money import Money


class ReferralStatus(StrEnum):
    """How far a referral is."""

    ENROLLED = "enrolled"
    QUALIFIED = "qualified"
    REWARDED = "rewarded"
    REVERSED = "reversed"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNREWARDED = "unrewarded"


class Told(StrEnum):
    """How far it is, as members are told."""

    PENDING = "pending"
    REWARDED = "rewarded"
    REVERSED = "reversed"
    ENDED = "ended"


class Verdict(StrEnum):
    """What screening says."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"


class Signal(StrEnum):
    """What speaks against a referral. Each has a weight of its name in the program document; some have a bound there.

    ``the others`` are those whom the referrer brought of late, nearest in time to who was brought.
    """

    SAME_EMAIL = "same_email"
    """The e-mail address of who was brought is the referrer's, but for dots and tags."""
    SAME_PHONE = "same_phone"
    SAME_DEVICE = "same_device"
    SAME_PAYMENT = "same_payment"
    SAME_ADDRESS = "same_address"
    SAME_NETWORK = "same_network"
    EXISTING_CUSTOMER = "existing_customer"
    """Another member had that e-mail address, but for dots and tags, or that phone before."""
    ERASED_CUSTOMER = "erased_customer"
    """Somebody who had that e-mail address, phone or payment was erased before."""
    DISPOSABLE_EMAIL = "disposable_email"
    DISPOSABLE_OTHERS = "disposable_others"
    """It is one of those that last minutes, and so are those of the others."""
    REFERRER_VELOCITY = "referrer_velocity"
    DEVICE_VELOCITY = "device_velocity"
    PAYMENT_VELOCITY = "payment_velocity"
    NETWORK_VELOCITY = "network_velocity"
    PROGRAM_VELOCITY = "program_velocity"
    CIRCLE = "circle"
    """Following who brought whom leads back to who was brought, and did when they named the code."""
    IN_CIRCLE = "in_circle"
    """It does by now: somebody else closed the circle afterwards."""
    RING = "ring"
    """Others whom the referrer brought share a device or payment with who was brought."""
    SHARED_ADDRESS = "shared_address"
    """They share an address."""
    CHAIN = "chain"
    """Each brought the next within the hour."""
    EVEN_TIMING = "even_timing"
    """The referrer's new members come at even distances."""
    ALIKE_EMAILS = "alike_emails"
    """Others whom the referrer brought have addresses that differ in digits alone."""
    ONE_NETWORK = "one_network"
    """The others came from behind the same network."""
    LEAST_PURCHASE = "least_purchase"
    """What qualified is hardly above the least that counts, as with the others."""
    QUICK_PURCHASE = "quick_purchase"
    """It came within minutes of the enrollment, as with the others."""
    SOME_RETURNED = "some_returned"
    """Others who were rewarded gave back what had qualified them."""
    MOST_RETURNED = "most_returned"
    """So did most of them, and two at least."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sign that was found: its weight by the program's version of then, and what was counted, against which bound."""

    signal: Signal
    weight: int
    counted: int = 1
    bound: int = 1
    members: Sequence[str] = ()
    """Ids of members whom it is about; a few of them."""


@dataclass(frozen=True, slots=True)
class Screened:
    """What screening found, from what, and by which version of the program: ``score`` is 0 to 100.

    ``features`` are the numbers that it was computed from, by the names of signals: from them and that version alone it can
    be computed again.
    """

    verdict: Verdict
    score: int
    evidence: Sequence[Evidence]
    features: Mapping[str, int]
    program_version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decided: who (a staff id), through which client, why (a code), when (UTC)."""

    approved: bool
    actor: str
    reason: str
    at: datetime
    through: str | None = None

    @property
    def hands(self) -> tuple[str, str | None]:
        """The person and the client, as four eyes tell people apart."""
        return self.actor, self.through


@dataclass(frozen=True, slots=True)
class Qualified:
    """What qualified: the accrual of who was brought, of what amount, when; rewards are given from ``pays_at`` (UTC) on."""

    entry_id: str
    amount: Money | None
    occurred_at: datetime
    qualified_at: datetime
    pays_at: datetime


@dataclass(frozen=True, slots=True)
class Rewarded:
    """Entries of both sides, written in one transaction. ``number``: which of the referrer's it is, from 1."""

    referrer: str
    """Who was rewarded: the referrer, or whom they were merged into."""
    member_id: str
    number: int
    points: int
    """Of the wallet ``points``, to the referrer."""
    member_points: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """By what somebody came: campaign and channel of the link; ``click`` is the id of the click that counts."""

    campaign: str | None = None
    channel: str | None = None
    click: str | None = None


@dataclass(frozen=True, slots=True)
class Referral:
    """Who was brought (``member_id``, as they enrolled) by whom (``referrer``, as they were then), with which code.

    ``deadline`` is until when it may qualify (UTC), ``likenesses`` keyed hashes of what may be shared with others, by kind.
    ``due_at`` is when it next wants to be looked at; None: not by itself.
    """

    program: str
    member_id: str
    referrer: str
    code: str
    claimed_at: datetime
    deadline: datetime | None
    status: ReferralStatus = ReferralStatus.ENROLLED
    source: Source = Source()
    likenesses: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)
    """What is known of who was brought since then and is no hash, such as ``disposable_email``."""
    counted: bool = False
    """The counts of the referrer have it."""
    screened: Screened | None = None
    looked: Screened | None = None
    """What screening said before it qualified, which is no answer any more: what was counted then stays counted."""
    qualified: Qualified | None = None
    decisions: Sequence[Decided] = ()
    proposed: Decided | None = None
    """What somebody asks for, and another person has to agree to."""
    appealed_at: datetime | None = None
    appealed_because: str | None = None
    appealed_through: str | None = None
    """The client that appealed."""
    rewarded: Rewarded | None = None
    ended_at: datetime | None = None
    ended_because: str | None = None
    reminded: int = 0
    due_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 0

    @property
    def verdict(self) -> Verdict | None:
        """What counts: what a person decided last, unless that was appealed since; else what screening says."""
        last = self.decisions[-1] if self.decisions else None
        if self.appealed_at is not None and (last is None or last.at < self.appealed_at):
            return Verdict.REVIEW
        if last is not None:
            return Verdict.ACCEPT if last.approved else Verdict.REJECT
        return None if self.screened is None else self.screened.verdict

    @property
    def waits(self) -> bool:
        """Whether a person has to decide on it before anything else happens."""
        decidable = self.status in {ReferralStatus.QUALIFIED, ReferralStatus.REJECTED}
        return decidable and self.verdict is Verdict.REVIEW

    @property
    def revoked(self) -> bool:
        """Whether a person says, of one that was rewarded, that it is a fraud: nothing else rejects such a one."""
        return self.rewarded is not None and self.verdict is Verdict.REJECT and bool(self.decisions)

    def told(self, now: datetime) -> Told:
        """What members are told. Who is rejected, or waits for a person, looks as if nothing had qualified."""
        if self.status is ReferralStatus.REWARDED:
            return Told.REWARDED
        if self.status is ReferralStatus.REVERSED:
            return Told.REVERSED
        if self.status in {ReferralStatus.EXPIRED, ReferralStatus.UNREWARDED}:
            return Told.ENDED
        if self.status is ReferralStatus.REJECTED:
            return Told.PENDING if self.deadline is None or now < self.deadline else Told.ENDED
        return Told.PENDING
