"""Where, when and for whom a reward is. Pure. What speaks against it is a named refusal, one for each thing."""

from collections.abc import Iterator
from datetime import datetime

from loyalty.core.clock import local_date
from loyalty.core.errors import LoyaltyError
from loyalty.ledger.model import Book, Scope
from loyalty.programs.model import ProgramDocument, Reward
from loyalty.rewards.errors import (
    CountryRequired,
    MemberTooNew,
    RewardNoLongerAvailable,
    RewardNotInCountry,
    RewardNotYetAvailable,
    TierRequired,
)


def closed(document: ProgramDocument, reward: Reward, now: datetime) -> LoyaltyError | None:
    """Why nobody can redeem it at ``now`` (UTC), or None where somebody can."""
    local = now.astimezone(document.zone).replace(tzinfo=None)
    if reward.opens_after(local):
        return RewardNotYetAvailable(
            f"'{reward.id}' can be redeemed from {reward.available_from:%Y-%m-%dT%H:%M} on, {document.time_zone} time."
        )
    if reward.closed_at(local):
        return RewardNoLongerAvailable(
            f"'{reward.id}' could be redeemed until {reward.available_until:%Y-%m-%dT%H:%M}, {document.time_zone} time."
        )
    return None


def elsewhere(reward: Reward, country: str | None) -> LoyaltyError | None:
    """Why it cannot be redeemed in a country, or None where it can."""
    if not reward.countries:
        return None
    where = ", ".join(reward.countries)
    if country is None:
        return CountryRequired(
            f"'{reward.id}' is for some countries only; say in which one it is redeemed: {where}.", pointer="/country"
        )
    if country not in reward.countries:
        return RewardNotInCountry(f"'{reward.id}' can be redeemed in {where}, and not there.", pointer="/country")
    return None


def withheld(
    document: ProgramDocument, scope: Scope, reward: Reward, book: Book, now: datetime
) -> Iterator[LoyaltyError]:
    """What speaks against this member: the tiers they are on, and since when they are a member."""
    stands_on = {book.standing(ladder, terms).tier for ladder, terms in scope.ladders.items()}
    if reward.tiers and stands_on.isdisjoint(reward.tiers):
        yield TierRequired(f"This reward is for members on one of these tiers: {', '.join(reward.tiers)}.")
    wait = document.limits.redeem_after_days
    if wait and book.opened_at is not None:
        days = (local_date(now, document.zone) - local_date(book.opened_at, document.zone)).days
        if days < wait:
            yield MemberTooNew(
                f"Members redeem from {wait} days after they enrolled; this one has {wait - days} more to wait."
            )
