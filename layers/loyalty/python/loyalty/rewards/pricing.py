"""What a redemption costs and is worth. Pure; points and minor units are whole numbers."""

from dataclasses import dataclass

from loyalty.core.errors import InsufficientPoints
from loyalty.core.money import Money, minor_units, money_of
from loyalty.ledger.model import POINTS, Book
from loyalty.programs.errors import AmountRequired
from loyalty.programs.model import Reward
from loyalty.rewards.errors import AmountNotAllowed, DenominationRefused


@dataclass(frozen=True, slots=True)
class Price:
    """For all of it together: points, ``cash`` that the partner collects beside them, and what is given is worth.

    The points are those of ``wallet``.
    """

    points: int
    cash: Money | None = None
    value: Money | None = None
    wallet: str = POINTS


def price_of(reward: Reward, quantity: int, amount: Money | None) -> Price:
    """The price of so many, each of the chosen ``amount`` where members choose one.

    Raises:
        AmountRequired, AmountNotAllowed: an amount is to be chosen and is not, or the other way round.
        DenominationRefused: one that the reward does not have.
    """
    if not reward.denominations:
        if amount is not None:
            raise AmountNotAllowed(f"'{reward.id}' has a fixed price; leave amount out.", pointer="/amount")
        cash = None if reward.cash is None else reward.cash.money
        points, worth = (reward.points or 0) * quantity, _times(reward.worth, quantity)
        return Price(points, _times(cash, quantity), worth, reward.wallet)
    choice = ", or ".join(one.in_words for one in reward.denominations)
    if amount is None:
        raise AmountRequired(f"Choose an amount of '{reward.id}': {choice}.", pointer="/amount")
    denomination = reward.denomination(amount.currency)
    if denomination is None:
        raise DenominationRefused(f"'{reward.id}' is given for {choice}.", pointer="/amount/currency")
    if not denomination.has(amount):
        raise DenominationRefused(
            f"'{reward.id}' is given for {denomination.in_words}; choose one of these amounts.", pointer="/amount/value"
        )
    return Price(denomination.price(amount) * quantity, value=_times(amount, quantity), wallet=reward.wallet)


def too_few(book: Book, points: int, wallet: str) -> InsufficientPoints | None:
    """Why so many points of a wallet cannot be spent, or None where they can: nothing can always be."""
    can = max(book.wallet(wallet).available, 0)
    if points <= can:
        return None
    unit = "points" if wallet == POINTS else f"of the wallet '{wallet}'"
    return InsufficientPoints(f"This needs {points} {unit}; {can} can be spent.")


def cheapest(reward: Reward) -> int:
    """The points that one costs at least, in whatever currency."""
    if reward.points is not None:
        return reward.points
    return min(one.price(Money.of(one.least, one.currency)) for one in reward.denominations)


def _times(money: Money | None, quantity: int) -> Money | None:
    return None if money is None else money_of(minor_units(money) * quantity, money.currency)
