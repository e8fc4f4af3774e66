"""The program document.

Published versions are immutable; every ledger entry names the version that decided it.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from loyalty.core.fields import ProgramId
from loyalty.core.money import MINOR_UNITS
from loyalty.ledger.model import Scope

MAX_LOTS: Final = 36
"""Lots that a wallet may hold at once: with month buckets three years, which keeps a wallet under one kilobyte."""
MAX_POINTS: Final = 1_000_000_000
"""Points in one posting, and in one reward's price."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is not an IANA time zone") from error
    return name


def _known_currency(code: str) -> str:
    if code not in MINOR_UNITS:
        raise ValueError(f"'{code}' is not an ISO 4217 currency")
    return code


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
ShopDomain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com$")]
CurrencyCode = Annotated[str, AfterValidator(_known_currency)]
PositivePoints = Annotated[int, Field(strict=True, gt=0, le=MAX_POINTS)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rounding(StrEnum):
    """Applied once per posting, to the exact product of amount, rate and multiplier."""

    DOWN = "down"
    HALF_UP = "half_up"
    UP = "up"


class Rate(_Document):
    """``points`` for every ``per`` major units of ``currency``: 1 point per 10.00 USD."""

    points: PositivePoints
    per: Annotated[Decimal, Field(gt=0, max_digits=18)]
    currency: CurrencyCode


class EarnRule(_Document):
    """What one activity earns: by amount (``rates``, one per currency) or a fixed number of points."""

    id: Slug
    activity: Slug
    rates: Annotated[tuple[Rate, ...], Field(max_length=50)] = ()
    fixed_points: PositivePoints | None = None

    @model_validator(mode="after")
    def _one_way_to_earn(self) -> Self:
        if bool(self.rates) == (self.fixed_points is not None):
            raise ValueError(f"earn rule '{self.id}' needs either rates or fixed_points, and not both")
        currencies = [rate.currency for rate in self.rates]
        if len(set(currencies)) != len(currencies):
            raise ValueError(f"earn rule '{self.id}' has two rates for one currency")
        return self

    def rate(self, currency: str) -> Rate | None:
        """The rate for a currency, or None where this rule has none."""
        return next((rate for rate in self.rates if rate.currency == currency), None)


class Tier(_Document):
    """A level, reached by points earned in the calendar year in the program's time zone; never by the balance."""

    id: Slug
    name: Name
    threshold: Annotated[int, Field(strict=True, ge=0, le=MAX_POINTS)]
    multiplier: Annotated[Decimal, Field(ge=1, le=100, max_digits=6)] = Decimal(1)


class Expiry(_Document):
    """``rolling``: points live ``months`` months and expire with the end of that month; ``never``: they do not."""

    policy: Literal["rolling", "never"]
    months: Annotated[int, Field(strict=True, ge=1, le=MAX_LOTS - 1)] | None = None

    @model_validator(mode="after")
    def _months_where_rolling(self) -> Self:
        if (self.policy == "rolling") != (self.months is not None):
            raise ValueError("a rolling expiry names its months; 'never' has none")
        return self


class RewardType(StrEnum):
    """Decides who captures the hold."""

    GIFT_CARD = "gift_card"
    """Ordered from the supplier by the platform as soon as the points are held."""
    DISCOUNT = "discount"
    """Applied by the partner at checkout, who then captures the hold."""
    PERK = "perk"
    """Given by the partner, who then captures the hold."""


class GiftCard(_Document):
    """What the supplier is asked for: ``denomination`` in major units of ``currency``."""

    product: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    denomination: Annotated[Decimal, Field(gt=0, max_digits=12)]
    currency: CurrencyCode


class Reward(_Document):
    """An item of the catalogue, priced in points."""

    id: Slug
    name: Name
    type: RewardType
    points: PositivePoints
    gift_card: GiftCard | None = None

    @model_validator(mode="after")
    def _gift_card_where_gift_card(self) -> Self:
        if (self.type is RewardType.GIFT_CARD) != (self.gift_card is not None):
            raise ValueError(f"reward '{self.id}': gift_card is given for rewards of that type, and only there")
        return self


class Limits(_Document):
    """Bounds that a business may tighten."""

    redemption_quantity: Annotated[int, Field(strict=True, ge=1, le=100)] = 10


class ProgramDocument(_Document):
    """Everything that a business decides. ``time_zone`` gives its days, months and years."""

    id: ProgramId
    name: Name
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    earn_rules: Annotated[tuple[EarnRule, ...], Field(min_length=1, max_length=100)]
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=20)]
    expiry: Expiry
    rounding: Rounding = Rounding.DOWN
    rewards: Annotated[tuple[Reward, ...], Field(max_length=200)] = ()
    limits: Limits = Limits()
    shopify_shops: Annotated[tuple[ShopDomain, ...], Field(max_length=50)] = ()
    """Shop domains (``example.myshopify.com``) whose events belong to this program."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, ids in (
            ("earn rule", [rule.id for rule in self.earn_rules]),
            ("tier", [tier.id for tier in self.tiers]),
            ("reward", [reward.id for reward in self.rewards]),
            ("shop", list(self.shopify_shops)),
        ):
            if len(set(ids)) != len(ids):
                raise ValueError(f"two {what}s are the same")
        activities = [rule.activity for rule in self.earn_rules]
        if len(set(activities)) != len(activities):
            raise ValueError("two earn rules share an activity")
        thresholds = [tier.threshold for tier in self.tiers]
        if thresholds[0] != 0 or thresholds != sorted(set(thresholds)):
            raise ValueError("tiers start at threshold 0 and rise strictly")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The program's time zone."""
        return ZoneInfo(self.time_zone)

    def earn_rule(self, activity: str) -> EarnRule | None:
        """The rule for an activity, or None."""
        return next((rule for rule in self.earn_rules if rule.activity == activity), None)

    def tier(self, tier_id: str) -> Tier:
        """The tier of that id; the entry tier where a later version dropped it."""
        return next((tier for tier in self.tiers if tier.id == tier_id), self.tiers[0])

    def tier_for(self, qualifying_points: int) -> Tier:
        """The highest tier whose threshold these qualifying points reach."""
        return [tier for tier in self.tiers if tier.threshold <= max(qualifying_points, 0)][-1]

    def reward(self, reward_id: str) -> Reward | None:
        """The reward of that id, or None."""
        return next((reward for reward in self.rewards if reward.id == reward_id), None)


class Program(_Document):
    """A published version: the document and its number, from 1."""

    version: int
    document: ProgramDocument

    @property
    def scope(self) -> Scope:
        """What the ledger needs to know of the program."""
        return Scope(self.document.id, self.version, self.document.zone)
