"""The catalogue: what points buy."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from loyalty.core.money import Money
from loyalty.ledger.model import POINTS
from loyalty.programs.amounts import Amount
from loyalty.programs.brand import Translations
from loyalty.programs.countries import CountryCode
from loyalty.programs.fields import DocumentPart, LocalDatetime, Name, PositivePoints, Slug, WrongPart, twice
from loyalty.programs.giving import (
    BY_THE_PLATFORM,
    MONEY,
    CardSource,
    Charity,
    Codes,
    GiftCard,
    Party,
    RewardType,
)
from loyalty.programs.pricing import Denomination, PerMember
from loyalty.programs.showing import Pictures, Prose, languages

__all__ = [
    "CardSource",
    "Charity",
    "Codes",
    "GiftCard",
    "Party",
    "Reward",
    "RewardType",
    "require_rewards",
    "require_wallets_of_points",
]


class Reward(DocumentPart):
    """An item of the catalogue. One costs ``points``, or by ``denominations`` what the chosen amount does.

    What it costs is taken from ``wallet``: the main one, or a further one that holds points and no money. ``cash`` is paid to
    the partner beside the points. ``value`` is what cashback or a donation is worth. It may be redeemed by members on one of
    ``tiers``, on any ladder, in one of ``countries``, from ``available_from`` to just before ``available_until`` by the
    program's clocks; where one of these is left out, it bounds nothing. ``return_days``: until how many days after the capture
    the partner may cancel it; left out, for ever.
    """

    id: Slug
    name: Name
    translations: Translations | None = None
    type: RewardType
    points: PositivePoints | None = None
    wallet: Slug = POINTS
    cash: Amount | None = None
    denominations: Annotated[tuple[Denomination, ...], Field(max_length=20)] = ()
    value: Amount | None = None
    description: Prose | None = None
    terms: Prose | None = None
    images: Pictures | None = None
    gift_card: GiftCard | None = None
    charity: Charity | None = None
    codes: Codes | None = None
    limited: bool = False
    """There are only so many: :mod:`loyalty.stock` counts them."""
    countries: Annotated[tuple[CountryCode, ...], Field(max_length=250)] = ()
    tiers: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    available_from: LocalDatetime | None = None
    available_until: LocalDatetime | None = None
    per_member: Annotated[tuple[PerMember, ...], Field(max_length=5)] = ()
    return_days: Annotated[int, Field(strict=True, ge=0, le=3650)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for field, wrong in (*_parts_of_its_type(self), *_price(self), *_availability(self)):
            raise WrongPart(f"reward '{self.id}': {wrong}", field)
        return self

    @property
    def party(self) -> Party:
        """Who captures or releases what was held for it."""
        by_platform = self.type in BY_THE_PLATFORM or self.codes is not None
        return Party.FULFILLMENT if by_platform else Party.PARTNER

    @property
    def worth(self) -> Money | None:
        """What one is worth, where the program says so and the member does not choose."""
        if self.gift_card is not None:
            return self.gift_card.value
        return None if self.value is None else self.value.money

    def denomination(self, currency: str) -> Denomination | None:
        """The amounts of a currency that may be chosen, or None."""
        return next((one for one in self.denominations if one.currency == currency), None)

    def opens_after(self, local: datetime) -> bool:
        """Whether it cannot be redeemed yet at a moment, given without an offset, by the program's own clocks."""
        return self.available_from is not None and local < self.available_from

    def closed_at(self, local: datetime) -> bool:
        """Whether it can no longer be redeemed at such a moment."""
        return self.available_until is not None and local >= self.available_until


_Wrong = tuple[str, str]
"""The field, and what is wrong with it."""


def require_rewards(rewards: Sequence[Reward], locales: Sequence[str], tiers: frozenset[str]) -> None:
    """Checks the rewards of a document against its languages and tiers.

    Raises:
        WrongPart: which one names what there is not, and where.
    """
    for place, reward in enumerate(rewards):
        if unknown := [tier for tier in reward.tiers if tier not in tiers]:
            raise WrongPart(f"reward '{reward.id}' is for the tier '{unknown[0]}', which no ladder has", place, "tiers")
        for field, found in _languages(reward):
            _require_language(reward, field, found, locales, place)


def require_wallets_of_points(rewards: Sequence[Reward], currencies: Mapping[str, str | None]) -> None:
    """Checks that rewards are paid from wallets of points; ``currencies`` are those of all wallets, None of points.

    Raises:
        WrongPart: which one is paid from a wallet that there is not, or that holds money, and where.
    """
    for place, reward in enumerate(rewards):
        if reward.wallet not in currencies:
            raise WrongPart(
                f"reward '{reward.id}': there is no wallet '{reward.wallet}' in this program, only "
                f"{', '.join(currencies)}; name one of these, or add it to wallets",
                place,
                "wallet",
            )
        if (currency := currencies[reward.wallet]) is not None:
            raise WrongPart(
                f"reward '{reward.id}' costs points, and the wallet '{reward.wallet}' holds {currency}; name "
                f"'{POINTS}', or a wallet without a currency",
                place,
                "wallet",
            )


def _require_language(reward: Reward, field: str, language: str, locales: Sequence[str], place: int) -> None:
    if field != "images" and language == locales[0]:
        raise WrongPart(
            f"reward '{reward.id}': '{language}' is the program's default language, in which its {field} is written "
            "already; leave that translation out",
            place,
            field,
        )
    if language not in locales:
        raise WrongPart(
            f"reward '{reward.id}': '{language}' is not among the program's locales, {', '.join(locales)}; add it to "
            "locales, or leave that out",
            place,
            field,
        )


def _languages(reward: Reward) -> Iterator[tuple[str, str]]:
    for field, prose in (("description", reward.description), ("terms", reward.terms)):
        for language in languages(prose.translations if prose else None):
            yield field, language
    for language in languages(reward.images):
        yield "images", language


def _parts_of_its_type(reward: Reward) -> Iterator[_Wrong]:
    kind = reward.type
    if (kind is RewardType.GIFT_CARD) != (reward.gift_card is not None):
        yield "gift_card", "gift_card is given for rewards of that type, and only there"
    if (kind is RewardType.DONATION) != (reward.charity is not None):
        yield "charity", "charity is given for rewards of type donation, and only there"
    if reward.codes is not None and kind is not RewardType.DISCOUNT:
        yield "codes", "codes are for rewards of type discount; leave them out"
    if reward.return_days is not None and reward.party is not Party.PARTNER:
        yield "return_days", "what the platform gives cannot be cancelled once it is delivered; leave return_days out"


def _price(reward: Reward) -> Iterator[_Wrong]:
    chosen = bool(reward.denominations)
    if (reward.points is None) != chosen:
        yield "points", "give either points, or denominations of which members choose an amount"
    if chosen and reward.type not in BY_THE_PLATFORM:
        yield "denominations", "they are for rewards of type gift_card, cashback and donation; give it points instead"
    if same := twice([one.currency for one in reward.denominations]):
        yield "denominations", f"{same} is named twice; keep one of each currency"
    if reward.gift_card is not None and (reward.gift_card.denomination is None) != chosen:
        yield "gift_card", "the gift card has either a denomination, or members choose one of denominations"
    if (reward.value is not None) != (reward.type in MONEY and not chosen):
        yield "value", "value is given for cashback and donations at fixed points, and only there"
    elif reward.value is not None and not reward.value.value:
        yield "value", "give an amount above zero"
    if reward.cash is not None and (reward.party is not Party.PARTNER or not reward.cash.value):
        yield "cash", "cash is above zero, and paid for what the partner gives; leave it out"


def _availability(reward: Reward) -> Iterator[_Wrong]:
    begins, ends = reward.available_from, reward.available_until
    if begins is not None and ends is not None and ends <= begins:
        yield "available_until", f"it ends ({ends:%Y-%m-%dT%H:%M}) before it has begun"
    if same := twice(list(reward.countries)):
        yield "countries", f"{same} is named twice"
    if same := twice([one.per for one in reward.per_member]):
        yield "per_member", f"there are two limits per {same}; keep the lower one"
