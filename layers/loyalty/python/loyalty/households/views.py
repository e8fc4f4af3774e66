"""How households look from outside, and what may be sent of them."""

from typing import Annotated, Self

from pydantic import Field

from loyalty.core.clock import to_text
from loyalty.core.fields import MemberId, RequestBody, ResponseBody, WholePoints
from loyalty.households.model import Household
from loyalty.ledger.model import POINTS, Book, Scope
from loyalty.ledger.views import BalancesView, UnitWalletView, balances_of
from loyalty.transfers.model import Transfer


class FoundingBody(RequestBody):
    """Who founds a household, and is its head."""

    head: MemberId


class JoiningBody(RequestBody):
    """Who joins a household."""

    member_id: MemberId


class PoolingBody(RequestBody):
    """Points that a member of the household puts into the pool, or takes out."""

    member_id: MemberId
    points: WholePoints


class HouseholdMemberView(ResponseBody):
    """A member of a household."""

    member_id: str
    joined_at: str


class HouseholdView(ResponseBody):
    """A household and its pool as of now."""

    household_id: str
    head: str
    members: Annotated[list[HouseholdMemberView], Field(description="Who is in it longest comes first.")]
    created_at: str
    closed_at: Annotated[str | None, Field(description="When the last member left; nobody can join it any more.")]
    pool: UnitWalletView

    @classmethod
    def of(cls, household: Household, book: Book, scope: Scope) -> Self:
        """The view of a household, whose book has everything due settled."""
        return cls(
            household_id=household.household_id,
            head=household.head,
            members=[
                HouseholdMemberView(member_id=member_id, joined_at=to_text(since))
                for member_id, since in sorted(household.members.items(), key=lambda item: (item[1], item[0]))
            ],
            created_at=to_text(household.created_at),
            closed_at=to_text(household.closed_at) if household.closed_at else None,
            pool=UnitWalletView.of_wallet(book.wallet(), POINTS, scope),
        )


class PoolingView(ResponseBody):
    """Points that went into a pool or came out of it."""

    transfer_id: str
    household_id: str
    member_id: Annotated[
        str, Field(description="On whose book they moved: the member's, or whom they were merged into.")
    ]
    points: int
    posted_at: str
    member: Annotated[BalancesView, Field(description="The member's points after it.")]
    pool: Annotated[BalancesView, Field(description="The pool's points after it.")]

    @classmethod
    def contribution(cls, transfer: Transfer) -> Self:
        """The view of points that went in."""
        return cls(
            transfer_id=transfer.transfer_id,
            household_id=transfer.receiver,
            member_id=transfer.giver,
            points=transfer.points,
            posted_at=to_text(transfer.posted_at),
            member=BalancesView(**balances_of(transfer.giver_after)),
            pool=BalancesView(**balances_of(transfer.receiver_after)),
        )

    @classmethod
    def withdrawal(cls, transfer: Transfer) -> Self:
        """The view of points that came out."""
        return cls(
            transfer_id=transfer.transfer_id,
            household_id=transfer.giver,
            member_id=transfer.receiver,
            points=transfer.points,
            posted_at=to_text(transfer.posted_at),
            member=BalancesView(**balances_of(transfer.receiver_after)),
            pool=BalancesView(**balances_of(transfer.giver_after)),
        )
