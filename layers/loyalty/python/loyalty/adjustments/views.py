"""How adjustments look from outside, and how they are asked for."""

from typing import Annotated, Self

from pydantic import Field

from loyalty.adjustments.model import Adjustment, Asked
from loyalty.core.clock import to_text
from loyalty.core.fields import Actor, RequestBody, ResponseBody, WholePoints
from loyalty.ledger.model import POINTS
from loyalty.programs.model import Slug


class AdjustmentBody(RequestBody):
    """Points to give or to take by hand."""

    points: Annotated[WholePoints, Field(description="Above zero to give, below zero to take.")]
    reason: Annotated[
        str | None, Field(max_length=64, description="Required: one of the program's `adjustment_reasons`.")
    ] = None
    actor: Actor
    wallet: Annotated[Slug, Field(description="Which of the member's wallets.")] = POINTS

    def asked(self) -> Asked:
        """What is asked for."""
        return Asked(self.points, self.reason, self.actor, self.wallet)


class DecisionBody(RequestBody):
    """Who decides on a proposed adjustment: somebody else than whoever proposed it, through another client."""

    actor: Actor


class AdjustmentView(ResponseBody):
    """An adjustment. ``proposed`` waits for a second person, and ends once: ``posted`` or ``rejected``."""

    adjustment_id: str
    status: str
    points: Annotated[int, Field(description="Above zero: given. Below zero: taken.")]
    wallet: str
    reason: str
    actor: Annotated[str, Field(description="Who asked for it.")]
    decided_by: Annotated[str | None, Field(description="The second person; null where none has decided.")]
    created_at: str
    decided_at: str | None
    posted_to: Annotated[
        str | None, Field(description="Whose statement shows it: the member's, or whom they were merged into.")
    ]

    @classmethod
    def of(cls, adjustment: Adjustment) -> Self:
        """The view of an adjustment."""
        return cls(
            adjustment_id=adjustment.adjustment_id,
            status=adjustment.status,
            points=adjustment.points,
            wallet=adjustment.wallet,
            reason=adjustment.reason,
            actor=adjustment.actor,
            decided_by=adjustment.decided_by,
            created_at=to_text(adjustment.created_at),
            decided_at=to_text(adjustment.decided_at) if adjustment.decided_at else None,
            posted_to=adjustment.posted_to,
        )


class AdjustmentsPage(ResponseBody):
    """Adjustments of one status."""

    items: list[AdjustmentView]
    next_after: Annotated[
        str | None,
        Field(description="Send it as `after` for the next page, even if this one is short; null: the last."),
    ]
