"""Whether points are held for a reward, how many, and for how long. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from loyalty.abuse.holding import on_hold
from loyalty.core.clock import local_date
from loyalty.core.errors import LoyaltyError, PointsLimitExceeded, RewardNotFound
from loyalty.core.ids import request_hash
from loyalty.core.money import Money
from loyalty.ledger import movements
from loyalty.ledger.draft import Posting, Situation
from loyalty.ledger.model import MAX_TIMED_HOLDS, Account, Change, Entry, Hold, Movement
from loyalty.ledger.renewal import renewal
from loyalty.programs.model import MAX_POINTS, Program, Reward
from loyalty.rewards.availability import closed, elsewhere, withheld
from loyalty.rewards.errors import (
    DailyRedemptionLimitExceeded,
    HoldMinutesLimitExceeded,
    HoldMinutesNotAllowed,
    OneCodeAtATime,
    PriceChanged,
    QuantityLimitExceeded,
    RewardLimitReached,
    TooManyHolds,
)
from loyalty.rewards.limits import Bound, Taken, bounds_for, counted
from loyalty.rewards.model import Party, Payer, Redemption, RedemptionStatus
from loyalty.rewards.pricing import Price, price_of, too_few
from loyalty.stock.claim import Claim
from loyalty.stock.errors import OutOfStock

MAX_HOLD_MINUTES: Final = 43_200
"""Thirty days: what a program may let a partner take to end a redemption."""
MAX_HELD_SHARDS: Final = 20
"""Shards of stock that a member's timed holds may have taken from when one takes from several: all may end in one transaction."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The redemption that a hold opens, what it does to the book, and what follows it there."""

    redemption: Redemption
    movement: Movement
    then: Callable[[Entry], Sequence[Posting]] | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to hold points for. ``hold_minutes``: None for as long as the program says.

    ``amount`` is the chosen one, of each; ``quoted_points`` the price that they were told for all of it, to be taken from
    ``quoted_wallet``.
    ``campaign``: the list that it is a line of. ``paid_by`` the program, it takes no points.
    """

    reward_id: str
    quantity: int
    hold_minutes: int | None = None
    amount: Money | None = None
    country: str | None = None
    quoted_points: int | None = None
    campaign: str | None = None
    paid_by: Payer = Payer.MEMBER
    requested_by: str | None = None
    requested_through: str | None = None
    quoted_wallet: str | None = None

    @property
    def request_hash(self) -> str:
        """Says nothing of what the request left out."""
        amount = None if self.amount is None else str(self.amount)
        chosen = {
            "hold_minutes": self.hold_minutes,
            "amount": amount,
            "country": self.country,
            "quoted_points": self.quoted_points,
            "quoted_wallet": self.quoted_wallet,
            "campaign": self.campaign,
            "paid_by": self.paid_by.value if self.campaign else None,
        }
        given = {name: value for name, value in chosen.items() if value is not None}
        return request_hash({"reward_id": self.reward_id, "quantity": self.quantity} | given)

    def claim(self, program: Program, identity: str) -> Claim | None:
        """What it takes of finite stock; None where there is no end of the reward, or no such reward."""
        reward = program.document.reward(self.reward_id)
        if reward is None or not reward.limited:
            return None
        return Claim(program.document.id, reward.id, self.quantity, identity)

    def is_limited(self, program: Program) -> bool:
        """Whether it comes under any limit that counts what the member redeemed."""
        reward = program.document.reward(self.reward_id)
        return reward is not None and bool(self._bounds(program, reward, 0, date.min))

    def reward(self, program: Program) -> Reward:
        """The reward that is wished for.

        Raises:
            RewardNotFound: the catalogue has none of that id.
        """
        reward = program.document.reward(self.reward_id)
        if reward is None:
            raise RewardNotFound(f"Program '{program.document.id}' has no reward '{self.reward_id}'.")
        return reward

    def price(self, program: Program) -> Price:
        """What all of it costs.

        Raises:
            RewardNotFound, QuantityLimitExceeded, PointsLimitExceeded: see ``RedemptionService.hold``.
            AmountRequired, AmountNotAllowed, DenominationRefused: see :func:`price_of`.
        """
        most = program.document.limits.redemption_quantity
        if not 1 <= self.quantity <= most:
            raise QuantityLimitExceeded(f"One to {most} of a reward in one redemption.", pointer="/quantity")
        reward = self.reward(program)
        if reward.codes is not None and self.quantity != 1:
            raise OneCodeAtATime(
                "A redemption has one code: ask for one of this reward at a time.", pointer="/quantity"
            )
        price = price_of(reward, self.quantity, self.amount)
        if price.points > MAX_POINTS:
            raise PointsLimitExceeded(f"This would be {price.points} points; one posting holds at most {MAX_POINTS}.")
        # Nothing is spent of what the program pays.
        return price if self.paid_by is Payer.MEMBER else replace(price, points=0)

    def objections(
        self, program: Program, situation: Situation, price: Price, taken: Sequence[Taken], claim: Claim | None = None
    ) -> Iterator[LoyaltyError]:
        """All that speaks against it now, the first to be told first; nothing where it can be held.

        ``taken`` is what the member, and who was merged into them, redeemed under limits; ``claim`` what it takes of
        finite stock.

        Raises:
            Undecided: more of the stock has to be read.
        """
        document, reward, now = program.document, self.reward(program), situation.now
        yield from filter(
            None, (on_hold(situation.book), closed(document, reward, now), elsewhere(reward, self.country))
        )
        yield from withheld(document, program.scope, reward, situation.book, now)
        if self.quoted_points not in (None, price.points):
            yield PriceChanged(
                f"It costs {price.points} points now, and not {self.quoted_points}; ask for a new quote.",
                pointer="/quoted_points",
            )
        if self.quoted_wallet not in (None, price.wallet):
            yield PriceChanged(
                f"It is paid from the wallet '{price.wallet}' now, and not '{self.quoted_wallet}'; ask for a new quote.",
                pointer="/quoted_wallet",
            )
        yield from filter(None, [self._minutes_refused(program, reward)])
        for bound in self.bounds(program, price, local_date(now, document.zone)):
            if counted(taken, bound.key, now) + bound.asked > bound.limit:
                yield limit_reached(bound)
        if self._minutes(program, reward) is not None and len(situation.book.holds) >= MAX_TIMED_HOLDS:
            yield TooManyHolds(
                f"{MAX_TIMED_HOLDS} holds of this member are open: capture or release one, or wait for one to time out."
            )
        yield from filter(None, [too_few(situation.book, price.points, price.wallet)])
        if claim is not None:
            yield from self._out_of_stock(program, situation, claim)

    def bounds(self, program: Program, price: Price, day: date) -> tuple[Bound, ...]:
        """The limits that it comes under on a day of the program."""
        return self._bounds(program, self.reward(program), price.points, day)

    def _bounds(self, program: Program, reward: Reward, points: int, day: date) -> tuple[Bound, ...]:
        if self.paid_by is Payer.PROGRAM:
            return ()  # limits are for what members choose
        return bounds_for(program.document, reward, quantity=self.quantity, points=points, day=day)

    def granted(
        self,
        program: Program,
        situation: Situation,
        redemption_id: str,
        taken: Sequence[Taken] = (),
        claim: Claim | None = None,
    ) -> Granted:
        """Sets the points of the reward's wallet aside, first-to-expire first, and what ``claim`` takes of finite stock.

        Raises:
            LoyaltyError: the first of :meth:`objections`; what these and :meth:`price` raise.
        """
        document, reward = program.document, self.reward(program)
        price = self.price(program)
        for objection in self.objections(program, situation, price, taken, claim):
            raise objection
        minutes = self._minutes(program, reward)
        wallet = situation.book.wallet(price.wallet)
        # Of a wallet below zero not even nothing can be spent.
        change = movements.spend(wallet, price.points, Account.HELD) if price.points else Change()
        today = local_date(situation.now, document.zone)
        redemption = Redemption(
            program=document.id,
            member_id=situation.book.member_id,
            redemption_id=redemption_id,
            status=RedemptionStatus.HELD,
            reward_id=reward.id,
            reward_type=reward.type,
            quantity=self.quantity,
            points=price.points,
            lots={lot: -part for lot, part in change.lots.items()},
            program_version=program.version,
            held_at=situation.now,
            expires_at=None if minutes is None else situation.now + timedelta(minutes=minutes),
            party=reward.party,
            value=price.value,
            cash=price.cash,
            country=self.country,
            return_days=reward.return_days,
            stock={} if claim is None else claim.taken(situation.shared),
            counted={bound.key: bound.asked for bound in self.bounds(program, price, today)},
            requested_by=self.requested_by,
            requested_through=self.requested_through,
            campaign=self.campaign,
            paid_by=self.paid_by,
            wallet=price.wallet,
        )
        expiry = document.expiry_of(price.wallet)
        return Granted(
            redemption,
            Movement({price.wallet: change}, holds=_timed(redemption)),
            renewal(price.wallet, expiry.lot(today)) if expiry.renewed_by_activity and price.points else None,
        )

    def _out_of_stock(self, program: Program, situation: Situation, claim: Claim) -> Iterator[LoyaltyError]:
        try:
            stock = claim.taken(situation.shared)
        except OutOfStock as refusal:
            yield refusal
            return
        held = sum(len(hold.stock) for hold in situation.book.holds.values())
        timed = self._minutes(program, self.reward(program)) is not None
        if timed and len(stock) > 1 and held + len(stock) > MAX_HELD_SHARDS:
            yield TooManyHolds(
                "The open holds of this member have taken from too many parts of the stock: capture or release one, or "
                "ask for fewer."
            )

    def _minutes_refused(self, program: Program, reward: Reward) -> LoyaltyError | None:
        if self.hold_minutes is None:
            return None
        if reward.party is not Party.PARTNER:
            return HoldMinutesNotAllowed(
                f"A redemption of type '{reward.type}' is ended by the platform and has no time-out; leave "
                "hold_minutes out.",
                pointer="/hold_minutes",
            )
        most = program.document.limits.hold_minutes
        if not 1 <= self.hold_minutes <= most:
            return HoldMinutesLimitExceeded(
                f"This program holds points for one to {most} minutes.", pointer="/hold_minutes"
            )
        return None

    def _minutes(self, program: Program, reward: Reward) -> int | None:
        """After how many minutes the points go back; None: never by themselves."""
        if reward.party is not Party.PARTNER:
            return None
        return program.document.limits.hold_minutes if self.hold_minutes is None else self.hold_minutes


def as_first_held(redemption: Redemption) -> Redemption:
    """The redemption as its hold was first answered, whatever became of it since."""
    return replace(
        redemption,
        status=RedemptionStatus.HELD,
        ended_at=None,
        captured_points=None,
        cancelled_at=None,
        reference=None,
        tracking_url=None,
    )


def limit_reached(bound: Bound) -> LoyaltyError:
    """The refusal of more than a limit lets."""
    detail = f"Members may have {bound.what}, and this would be more."
    return RewardLimitReached(detail) if bound.of_reward else DailyRedemptionLimitExceeded(detail)


def _timed(redemption: Redemption) -> dict[str, Hold | None]:
    if redemption.expires_at is None:
        return {}
    hold = Hold(redemption.wallet, redemption.lots, redemption.expires_at, redemption.stock)
    return {redemption.redemption_id: hold}
