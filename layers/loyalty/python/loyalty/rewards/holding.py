"""Whether points are held for a reward, how many, and for how long. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from loyalty.core.clock import local_date
from loyalty.core.errors import (
    HoldMinutesLimitExceeded,
    HoldMinutesNotAllowed,
    PointsLimitExceeded,
    QuantityLimitExceeded,
    RewardNotFound,
    TierRequired,
    TooManyHolds,
)
from loyalty.core.ids import request_hash
from loyalty.ledger import movements
from loyalty.ledger.draft import Posting, Situation
from loyalty.ledger.model import MAX_TIMED_HOLDS, POINTS, Account, Book, Change, Entry, Hold, Movement
from loyalty.ledger.renewal import renewal
from loyalty.programs.model import MAX_POINTS, Program, Reward
from loyalty.rewards.model import Party, Payer, Redemption, RedemptionStatus

MAX_HOLD_MINUTES: Final = 43_200
"""Thirty days: what a program may let a partner take to end a redemption."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The redemption that a hold opens, what it does to the book, and what follows it there."""

    redemption: Redemption
    movement: Movement
    then: Callable[[Entry], Sequence[Posting]] | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to hold points for. ``hold_minutes``: None for as long as the program says.

    ``campaign``: the list that it is a line of. ``paid_by`` the program, it takes no points.
    """

    reward_id: str
    quantity: int
    hold_minutes: int | None = None
    campaign: str | None = None
    paid_by: Payer = Payer.MEMBER
    requested_by: str | None = None

    @property
    def request_hash(self) -> str:
        """Says nothing of minutes where the request did not."""
        minutes = {} if self.hold_minutes is None else {"hold_minutes": self.hold_minutes}
        of_a_list = {} if self.campaign is None else {"campaign": self.campaign, "paid_by": self.paid_by.value}
        return request_hash({"reward_id": self.reward_id, "quantity": self.quantity} | minutes | of_a_list)

    def granted(self, program: Program, situation: Situation, redemption_id: str) -> Granted:
        """Sets the points aside, first-to-expire first.

        Raises:
            RewardNotFound, QuantityLimitExceeded, PointsLimitExceeded, HoldMinutesLimitExceeded,
            HoldMinutesNotAllowed, TooManyHolds, InsufficientPoints, TierRequired: see ``RedemptionService.hold``.
        """
        document = program.document
        reward = _reward(program, self.reward_id)
        _require_tier(program, reward, situation.book)
        points = self._price(program, reward)
        minutes = self._minutes(program, reward)
        if minutes is not None and len(situation.book.holds) >= MAX_TIMED_HOLDS:
            raise TooManyHolds(
                f"{MAX_TIMED_HOLDS} holds of this member are open: capture or release one, or wait for one to time out."
            )
        # Nothing is spent of what the program pays, not even of a wallet below zero.
        change = movements.spend(situation.wallet, points, Account.HELD) if points else Change()
        redemption = Redemption(
            program=document.id,
            member_id=situation.book.member_id,
            redemption_id=redemption_id,
            status=RedemptionStatus.HELD,
            reward_id=reward.id,
            reward_type=reward.type,
            quantity=self.quantity,
            points=points,
            lots={lot: -part for lot, part in change.lots.items()},
            program_version=program.version,
            held_at=situation.now,
            expires_at=None if minutes is None else situation.now + timedelta(minutes=minutes),
            party=reward.party,
            requested_by=self.requested_by,
            campaign=self.campaign,
            paid_by=self.paid_by,
        )
        lot = document.expiry.lot(local_date(situation.now, document.zone))
        return Granted(
            redemption,
            Movement({POINTS: change}, holds=_timed(redemption)),
            renewal(POINTS, lot) if document.expiry.renewed_by_activity and points else None,
        )

    def _price(self, program: Program, reward: Reward) -> int:
        most = program.document.limits.redemption_quantity
        if not 1 <= self.quantity <= most:
            raise QuantityLimitExceeded(f"One to {most} of a reward in one redemption.", pointer="/quantity")
        points = reward.points * self.quantity
        if points > MAX_POINTS:
            raise PointsLimitExceeded(f"This would be {points} points; one posting holds at most {MAX_POINTS}.")
        return points if self.paid_by is Payer.MEMBER else 0

    def _minutes(self, program: Program, reward: Reward) -> int | None:
        """After how many minutes the points go back; None: never by themselves."""
        if reward.party is not Party.PARTNER:
            if self.hold_minutes is not None:
                raise HoldMinutesNotAllowed(
                    f"A redemption of type '{reward.type}' is ended by the platform and has no time-out; leave "
                    "hold_minutes out.",
                    pointer="/hold_minutes",
                )
            return None
        most = program.document.limits.hold_minutes
        minutes = most if self.hold_minutes is None else self.hold_minutes
        if not 1 <= minutes <= most:
            raise HoldMinutesLimitExceeded(
                f"This program holds points for one to {most} minutes.", pointer="/hold_minutes"
            )
        return minutes


def as_first_held(redemption: Redemption) -> Redemption:
    """The redemption as its hold was first answered, whatever became of it since."""
    return replace(redemption, status=RedemptionStatus.HELD, ended_at=None, captured_points=None, cancelled_at=None)


def _reward(program: Program, reward_id: str) -> Reward:
    reward = program.document.reward(reward_id)
    if reward is None:
        raise RewardNotFound(f"Program '{program.document.id}' has no reward '{reward_id}'.")
    return reward


def _require_tier(program: Program, reward: Reward, book: Book) -> None:
    stands_on = {book.standing(ladder, terms).tier for ladder, terms in program.scope.ladders.items()}
    if reward.tiers and stands_on.isdisjoint(reward.tiers):
        raise TierRequired(f"This reward is for members on one of these tiers: {', '.join(reward.tiers)}.")


def _timed(redemption: Redemption) -> dict[str, Hold | None]:
    if redemption.expires_at is None:
        return {}
    return {redemption.redemption_id: Hold(POINTS, redemption.lots, redemption.expires_at)}
