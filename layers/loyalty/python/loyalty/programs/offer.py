"""What a program offers, as a member's app shows it: in the member's language, without what is the business's own."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Annotated, Self

from pydantic import Field

from loyalty.core.fields import MoneyBody, ResponseBody
from loyalty.ledger.ladders import STATUS, Period
from loyalty.ledger.model import POINTS
from loyalty.programs.brand import Brand, Direction, Language, direction, name_in
from loyalty.programs.campaigns import Campaign
from loyalty.programs.model import Program, ProgramDocument
from loyalty.programs.pricing import Denomination
from loyalty.programs.rules import EarnRule
from loyalty.programs.tiers import Metric, Qualification, Tier


class OfferedWallet(ResponseBody):
    """A wallet of every member."""

    wallet: str
    name: Annotated[str | None, Field(description="null of `points`, which every program has.")]
    currency: Annotated[str | None, Field(description="It holds minor units of it; null: it holds points.")]


class OfferedRate(ResponseBody):
    """`points` for every `per` of the currency."""

    points: int
    per: Annotated[str, Field(description="Decimal, in major units.", examples=["1.00"])]
    currency: str


class OfferedRule(ResponseBody):
    """What an activity earns in a wallet: by amount, a fixed number of points, by line, by piece, or times others."""

    rule: str
    name: str | None
    activity: str
    wallet: str
    campaign: Annotated[str | None, Field(description="While it runs; null: always.")]
    conditional: Annotated[bool, Field(description="It counts under conditions, or for some lines; see the preview.")]
    rates: list[OfferedRate]
    fixed_points: int | None
    points_per_line: int | None
    points_per_item: int | None
    multiplier: Annotated[str | None, Field(description="Of what other rules give; decimal.", examples=["2"])]
    return_days: Annotated[int, Field(description="Days that the points stay pending.")]


class OfferedCampaign(ResponseBody):
    """A time in which some rules count, by the program's own clocks."""

    campaign: str
    name: str
    starts_at: Annotated[str, Field(description="Without an offset.", examples=["2026-11-27T00:00:00"])]
    ends_at: Annotated[str, Field(description="The first moment at which it is over.")]


class OfferedPerk(ResponseBody):
    """What members of a tier have."""

    perk: str
    name: str


class OfferedTier(ResponseBody):
    """A tier."""

    tier: str
    name: str
    threshold: Annotated[int, Field(description="What of the ladder's metric reaches it.")]
    multiplier: Annotated[str, Field(description="Of what is earned in points; decimal.", examples=["1.25"])]
    perks: list[OfferedPerk]


class OfferedLadder(ResponseBody):
    """Tiers, and what counts towards them."""

    ladder: str
    name: str
    metric: Annotated[Metric, Field(description="`points` earned, money spent in `currency`, or how many activities.")]
    currency: str | None
    period: Period
    months: Annotated[int | None, Field(description="Of rolling months: how many, the present one with them.")]
    tiers: list[OfferedTier]


class OfferedDenomination(ResponseBody):
    """Amounts that a member may choose: from `least` by `step` to `most`. One costs `points` for every `per`, rounded up."""

    currency: str
    least: Annotated[str, Field(description="Decimal, in major units; so are the others.", examples=["10.00"])]
    most: str
    step: str
    points: int
    per: str

    @classmethod
    def of(cls, one: Denomination) -> Self:
        """The view of a denomination."""
        return cls(
            currency=one.currency,
            least=str(one.least),
            most=str(one.most),
            step=str(one.step),
            points=one.points,
            per=str(one.per),
        )


class OfferedReward(ResponseBody):
    """What points buy; the catalogue says more of it."""

    reward_id: str
    name: str
    type: str
    points: Annotated[int | None, Field(description="Price of one; null: by the amount that the member chooses.")]
    wallet: Annotated[str, Field(description="The one of `wallets` whose points it costs.")]
    cash: Annotated[MoneyBody | None, Field(description="Paid to the partner beside the points.")]
    denominations: Annotated[list[OfferedDenomination], Field(description="Of which the member chooses an amount.")]
    tiers: Annotated[list[str], Field(description="Only for members of one of these; empty: for all.")]


class OfferView(ResponseBody):
    """What the program offers now. Names are in `language`, or in the program's default language where there is none."""

    program: str
    version: int
    name: str
    language: Annotated[str, Field(description="The best of `languages` for the request's Accept-Language.")]
    dir: Annotated[Direction, Field(description="Direction in which that language is written.")]
    languages: Annotated[list[str], Field(description="Of the program, the default one first.")]
    time_zone: str
    brand: Brand | None
    wallets: list[OfferedWallet]
    earn_rules: list[OfferedRule]
    campaigns: Annotated[list[OfferedCampaign], Field(description="Also those that are over, or yet to come.")]
    tiers: Annotated[list[OfferedTier], Field(description="Those of the main ladder, which multiply points.")]
    ladders: Annotated[list[OfferedLadder], Field(description="All of them, the main one first.")]
    rewards: list[OfferedReward]

    @classmethod
    def of(cls, program: Program, language: Language) -> Self:
        """The view of a version in one of its languages."""
        document = program.document
        return cls(
            program=document.id,
            version=program.version,
            name=name_in(document, language),
            language=language,
            dir=direction(language),
            languages=list(document.locales),
            time_zone=document.time_zone,
            brand=document.brand,
            wallets=list(_wallets(document, language)),
            earn_rules=[_rule(rule, language) for rule in document.earn_rules],
            campaigns=[_campaign(campaign, language) for campaign in document.campaigns],
            tiers=_tiers(document.tiers, language),
            ladders=list(_ladders(document, language)),
            rewards=[
                OfferedReward(
                    reward_id=reward.id,
                    name=name_in(reward, language),
                    type=reward.type,
                    points=reward.points,
                    wallet=reward.wallet,
                    cash=None if reward.cash is None else MoneyBody.of(reward.cash.money),
                    denominations=[OfferedDenomination.of(one) for one in reward.denominations],
                    tiers=list(reward.tiers),
                )
                for reward in document.rewards
            ],
        )

    @property
    def etag(self) -> str:
        """Strong: of these very bytes, so that it changes with a release that shows more, too."""
        return f'"{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]}"'


def negotiated(accept_language: str | None, locales: tuple[Language, ...]) -> Language:
    """The program's language that a reader likes best (RFC 4647, lookup); its default one where they like none.

    ``id-ID;q=0.8, it`` gives ``it`` where the program speaks both. What is no language range is passed over.
    """
    spoken: dict[str, Language] = {language: language for language in locales}
    for wanted in _ranges(accept_language or ""):
        if wanted == "*":
            return locales[0]
        if found := spoken.get(wanted.split("-")[0]):
            return found
    return locales[0]


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the reader has this representation already (RFC 9110, weak comparison)."""
    held = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return etag in held or "*" in held


def _ranges(header: str) -> Iterator[str]:
    """The language ranges of an Accept-Language header, the most wanted first; those of weight 0 not at all."""
    weighted: list[tuple[float, str]] = []
    for part in header.lower().split(","):
        name, _, weight = part.replace(" ", "").partition(";q=")
        try:
            weighted.append((float(weight or 1), name))
        except ValueError:
            continue
    # Stable: of equal weight, the one that was named first.
    yield from (name for weight, name in sorted(weighted, key=lambda one: -one[0]) if weight > 0)


def _wallets(document: ProgramDocument, language: Language) -> Iterator[OfferedWallet]:
    yield OfferedWallet(wallet=POINTS, name=None, currency=None)
    for wallet in document.wallets:
        yield OfferedWallet(wallet=wallet.id, name=name_in(wallet, language), currency=wallet.currency)


def _rule(rule: EarnRule, language: Language) -> OfferedRule:
    return OfferedRule(
        rule=rule.id,
        name=name_in(rule, language) or None,
        activity=rule.activity,
        wallet=rule.wallet,
        campaign=rule.campaign,
        conditional=bool(rule.when or rule.lines),
        rates=[OfferedRate(points=one.points, per=str(one.per), currency=one.currency) for one in rule.rates],
        fixed_points=rule.fixed_points,
        points_per_line=rule.points_per_line,
        points_per_item=rule.points_per_item,
        multiplier=None if rule.multiplier is None else str(rule.multiplier),
        return_days=rule.return_days,
    )


def _campaign(campaign: Campaign, language: Language) -> OfferedCampaign:
    return OfferedCampaign(
        campaign=campaign.id,
        name=name_in(campaign, language),
        starts_at=campaign.starts_at.isoformat(),
        ends_at=campaign.ends_at.isoformat(),
    )


def _tiers(tiers: Sequence[Tier], language: Language) -> list[OfferedTier]:
    return [
        OfferedTier(
            tier=tier.id,
            name=name_in(tier, language),
            threshold=tier.threshold,
            multiplier=str(tier.multiplier),
            perks=[OfferedPerk(perk=perk.id, name=name_in(perk, language)) for perk in tier.perks],
        )
        for tier in tiers
    ]


def _ladders(document: ProgramDocument, language: Language) -> Iterator[OfferedLadder]:
    yield _ladder(STATUS, name_in(document, language), document.qualification, document.tiers, language)
    for ladder in document.ladders:
        yield _ladder(ladder.id, name_in(ladder, language), ladder.qualification, ladder.tiers, language)


def _ladder(
    ladder_id: str, name: str, qualification: Qualification, tiers: Sequence[Tier], language: Language
) -> OfferedLadder:
    return OfferedLadder(
        ladder=ladder_id,
        name=name,
        metric=qualification.metric,
        currency=qualification.currency,
        period=qualification.period,
        months=qualification.months,
        tiers=_tiers(tiers, language),
    )
