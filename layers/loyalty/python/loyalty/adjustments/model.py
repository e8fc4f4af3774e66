"""An adjustment: what it is, what may be asked for, and how it changes a book. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loyalty.adjustments.errors import AdjustmentIsZero
from loyalty.core.clock import local_date
from loyalty.core.errors import AdjustmentReasonUnknown, PointsLimitExceeded, WalletNotFound
from loyalty.ledger import movements
from loyalty.ledger.draft import Situation
from loyalty.ledger.model import Account, Change
from loyalty.programs.earning import lot_for
from loyalty.programs.model import MAX_POINTS, ProgramDocument


class AdjustmentStatus(StrEnum):
    """``proposed`` ends once: in ``posted`` or in ``rejected``. What needs no second person is posted at once."""

    PROPOSED = "proposed"
    POSTED = "posted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: ``points`` of a wallet, to give (above zero) or to take (below).

    ``reason`` is a code of the program, ``actor`` a staff id.
    """

    points: int
    reason: str | None
    actor: str
    wallet: str

    def reason_in(self, document: ProgramDocument) -> str:
        """The reason, once everything that the program says of such requests holds.

        Raises:
            AdjustmentIsZero, PointsLimitExceeded: no points, or more than one posting may hold.
            AdjustmentReasonUnknown: no reason, or none of the program's.
            WalletNotFound: the program has no such wallet.
        """
        if self.points == 0:
            raise AdjustmentIsZero("Send how many points to give (above zero) or to take (below).", pointer="/points")
        if abs(self.points) > MAX_POINTS:
            raise PointsLimitExceeded(f"One posting moves at most {MAX_POINTS} points.", pointer="/points")
        if self.reason is None or self.reason not in document.adjustment_reasons:
            raise AdjustmentReasonUnknown(
                f"Send one of the program's reasons: {', '.join(document.adjustment_reasons)}.", pointer="/reason"
            )
        if self.wallet not in document.wallet_ids:
            raise WalletNotFound(f"The program has these wallets: {', '.join(document.wallet_ids)}.", pointer="/wallet")
        return self.reason

    def needs_second_person(self, document: ProgramDocument) -> bool:
        """Whether it is above what one person may do alone, in a program that asks for two."""
        return document.four_eyes.adjustments and abs(self.points) > document.limits.adjustment_points


@dataclass(frozen=True, slots=True)
class Adjustment:
    """An adjustment and what became of it. ``member_id`` is the member it was asked for; times are UTC."""

    program: str
    member_id: str
    adjustment_id: str
    status: AdjustmentStatus
    points: int
    reason: str
    actor: str
    wallet: str
    client_id: str
    """The client that vouched for the actor: it does not decide either."""
    request_hash: str
    created_at: datetime
    decided_by: str | None = None
    """The second person, who approved or rejected."""
    decided_through: str | None = None
    """The client that vouched for them."""
    decided_at: datetime | None = None
    posted_to: str | None = None
    """Whose statement has the entry: another member's, if this one was merged meanwhile."""


def change(document: ProgramDocument, wallet: str, points: int, situation: Situation) -> Change:
    """What the adjustment does to its wallet. What is given lives as long as what is earned on the same day.

    Raises:
        InsufficientPoints: more is to be taken than is available.
    """
    before = situation.book.wallet(wallet)
    if points < 0:
        return movements.spend(before, -points, Account.ADJUSTED)
    lot = lot_for(document.expiry_of(wallet), local_date(situation.now, document.zone))
    return movements.credit(before, Account.ADJUSTED, {lot: points})
