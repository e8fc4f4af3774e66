"""How a preview of an accrual looks from outside: what every rule would give, and why, in words."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Self

from pydantic import Field

from loyalty.accruals.views import UnitPointsView
from loyalty.core.fields import ResponseBody
from loyalty.ledger.model import POINTS
from loyalty.programs.earning import Judged, Outcome
from loyalty.programs.worth import RuleReason


class JudgedRuleView(ResponseBody):
    """What a rule of the activity would give."""

    rule: Annotated[str, Field(description="Its id in the program.")]
    name: str | None
    wallet: str
    counted: bool
    points: Annotated[int, Field(description="Of a wallet in a currency, minor units.")]
    reason: Annotated[RuleReason | None, Field(description="Why it gives nothing; where it counted, why not more.")]
    lost_to: Annotated[str | None, Field(description="The rule that counts instead.")]
    text: Annotated[str, Field(description="The same in words.")]

    @classmethod
    def of(cls, judged: Judged) -> Self:
        """The view of a rule."""
        return cls(
            rule=judged.rule.id,
            name=judged.rule.name,
            wallet=judged.rule.wallet,
            counted=judged.counted,
            points=judged.points,
            reason=judged.reason,
            lost_to=judged.lost_to,
            text=words(judged),
        )


class PreviewView(ResponseBody):
    """What an activity would earn now. Nothing was written, and nothing is promised."""

    points: Annotated[int, Field(description="Points it would earn, pending ones too.")]
    others: Annotated[tuple[UnitPointsView, ...], Field(description="What it would earn in other wallets.")]
    rules: Annotated[tuple[JudgedRuleView, ...], Field(description="Every rule of the activity, in their order.")]

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """The view of an outcome."""
        points = {one.wallet: one.points for one in outcome.earned}
        return cls(
            points=points.get(POINTS, 0),
            others=tuple(UnitPointsView(wallet=name, points=points[name]) for name in sorted(points.keys() - {POINTS})),
            rules=tuple(JudgedRuleView.of(judged) for judged in outcome.rules),
        )


def words(judged: Judged) -> str:
    """What became of a rule, and why, in one sentence."""
    name = f"'{judged.rule.name or judged.rule.id}'"
    if judged.reason is None:
        return f"{name} gives {judged.points}."
    why = _WHY[judged.reason](judged)
    return f"{name} gives {judged.points}: {why}." if judged.counted else f"{name} gives nothing: {why}."


_WHY: Final[Mapping[RuleReason, Callable[[Judged], str]]] = {
    RuleReason.OUTSIDE_CAMPAIGN: lambda it: f"the campaign '{it.rule.campaign}' does not run at that time",
    RuleReason.CONDITION_NOT_MET: lambda _: "its condition is not met",
    RuleReason.CONDITION_ERROR: lambda it: f"its condition cannot be evaluated ({it.error})",
    RuleReason.NO_LINE_MATCHED: lambda _: "there is no line that counts for it",
    RuleReason.CURRENCY_WITHOUT_RATE: lambda _: "it has no rate for the currency",
    RuleReason.NO_ELIGIBLE_AMOUNT: lambda _: "nothing of the amount may earn",
    RuleReason.NOTHING_TO_MULTIPLY: lambda _: "the rules that it multiplies give nothing that it is for",
    RuleReason.LOST_TO: lambda it: f"'{it.lost_to}' counts instead",
    RuleReason.CAPPED: lambda _: "a cap is reached",
    RuleReason.BUDGET_EXHAUSTED: lambda it: f"the budget of the campaign '{it.rule.campaign}' is exhausted",
}
