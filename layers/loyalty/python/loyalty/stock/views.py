"""How stock looks from outside, and how it is changed."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints

from loyalty.core.clock import to_text
from loyalty.core.fields import Actor, RequestBody, ResponseBody
from loyalty.stock.model import MAX_RESTOCK, Restock, Stock


class RestockBody(RequestBody):
    """Units to put into stock, or to withdraw."""

    add: Annotated[
        int,
        Field(strict=True, ge=-MAX_RESTOCK, le=MAX_RESTOCK, description="Above zero to add, below zero to withdraw."),
    ]
    reference: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9._:/ -]{1,128}$"),
        Field(description="Your own: a delivery note, a ticket. No personal data.", examples=["DN-2026-0815"]),
    ]
    actor: Actor


class RestockView(ResponseBody):
    """A restock, as it was written down once."""

    restock_id: str
    add: Annotated[int, Field(description="Units added; below zero: withdrawn.")]
    reference: str
    actor: Annotated[str, Field(description="Who asked for it.")]
    client_id: Annotated[str, Field(description="The app that they asked through.")]
    at: str

    @classmethod
    def of(cls, restock: Restock) -> Self:
        """The view of a restock."""
        return cls(
            restock_id=restock.restock_id,
            add=restock.add,
            reference=restock.reference,
            actor=restock.actor,
            client_id=restock.client_id,
            at=to_text(restock.at),
        )


class StockView(ResponseBody):
    """What is left of a reward. ``left`` is ``restocked`` less ``taken``."""

    reward_id: str
    left: Annotated[int, Field(description="Units that can be redeemed now.")]
    restocked: Annotated[int, Field(description="Units ever added, less those withdrawn.")]
    taken: Annotated[int, Field(description="Units that are held at the moment, or were given to members.")]
    restocks: Annotated[list[RestockView], Field(description="The last 50, newest first.")]

    @classmethod
    def of(cls, reward_id: str, stock: Stock) -> Self:
        """The view of a reward's stock."""
        level = stock.level
        return cls(
            reward_id=reward_id,
            left=level.left,
            restocked=level.restocked,
            taken=level.taken,
            restocks=[RestockView.of(one) for one in stock.restocks],
        )
