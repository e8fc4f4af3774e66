"""What a program offers, as a member's app shows it: in the member's language, without what is the business's own."""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field

from loyalty.core.fields import ResponseBody
from loyalty.ledger.model import POINTS
from loyalty.programs.brand import Brand, Direction, Language, direction, name_in
from loyalty.programs.model import Program, ProgramDocument
from loyalty.programs.rules import EarnRule


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
    """What an activity earns in a wallet: by amount, or a fixed number of points."""

    rule: str
    activity: str
    wallet: str
    rates: list[OfferedRate]
    fixed_points: int | None
    return_days: Annotated[int, Field(description="Days that the points stay pending.")]


class OfferedTier(ResponseBody):
    """A tier."""

    tier: str
    name: str
    threshold: Annotated[int, Field(description="Points earned in a calendar year that reach it.")]
    multiplier: Annotated[str, Field(description="Of what is earned in points; decimal.", examples=["1.25"])]


class OfferedReward(ResponseBody):
    """What points buy."""

    reward_id: str
    name: str
    type: str
    points: Annotated[int, Field(description="Price of one.")]


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
    tiers: list[OfferedTier]
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
            earn_rules=[_rule(rule) for rule in document.earn_rules],
            tiers=[
                OfferedTier(
                    tier=tier.id,
                    name=name_in(tier, language),
                    threshold=tier.threshold,
                    multiplier=str(tier.multiplier),
                )
                for tier in document.tiers
            ],
            rewards=[
                OfferedReward(
                    reward_id=reward.id, name=name_in(reward, language), type=reward.type, points=reward.points
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


def _rule(rule: EarnRule) -> OfferedRule:
    return OfferedRule(
        rule=rule.id,
        activity=rule.activity,
        wallet=rule.wallet,
        rates=[OfferedRate(points=one.points, per=str(one.per), currency=one.currency) for one in rule.rates],
        fixed_points=rule.fixed_points,
        return_days=rule.return_days,
    )
