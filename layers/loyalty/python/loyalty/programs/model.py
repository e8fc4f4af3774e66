"""The program document.

Published versions are immutable; every ledger entry names the version that decided it. A field that a document does
not have takes its default, so that what was published before there was such a field still loads.
"""

from enum import StrEnum
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from loyalty.core.fields import ProgramId
from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import POINTS, ReversalPolicy, Scope, Terms
from loyalty.programs.abuse import Abuse
from loyalty.programs.brand import Brand, Locales, Translations, no_language_twice, require_known_languages
from loyalty.programs.campaigns import Campaign
from loyalty.programs.coherence import require_coherent
from loyalty.programs.costs import PointCost
from loyalty.programs.expiry import MAX_LOTS, Expiry
from loyalty.programs.fields import (
    MAX_POINTS,
    CurrencyCode,
    DocumentPart,
    Name,
    PointsOrZero,
    PositivePoints,
    ShopDomain,
    Slug,
    TimeZone,
    WrongPart,
    repeated,
    twice,
)
from loyalty.programs.four_eyes import FourEyes
from loyalty.programs.fulfillment import Fulfillment
from loyalty.programs.privacy import Privacy
from loyalty.programs.referrals import Referrals, require_rewards_of_both, require_what_counts
from loyalty.programs.rewards import GiftCard, Reward, RewardType, require_rewards, require_wallets_of_points
from loyalty.programs.rules import MAX_RETURN_DAYS, EarnRule, Exclusion, Rate, Stacking
from loyalty.programs.segments import MAX_SEGMENTS, Segment
from loyalty.programs.tiers import (
    MAX_LADDERS,
    CurrencyRate,
    Downgrade,
    Ladder,
    LadderParts,
    Qualification,
    Tier,
    require_base,
    require_countable,
    require_ending,
    require_rising,
    terms_of,
)

__all__ = [
    "MAX_LOTS",
    "MAX_POINTS",
    "MAX_RETURN_DAYS",
    "Campaign",
    "CurrencyCode",
    "EarnRule",
    "Exclusion",
    "Expiry",
    "FourEyes",
    "Fulfillment",
    "GiftCard",
    "Households",
    "Limits",
    "Name",
    "PointCost",
    "PositivePoints",
    "Program",
    "ProgramDocument",
    "ProgramWallet",
    "Rate",
    "Reward",
    "RewardType",
    "Rounding",
    "Segment",
    "ShopDomain",
    "Slug",
    "Stacking",
    "Tier",
    "Transfers",
]


class Rounding(StrEnum):
    """Applied once per posting and wallet, to the exact product of amount, rate and multiplier."""

    DOWN = "down"
    HALF_UP = "half_up"
    UP = "up"


class ProgramWallet(DocumentPart):
    """A further wallet of every member, beside ``points``.

    Without ``currency`` it holds points; with one, whole minor units of it (cents).
    """

    id: Slug
    name: Name
    translations: Translations | None = None
    currency: CurrencyCode | None = None
    expiry: Expiry

    @field_validator("id")
    @classmethod
    def _not_the_main_one(cls, wallet_id: str) -> str:
        if wallet_id == POINTS:
            raise ValueError(f"every member has the wallet '{POINTS}' already; give this one another id")
        return wallet_id


class Limits(DocumentPart):
    """Bounds that a business may tighten.

    ``redemption_quantity``: of one reward in one redemption. ``hold_minutes``: how long points stay held for a partner
    who neither captures nor releases them. ``redemptions_per_day`` and ``points_per_day``: of one member, on a day of
    the program. ``redeem_after_days``: how many days after enrollment a member may first redeem. ``backdating_days``: how long before a member's enrollment something may
    have happened that still earns. ``adjustment_points``: above it, a second person approves an adjustment.
    """

    redemption_quantity: Annotated[int, Field(strict=True, ge=1, le=100)] = 10
    hold_minutes: Annotated[int, Field(strict=True, ge=1, le=43_200)] = 10_080
    redemptions_per_day: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    points_per_day: PositivePoints | None = None
    redeem_after_days: Annotated[int, Field(strict=True, ge=0, le=3650)] = 0
    backdating_days: Annotated[int, Field(strict=True, ge=0, le=36_500)] = 30
    adjustment_points: PointsOrZero = 10_000


class Transfers(DocumentPart):
    """Gifts from member to member: ``minimum_points`` to ``maximum_points`` each.

    ``daily_points`` is what one member may give away on one day of the program. ``wallets`` names those from which
    points may be given.
    """

    minimum_points: PositivePoints = 1
    maximum_points: PositivePoints
    daily_points: PositivePoints
    wallets: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=5)] = (POINTS,)

    @model_validator(mode="after")
    def _limits_that_leave_something(self) -> Self:
        if not self.minimum_points <= self.maximum_points <= self.daily_points:
            raise ValueError(
                f"minimum_points ({self.minimum_points}) must not be above maximum_points ({self.maximum_points}), "
                f"nor that above daily_points ({self.daily_points})"
            )
        if wallet := twice(list(self.wallets)):
            raise ValueError(f"wallets names '{wallet}' twice")
        return self


class Households(DocumentPart):
    """Members who pool points: at most ``members`` in a household.

    ``daily_points`` is what one of them may take out of the pool on one day of the program.
    """

    members: Annotated[int, Field(strict=True, ge=2, le=20)] = 6
    daily_points: PositivePoints


class ProgramDocument(DocumentPart):
    """Everything that a business decides. ``time_zone`` gives its days, months and years.

    ``segments`` are groups of members that conditions may ask for. ``stacking`` says which of the rules that match in a wallet count, ``exclusions`` what of a purchase earns nothing by
    amount, by line or by piece. ``expiry`` is that of the wallet ``points``. ``reversal`` says what a reversal does
    about points that are spent already. ``tiers`` with their ``qualification`` and ``downgrade`` are the main ladder,
    ``ladders`` further ones; ``currencies`` say what money is worth where tiers count it, the first being the base.
    ``adjustment_reasons`` are the codes of which each adjustment names one. Without ``transfers`` or ``households``
    these are not offered. ``fulfillment`` is of gift cards, ``four_eyes`` says what takes two people, ``abuse`` what looks
    like it, ``privacy`` what personal data is used for. Without ``referrals`` it is known who brought whom, and nobody is
    rewarded for it. ``locales``: the languages of the program; its names are in the first one, and
    ``translations`` beside a name say it in the others.
    """

    model_config = ConfigDict(defer_build=False)

    id: ProgramId
    name: Name
    time_zone: TimeZone
    locales: Locales = ("en",)
    translations: Translations | None = None
    brand: Brand | None = None
    wallets: Annotated[tuple[ProgramWallet, ...], Field(max_length=4)] = ()
    campaigns: Annotated[tuple[Campaign, ...], Field(max_length=50)] = ()
    segments: Annotated[tuple[Segment, ...], Field(max_length=MAX_SEGMENTS)] = ()
    stacking: Stacking = Stacking.SUM
    exclusions: Annotated[tuple[Exclusion, ...], Field(max_length=4)] = ()
    earn_rules: Annotated[tuple[EarnRule, ...], Field(min_length=1, max_length=100)]
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=20)]
    currencies: Annotated[tuple[CurrencyRate, ...], Field(max_length=50)] = ()
    qualification: Qualification = Qualification()
    downgrade: Downgrade = Downgrade()
    ladders: Annotated[tuple[Ladder, ...], Field(max_length=MAX_LADDERS)] = ()
    expiry: Expiry
    rounding: Rounding = Rounding.DOWN
    point_cost: PointCost | None = None
    reversal: ReversalPolicy = ReversalPolicy.ALLOW_NEGATIVE
    rewards: Annotated[tuple[Reward, ...], Field(max_length=200)] = ()
    limits: Limits = Limits()
    fulfillment: Fulfillment = Fulfillment()
    adjustment_reasons: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=50)] = (
        "goodwill",
        "correction",
        "complaint",
        "migration",
    )
    four_eyes: FourEyes = FourEyes()
    transfers: Transfers | None = None
    households: Households | None = None
    abuse: Abuse = Abuse()
    privacy: Privacy = Privacy()
    referrals: Referrals | None = None
    shopify_shops: Annotated[tuple[ShopDomain, ...], Field(max_length=50)] = ()
    """Shop domains (``example.myshopify.com``) whose events belong to this program."""

    @field_validator("wallets", "campaigns", "segments", "earn_rules", "tiers", "ladders", "rewards")
    @classmethod
    def _ids_are_unique(cls, parts: tuple["_Identified", ...], info: ValidationInfo) -> tuple["_Identified", ...]:
        ids = [part.id for part in parts]
        if (place := repeated(ids)) is not None:
            what = f"two {_WHAT[str(info.field_name)]}s have the id '{ids[place]}'"
            raise WrongPart(f"{what}; give one of them another", place, "id")
        return parts

    _no_language_twice = field_validator("locales")(no_language_twice)

    @field_validator("translations", "wallets", "campaigns", "earn_rules", "tiers", "ladders", "rewards")
    @classmethod
    def _translations_into_its_locales(cls, value: "_Translated", info: ValidationInfo) -> "_Translated":
        return require_known_languages(value, info.data.get("locales"))

    @field_validator("adjustment_reasons", "shopify_shops", "exclusions")
    @classmethod
    def _texts_are_unique(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        if same := twice(list(texts)):
            raise ValueError(f"'{same}' is named twice")
        return texts

    @field_validator("earn_rules")
    @classmethod
    def _rules_fit_together(cls, rules: tuple[EarnRule, ...], info: ValidationInfo) -> tuple[EarnRule, ...]:
        if "campaigns" in info.data:  # else they are wrong themselves, which is said there
            require_coherent(rules, info.data["campaigns"])
        return rules

    @field_validator("tiers")
    @classmethod
    def _thresholds_rise_from_zero(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        require_rising(tiers)
        return tiers

    @field_validator("currencies")
    @classmethod
    def _first_is_the_base(cls, currencies: tuple[CurrencyRate, ...]) -> tuple[CurrencyRate, ...]:
        require_base(currencies)
        return currencies

    @field_validator("qualification", "ladders")
    @classmethod
    def _tiers_count_what_there_is(cls, value: "_Counting", info: ValidationInfo) -> "_Counting":
        # Not in the data: what they count is wrong itself, which is said there.
        if not {"wallets", "earn_rules", "currencies"} <= info.data.keys():
            return value
        wallets = [POINTS, *(wallet.id for wallet in info.data["wallets"])]
        rules, currencies = info.data["earn_rules"], info.data["currencies"]
        found = {STATUS: value} if isinstance(value, Qualification) else {one.id: one.qualification for one in value}
        for ladder, qualification in found.items():
            require_countable(ladder, qualification, wallets=wallets, rules=rules, currencies=currencies)
        return value

    @field_validator("downgrade")
    @classmethod
    def _tiers_can_end_so(cls, downgrade: Downgrade, info: ValidationInfo) -> Downgrade:
        if "qualification" in info.data:
            require_ending(info.data["qualification"], downgrade)
        return downgrade

    @field_validator("rewards")
    @classmethod
    def _rewards_fit(cls, rewards: tuple[Reward, ...], info: ValidationInfo) -> tuple[Reward, ...]:
        if {"locales", "tiers", "ladders"} <= info.data.keys():
            tiers = [*info.data["tiers"], *(tier for ladder in info.data["ladders"] for tier in ladder.tiers)]
            require_rewards(rewards, info.data["locales"], frozenset(tier.id for tier in tiers))
        return rewards

    @field_validator("referrals")
    @classmethod
    def _referrals_earn(cls, referrals: Referrals | None, info: ValidationInfo) -> Referrals | None:
        if referrals is not None and "earn_rules" in info.data:
            require_rewards_of_both(info.data["earn_rules"])
            require_what_counts(referrals, info.data["earn_rules"])
        return referrals

    @field_validator("earn_rules", "transfers")
    @classmethod
    def _wallets_exist(cls, value: "_Naming", info: ValidationInfo) -> "_Naming":
        # Not in the data: the wallets are wrong themselves, which is said there.
        if value is None or "wallets" not in info.data:
            return value
        known = [POINTS, *(wallet.id for wallet in info.data["wallets"])]
        named = value.wallets if isinstance(value, Transfers) else [rule.wallet for rule in value]
        if unknown := [wallet for wallet in named if wallet not in known]:
            raise ValueError(
                f"there is no wallet '{unknown[0]}' in this program, only {', '.join(known)}; name one of these, "
                "or add it to wallets"
            )
        return value

    @field_validator("rewards")
    @classmethod
    def _rewards_cost_points(cls, rewards: tuple[Reward, ...], info: ValidationInfo) -> tuple[Reward, ...]:
        if "wallets" in info.data:
            require_wallets_of_points(rewards, {POINTS: None} | {one.id: one.currency for one in info.data["wallets"]})
        return rewards

    @property
    def zone(self) -> ZoneInfo:
        """The program's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def wallet_ids(self) -> tuple[str, ...]:
        """The wallets of a member, the main one first."""
        return POINTS, *(wallet.id for wallet in self.wallets)

    def wallet(self, wallet_id: str) -> ProgramWallet | None:
        """The further wallet of that id; None for the main one, and where there is none."""
        return next((wallet for wallet in self.wallets if wallet.id == wallet_id), None)

    def currency_of(self, wallet_id: str) -> str | None:
        """The currency of a wallet that holds money; None where it holds points."""
        wallet = self.wallet(wallet_id)
        return wallet.currency if wallet else None

    def expiry_of(self, wallet_id: str) -> Expiry:
        """When points of a wallet expire.

        Raises:
            LookupError: the program has no such wallet.
        """
        if wallet_id == POINTS:
            return self.expiry
        wallet = self.wallet(wallet_id)
        if wallet is None:
            raise LookupError(f"program '{self.id}' has no wallet '{wallet_id}'")
        return wallet.expiry

    def earn_rules_for(self, activity: str) -> tuple[EarnRule, ...]:
        """The rules for an activity, in the order of :attr:`wallet_ids`, those of one wallet in their own."""
        found = [rule for rule in self.earn_rules if rule.activity == activity]
        return tuple(sorted(found, key=lambda rule: self.wallet_ids.index(rule.wallet)))

    def campaign(self, campaign_id: str | None) -> Campaign | None:
        """The campaign of that id, or None."""
        if campaign_id is None:
            return None
        return next((campaign for campaign in self.campaigns if campaign.id == campaign_id), None)

    @property
    def all_ladders(self) -> dict[str, LadderParts]:
        """The ladders by their ids, the main one first."""
        main = LadderParts(self.name, self.tiers, self.qualification, self.downgrade)
        others = {one.id: LadderParts(one.name, one.tiers, one.qualification, one.downgrade) for one in self.ladders}
        return {STATUS: main, **others}

    def tier(self, tier_id: str) -> Tier:
        """The tier of that id; the entry tier where a later version dropped it."""
        return next((tier for tier in self.tiers if tier.id == tier_id), self.tiers[0])

    def tier_for(self, qualifying_points: int) -> Tier:
        """The highest tier whose threshold these qualifying points reach."""
        return [tier for tier in self.tiers if tier.threshold <= max(qualifying_points, 0)][-1]

    def reward(self, reward_id: str) -> Reward | None:
        """The reward of that id, or None."""
        return next((reward for reward in self.rewards if reward.id == reward_id), None)


_Identified = ProgramWallet | Campaign | Segment | EarnRule | Tier | Ladder | Reward
_Counting = Qualification | tuple[Ladder, ...]
_Naming = tuple[EarnRule, ...] | Transfers | None
_Translated = tuple[ProgramWallet | Campaign | EarnRule | Tier | Ladder | Reward, ...] | Translations | None
_WHAT: Final = {
    "wallets": "wallet",
    "campaigns": "campaign",
    "segments": "segment",
    "earn_rules": "earn rule",
    "tiers": "tier",
    "ladders": "ladder",
    "rewards": "reward",
}


class Program(DocumentPart):
    """A published version: the document and its number, from 1."""

    version: int
    document: ProgramDocument

    @property
    def scope(self) -> Scope:
        """What the ledger needs to know of the program."""
        document = self.document
        expiries = {wallet_id: document.expiry_of(wallet_id) for wallet_id in document.wallet_ids}
        terms = {wallet_id: Terms(expiry.grace_days, expiry.warn_days) for wallet_id, expiry in expiries.items()}
        ladders = {ladder: terms_of(ladder, parts) for ladder, parts in document.all_ladders.items()}
        further = {reward.id: reward.wallet for reward in document.rewards if reward.wallet != POINTS}
        return Scope(document.id, self.version, document.zone, terms, ladders, further)
