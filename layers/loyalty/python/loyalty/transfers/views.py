"""How transfers look from outside, and how they are asked for."""

from typing import Annotated, Self

from pydantic import Field

from loyalty.core.clock import to_text
from loyalty.core.fields import MemberId, RequestBody, ResponseBody, WholePoints
from loyalty.ledger.model import POINTS
from loyalty.ledger.views import BalancesView, balances_of
from loyalty.programs.model import Slug
from loyalty.transfers.model import Transfer


class TransferBody(RequestBody):
    """Points that a member gives to another."""

    to_member_id: MemberId
    points: WholePoints
    wallet: Annotated[
        Slug, Field(description="From which of the giver's wallets, to the same one of the receiver.")
    ] = POINTS


class TransferView(ResponseBody):
    """A transfer. Where one of the two was merged into another member, that member is named."""

    transfer_id: str
    from_member_id: str
    to_member_id: str
    points: int
    wallet: str
    posted_at: str
    balances: Annotated[BalancesView, Field(description="Of the giver's wallet, after it.")]

    @classmethod
    def of(cls, transfer: Transfer) -> Self:
        """The view of a transfer."""
        return cls(
            transfer_id=transfer.transfer_id,
            from_member_id=transfer.giver,
            to_member_id=transfer.receiver,
            points=transfer.points,
            wallet=transfer.wallet,
            posted_at=to_text(transfer.posted_at),
            balances=BalancesView(**balances_of(transfer.giver_after)),
        )
