"""Ladders of tiers: what counts, in which periods, and what becomes of a tier that is not earned again."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from loyalty.core.money import MINOR_UNITS
from loyalty.ledger.ladders import STATUS, DowngradeBy, LadderTerms, Period
from loyalty.ledger.model import POINTS
from loyalty.programs.brand import Translations
from loyalty.programs.fields import CurrencyCode, DocumentPart, Name, PointsOrZero, Slug, WrongPart, twice
from loyalty.programs.rules import EarnRule

MAX_LADDERS: Final = 4
"""Beside the main one."""


class Metric(StrEnum):
    """What counts towards a tier; never the balance, and nothing that was given by hand or by another member."""

    POINTS = "points"
    """Points earned."""
    SPEND = "spend"
    """Money spent: of the amounts of what a rule rewards what exclusions leave, whatever caps left of the points."""
    ACTIVITIES = "activities"
    """How often something was done that a rule rewards, whether or not a cap left any points."""


class ValidThrough(StrEnum):
    """Until the end of which period a tier is kept: of the one after that in which it was reached, or of that one."""

    NEXT_PERIOD = "next_period"
    THIS_PERIOD = "this_period"


class AfterReversal(StrEnum):
    """What becomes of a tier when a reversal takes away what earned it."""

    KEEP_UNTIL_REVIEW = "keep_until_review"
    AT_ONCE = "at_once"


class Perk(DocumentPart):
    """Something that members of a tier have; the platform only tells of it."""

    id: Slug
    name: Name
    translations: Translations | None = None


class Tier(DocumentPart):
    """A level of a ladder, reached by what the ladder counts; never by the balance.

    ``threshold`` is in the unit of what counts: points, whole major units of the currency, activities. ``multiplier``
    applies to whatever is earned in points, not to wallets with a currency; only the main ladder has multipliers.
    """

    id: Slug
    name: Name
    translations: Translations | None = None
    threshold: PointsOrZero
    multiplier: Annotated[Decimal, Field(ge=1, le=100, max_digits=6)] = Decimal(1)
    perks: Annotated[tuple[Perk, ...], Field(max_length=50)] = ()


class Qualification(DocumentPart):
    """What counts towards the tiers of a ladder, and over which time.

    ``points``: those earned in ``wallet``, on the day on which they are posted. ``spend``: amounts, in ``currency``.
    ``activities``: how often one of ``activities`` was done; with the other metrics these are the only ones that
    count, where they are named. ``rolling_months`` is the present calendar month and the ``months`` - 1 before it.
    """

    metric: Metric = Metric.POINTS
    wallet: Slug | None = None
    activities: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    currency: CurrencyCode | None = None
    period: Period = Period.CALENDAR_YEAR
    months: Annotated[int, Field(strict=True, ge=1, le=24)] | None = None

    @model_validator(mode="after")
    def _fields_of_the_metric_and_the_period(self) -> Self:
        if self.wallet is not None and self.metric is not Metric.POINTS:
            raise ValueError(f"the metric '{self.metric}' is of no wallet; leave wallet out")
        if (self.currency is not None) != (self.metric is Metric.SPEND):
            raise ValueError("currency is given for the metric 'spend', whose thresholds are in it, and only there")
        if self.metric is Metric.ACTIVITIES and not self.activities:
            raise ValueError("the metric 'activities' needs activities: name those that count")
        if activity := twice(list(self.activities)):
            raise ValueError(f"activities names '{activity}' twice")
        if (self.months is not None) != (self.period is Period.ROLLING_MONTHS):
            raise ValueError("months is given for the period 'rolling_months', and only there")
        return self

    @property
    def unit(self) -> int:
        """How much of the tally makes one of a threshold: minor units of the currency; else one."""
        return int(10 ** MINOR_UNITS[self.currency]) if self.currency else 1

    def metric_key(self, ladder: str) -> str:
        """The name under which it is tallied. Ladders that count the same share it."""
        name: str = self.metric
        if self.wallet not in {None, POINTS}:
            name = f"{name}.{self.wallet}"
        if self.currency:
            name = f"{name}.{self.currency}"
        if len(self.activities) == 1:
            name = (
                f"{name}.{self.activities[0]}" if self.metric is Metric.ACTIVITIES else f"{name}:{self.activities[0]}"
            )
        # By the ladder, since a book has one key for each month.
        return f"{name}+{ladder}" if len(self.activities) > 1 else name


class Downgrade(DocumentPart):
    """What becomes of a tier that is not earned again in time.

    A tier is kept through the period that ``valid_through`` names and ``grace_days`` more, then reviewed; ``by`` says what
    a review makes of a tier that is not earned any more. ``warn_days``: how many days before the last day the member is
    warned. ``after_reversal``: whether a reversal lowers a tier that the rest does not earn, or the review does.
    """

    by: DowngradeBy = DowngradeBy.NEVER
    valid_through: ValidThrough = ValidThrough.NEXT_PERIOD
    grace_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 0
    warn_days: Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=365)], ...], Field(max_length=3)] = ()
    after_reversal: AfterReversal = AfterReversal.KEEP_UNTIL_REVIEW

    @model_validator(mode="after")
    def _nothing_that_never_happens(self) -> Self:
        if self.by is DowngradeBy.NEVER and (self.grace_days or self.warn_days):
            raise ValueError("with by 'never' no tier ends: leave grace_days and warn_days out, or say how tiers end")
        if len(set(self.warn_days)) != len(self.warn_days):
            raise ValueError("warn_days names a number of days twice")
        return self


class Ladder(DocumentPart):
    """A ladder of its own beside the main one: its tiers multiply nothing, but rewards may ask for them."""

    id: Slug
    name: Name
    translations: Translations | None = None
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=20)]
    qualification: Qualification = Qualification()
    downgrade: Downgrade = Downgrade()

    @model_validator(mode="after")
    def _is_a_ladder(self) -> Self:
        require_rising(self.tiers, "tiers")
        if same := twice([tier.id for tier in self.tiers]):
            raise ValueError(f"two tiers have the id '{same}'")
        if tier := next((tier for tier in self.tiers if tier.multiplier != 1), None):
            raise ValueError(f"tier '{tier.id}' has a multiplier, which only tiers of the main ladder have")
        if self.id == STATUS:
            raise ValueError(f"the main ladder has the id '{STATUS}'; give this one another")
        require_ending(self.qualification, self.downgrade)
        return self


class CurrencyRate(DocumentPart):
    """What one major unit of a currency is worth in the program's base currency."""

    currency: CurrencyCode
    rate: Annotated[Decimal, Field(gt=0, max_digits=18)]


def require_rising(tiers: Sequence[Tier], *above: str) -> None:
    """Raises WrongPart: the thresholds do not rise from zero. ``above`` leads to the tiers."""
    first = tiers[0]
    if first.threshold:
        raise WrongPart(
            f"the first tier, '{first.id}', has the threshold {first.threshold}, and everybody begins at 0; put a tier "
            "of that threshold first",
            *above,
            0,
            "threshold",
        )
    for place, (lower, higher) in enumerate(pairwise(tiers), start=1):
        if higher.threshold <= lower.threshold:
            raise WrongPart(
                f"tier '{higher.id}' has the threshold {higher.threshold}, and '{lower.id}' before it "
                f"{lower.threshold}; list tiers by thresholds that rise",
                *above,
                place,
                "threshold",
            )


def require_ending(qualification: Qualification, downgrade: Downgrade) -> None:
    """Raises ValueError: tiers that are counted so cannot end so."""
    if qualification.period is Period.LIFETIME and downgrade.by is not DowngradeBy.NEVER:
        raise ValueError("what counts for a lifetime never lowers a tier: downgrade has by 'never'")
    moving = qualification.period in {Period.LIFETIME, Period.ROLLING_MONTHS}
    if moving and downgrade.valid_through is not ValidThrough.NEXT_PERIOD:
        raise ValueError(f"the period '{qualification.period}' does not end; leave valid_through out")


def terms_of(ladder: str, parts: "LadderParts") -> LadderTerms:
    """What the ledger needs to know of a ladder."""
    qualification, downgrade = parts.qualification, parts.downgrade
    return LadderTerms(
        tiers={tier.id: tier.threshold * qualification.unit for tier in parts.tiers},
        metric=qualification.metric_key(ladder),
        period=qualification.period,
        months=qualification.months or 12,
        downgrade=downgrade.by,
        this_period=downgrade.valid_through is ValidThrough.THIS_PERIOD,
        grace_days=downgrade.grace_days,
        warn_days=downgrade.warn_days,
        at_once=downgrade.after_reversal is AfterReversal.AT_ONCE,
    )


def require_base(currencies: Sequence[CurrencyRate]) -> None:
    """Raises ValueError: the first is not the base, or one is named twice."""
    if currencies and currencies[0].rate != 1:
        raise ValueError(f"the first currency is the base, with rate 1; {currencies[0].currency} has another")
    if same := twice([one.currency for one in currencies]):
        raise ValueError(f"'{same}' is named twice")


def exchange(currencies: Sequence[CurrencyRate], currency: str, into: str) -> Fraction | None:
    """What one major unit of a currency is worth in another; None where the program does not say."""
    if currency == into:
        return Fraction(1)
    rates = {one.currency: Fraction(one.rate) for one in currencies}
    return rates[currency] / rates[into] if currency in rates and into in rates else None


def minor_units_in(currencies: Sequence[CurrencyRate], amount: Fraction, currency: str, into: str) -> int:
    """An amount (major units) in whole minor units of another currency, rounded down; 0 where the program has no rate."""
    rate = exchange(currencies, currency, into) or Fraction(0)
    return floor(amount * rate * Fraction(10 ** MINOR_UNITS[into]))


def require_countable(
    ladder: str,
    qualification: Qualification,
    *,
    wallets: Sequence[str],
    rules: Sequence[EarnRule],
    currencies: Sequence[CurrencyRate],
) -> None:
    """Raises ValueError: a ladder counts what the program does not have, or money that it cannot convert."""
    wallet, into = qualification.wallet, qualification.currency
    if wallet is not None and wallet not in wallets:
        raise ValueError(f"ladder '{ladder}' counts points of the wallet '{wallet}'; there are {', '.join(wallets)}")
    known = {rule.activity for rule in rules}
    if unknown := [one for one in qualification.activities if one not in known]:
        raise ValueError(f"ladder '{ladder}' counts '{unknown[0]}', of which is no earn rule; add one, or leave it out")
    earned = {rate.currency: rule.id for rule in rules for rate in rule.rates}
    for currency, rule_id in earned.items():
        if into is not None and exchange(currencies, currency, into) is None:
            raise ValueError(
                f"ladder '{ladder}' counts {into}, and earn rule '{rule_id}' has a rate for {currency}; add both to "
                "currencies, so that one can be counted in the other"
            )


@dataclass(frozen=True, slots=True)
class LadderParts:
    """What a document says of a ladder, the main one or another."""

    name: str
    tiers: tuple[Tier, ...]
    qualification: Qualification
    downgrade: Downgrade

    def tier(self, tier_id: str) -> Tier:
        """The tier of that id; the first where this version does not have it."""
        return next((tier for tier in self.tiers if tier.id == tier_id), self.tiers[0])
