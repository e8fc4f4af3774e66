"""How a redemption ends, and how a captured one is undone: what may be asked for, what it does, what refuses it. Pure.

::

    held ──► captured ──► cancelled      by the party whose reward it is; of a gift card once its supplier took it back
      ├────► released                    by the same party
      └────► timed_out                   by the clock alone; fulfilment's redemptions have no time-out

Each way is an entry of its own with the redemption's identity, so that it is gone once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from loyalty.core.clock import local_date
from loyalty.core.errors import LoyaltyError
from loyalty.core.ids import request_hash
from loyalty.core.table import Operation
from loyalty.ledger import movements
from loyalty.ledger.model import Account, Book, Change, EntryKey, EntryKind, Movement, Wallet
from loyalty.rewards.errors import (
    CaptureExceedsHold,
    FulfillmentInProgress,
    RedemptionAlreadyCancelled,
    RedemptionAlreadyCaptured,
    RedemptionAlreadyReleased,
    RedemptionNotCancellable,
    RedemptionNotCaptured,
    RedemptionTimedOut,
    ReturnPeriodOver,
)
from loyalty.rewards.model import Party, Redemption, RedemptionStatus

SOURCE: Final = "redemption"
"""The ``source`` of all entries of a redemption; its id is their ``source_id``."""

_KINDS: Final = {
    RedemptionStatus.CAPTURED: EntryKind.CAPTURE,
    RedemptionStatus.RELEASED: EntryKind.RELEASE,
    RedemptionStatus.CANCELLED: EntryKind.CANCELLATION,
}
_IN_THE_WAY: Final[dict[RedemptionStatus, tuple[type[LoyaltyError], str]]] = {
    RedemptionStatus.HELD: (RedemptionNotCaptured, "is held; release it to give its points back"),
    RedemptionStatus.CAPTURED: (RedemptionAlreadyCaptured, "was captured; its points are spent"),
    RedemptionStatus.RELEASED: (RedemptionAlreadyReleased, "was released; its points went back"),
    RedemptionStatus.TIMED_OUT: (RedemptionTimedOut, "timed out; its points went back. Hold them again"),
    RedemptionStatus.CANCELLED: (RedemptionAlreadyCancelled, "was cancelled; its points came back"),
}
"""What a redemption's status says to who wanted another."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The partner's name for what it sends, and where the member can follow it."""

    reference: str | None = None
    tracking_url: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """What somebody wants a redemption to be: captured, released or cancelled."""

    status: RedemptionStatus
    by: Party
    points: int | None = None
    """Of a capture: how many of the held points; None: all."""
    delivery: Delivery = Delivery()
    """Of a capture: how the partner delivers it. No part of what is asked for: the first capture's stays."""
    order_requests: int | None = None
    """Of a release: the redemption's when the supplier said that it has no order; None where nobody asked."""
    giving: Sequence[Operation] = ()
    """What is written with it; with a capture, what gives the member what the points were for."""

    @property
    def follows(self) -> RedemptionStatus:
        """The one status that it can follow."""
        return RedemptionStatus.CAPTURED if self.status is RedemptionStatus.CANCELLED else RedemptionStatus.HELD

    def key(self, redemption_id: str) -> EntryKey:
        """The identity of its entry."""
        return EntryKey(_KINDS[self.status], SOURCE, redemption_id)

    def request_hash(self, redemption_id: str) -> str:
        """Tells a capture of some of the points from any other; whatever takes no choice is the redemption's id alone."""
        chosen = {"redemption_id": redemption_id, "points": self.points}
        return request_hash(redemption_id if self.points is None else chosen)

    def answer(self, redemption: Redemption) -> Redemption:
        """The redemption, if it has become what is wanted.

        Raises:
            RedemptionAlreadyCaptured, RedemptionAlreadyReleased, RedemptionTimedOut, RedemptionAlreadyCancelled,
            RedemptionNotCaptured: it is something else, or other points of it were captured.
        """
        if redemption.status is self.status and self._wanted(redemption) in (None, redemption.captured_points):
            return redemption
        kind, what = _IN_THE_WAY[redemption.status]
        if redemption.status is RedemptionStatus.CAPTURED:
            what += f" ({redemption.captured_points} of {redemption.points})"
        raise kind(f"'{redemption.redemption_id}' {what}.")

    def require_party(self, redemption: Redemption) -> None:
        """Whoever is not the one to end this type of redemption ends it in no way.

        Raises:
            RedemptionNotCancellable: a delivered gift card can be taken back by its supplier alone.
            FulfillmentInProgress: the other party ends it.
        """
        party = redemption.party
        if self.status is RedemptionStatus.CANCELLED and party is not Party.PARTNER and self.by is not party:
            raise RedemptionNotCancellable(
                f"Redemptions of type '{redemption.reward_type}' cannot be cancelled by a partner: {_why_not(redemption)}."
            )
        if self.by is not party:
            raise FulfillmentInProgress(
                f"Redemptions of type '{redemption.reward_type}' are captured or released by the {party}; read the "
                "redemption to follow it."
            )

    def require_possible(self, redemption: Redemption, now: datetime, zone: ZoneInfo) -> None:
        """Raises what speaks against it at ``now`` (UTC) although the redemption is where it must be.

        Raises:
            ReturnPeriodOver: it was captured more days ago, by the program's calendar, than it can be returned.
            CaptureExceedsHold: none of the points are to be captured, or more than are held.
            FulfillmentInProgress: the supplier has an order, or was asked for one since ``order_requests``.
        """
        points = self._wanted(redemption)
        # Of what the program pays there are none, and those are all.
        if points is not None and not min(1, redemption.points) <= points <= redemption.points:
            raise CaptureExceedsHold(
                f"'{redemption.redemption_id}' holds {redemption.points} points: capture one of them at least, and all "
                "at most. Release it to capture none.",
                pointer="/points",
            )
        if self.status is RedemptionStatus.CANCELLED:
            _require_returnable(redemption, now, zone)
        if self.status is not RedemptionStatus.RELEASED:
            return
        if redemption.supplier_order_id:
            raise FulfillmentInProgress("The supplier has an order for this; its points cannot go back.")
        if self.order_requests not in (None, redemption.order_requests):
            raise FulfillmentInProgress("The supplier was asked for an order meanwhile; ask it what became of that.")

    def of(self, redemption: Redemption, now: datetime) -> Redemption:
        """The redemption once it has ended so, at ``now`` (UTC)."""
        if self.status is RedemptionStatus.CANCELLED:
            return replace(redemption, status=self.status, cancelled_at=now)
        return replace(
            redemption,
            status=self.status,
            ended_at=now,
            captured_points=self._wanted(redemption),
            reference=self.delivery.reference,
            tracking_url=self.delivery.tracking_url,
        )

    def movement(self, book: Book, ended: Redemption, *, today: date, grace_days: int) -> Movement:
        """What it does to the book, in the wallet that the points were held in.

        ``today`` is the program's; for ``grace_days``, those of that wallet, see :func:`movements.give_back`.
        """
        wallet = book.wallet(ended.wallet)
        if self.status is RedemptionStatus.CANCELLED:
            change = movements.give_back(
                wallet, ended.spent, source=Account.REDEEMED, today=today, grace_days=grace_days
            )
            return Movement({ended.wallet: change})
        holds = {} if ended.expires_at is None else {ended.redemption_id: None}
        return Movement({ended.wallet: self._end(wallet, ended, today, grace_days)}, holds=holds)

    def _end(self, wallet: Wallet, ended: Redemption, today: date, grace_days: int) -> Change:
        if self.status is RedemptionStatus.RELEASED:
            return movements.give_back(wallet, ended.lots, source=Account.HELD, today=today, grace_days=grace_days)
        points = ended.captured_points or 0
        return movements.capture(wallet, ended.lots, points, today=today, grace_days=grace_days)

    def _wanted(self, redemption: Redemption) -> int | None:
        """Points to be captured; None where it is no capture."""
        if self.status is not RedemptionStatus.CAPTURED:
            return None
        return redemption.points if self.points is None else self.points


def _why_not(redemption: Redemption) -> str:
    """Why a partner cannot cancel what the platform gives, where it stands."""
    match redemption.status:
        case RedemptionStatus.HELD:
            return f"'{redemption.redemption_id}' is being fulfilled; finance decides whether it is given up"
        case RedemptionStatus.CAPTURED:
            return "what was delivered stays spendable"
    return f"'{redemption.redemption_id}' is {redemption.status}, and its points are back already"


def _require_returnable(redemption: Redemption, now: datetime, zone: ZoneInfo) -> None:
    if redemption.return_days is None or redemption.ended_at is None:
        return
    days = (local_date(now, zone) - local_date(redemption.ended_at, zone)).days
    if days > redemption.return_days:
        raise ReturnPeriodOver(
            f"'{redemption.redemption_id}' was captured {days} days ago, and can be returned for "
            f"{redemption.return_days}; give the points by an adjustment, where that is meant."
        )
