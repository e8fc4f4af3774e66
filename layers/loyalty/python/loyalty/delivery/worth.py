"""What a redemption for money is worth. The one place that knows where the catalogue says so."""

from loyalty.core.money import Money
from loyalty.programs.rewards import Reward
from loyalty.rewards.model import Redemption


def worth_of(redemption: Redemption, reward: Reward) -> Money | None:
    """What the member is to get in all: what the redemption says, else the reward's amount times how many; None: nothing."""
    value: Money | None = getattr(redemption, "value", None)
    if value is not None:
        return value
    each: Money | None = getattr(reward, "worth", None)
    return None if each is None else Money.of(each.amount * redemption.quantity, each.currency)


def charity_of(reward: Reward) -> str | None:
    """The charity that a donation goes to."""
    charity = getattr(reward, "charity", None)
    return None if charity is None else str(charity.id)
