"""What a simulation found: numbers under the version in force (``now``) and under the other one (``draft``)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from loyalty.simulating.model import Both, Period

Costs = Mapping[str, "BothCosts"]
"""By currency."""


@dataclass(frozen=True, slots=True)
class BothCosts:
    """Money under both versions, in major units, rounded to minor ones."""

    now: Decimal
    draft: Decimal

    @property
    def difference(self) -> Decimal:
        """By how much the draft costs more."""
        return self.draft - self.now


@dataclass(frozen=True, slots=True)
class Points:
    """Points of a wallet (minor units where it has a currency), less what was taken back of them; ``posted`` in fact."""

    posted: int
    both: Both


@dataclass(frozen=True, slots=True)
class TierRow:
    """What the members did who were on a tier, under the draft, when they did it; None: all of them."""

    tier: str | None
    activities: int
    members: int
    points: Mapping[str, Points]
    """By wallet."""
    costs: Costs


@dataclass(frozen=True, slots=True)
class LadderRow:
    """How many members stand on each tier of a ladder at the end, and how many stand higher, or lower, than under now."""

    ladder: str
    tiers: Mapping[str, Both]
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What a rule gave, before anything was taken back."""

    wallet: str
    rule: str
    both: Both


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """What of a campaign's budget is used at the end; None: the version has no such budget."""

    campaign: str
    budget_now: int | None
    budget_draft: int | None
    used: Both


@dataclass(frozen=True, slots=True)
class Report:
    """The whole of it."""

    program: str
    now: int
    """The number of the version that is in force."""
    draft: str
    """What is compared with it, in words."""
    period: Period
    members: int
    activities: int
    tiers: tuple[TierRow, ...]
    total: TierRow
    ladders: tuple[LadderRow, ...]
    rules: tuple[RuleRow, ...]
    budgets: tuple[BudgetRow, ...]
    liability: Mapping[str, Both]
    liability_costs: Costs
    costs_known: bool
    partly_known: int
    """Activities of which the entry does not have everything that rules of one of the versions ask for."""
    unreadable: int
    refused: Mapping[str, Both] = field(default_factory=dict)
    """Activities that a version refuses, by the error's code."""

    @property
    def complete(self) -> bool:
        """Whether everything that happened was replayed with all that was known of it then."""
        return not self.unreadable and not self.partly_known
