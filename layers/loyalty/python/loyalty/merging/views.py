"""How a merge looks from outside, and how it is asked for."""

from typing import Annotated, Self

from pydantic import Field

from loyalty.core.clock import to_text
from loyalty.core.fields import Actor, MemberId, RequestBody, ResponseBody
from loyalty.ledger.draft import Posted
from loyalty.ledger.views import BalancesView, balances_after


class MergeBody(RequestBody):
    """The member who is absorbed, and who asked for it."""

    from_member_id: MemberId
    actor: Actor


class MergeView(ResponseBody):
    """A merge: what the survivor got, and has after it."""

    member_id: Annotated[str, Field(description="The survivor.")]
    merged_from: Annotated[str, Field(description="The absorbed member, whose id still leads to the survivor.")]
    points: Annotated[int, Field(description="Change of the survivor's available points.")]
    balances: Annotated[BalancesView, Field(description="Of the survivor's points, after it.")]
    actor: str
    merged_at: str

    @classmethod
    def of(cls, survivor: Posted, absorbed: Posted) -> Self:
        """The view of both entries."""
        entry = survivor.entry
        return cls(
            member_id=entry.member_id,
            merged_from=absorbed.entry.member_id,
            points=entry.points,
            balances=balances_after(entry),
            actor=entry.facts.actor or "",
            merged_at=to_text(entry.posted_at),
        )
