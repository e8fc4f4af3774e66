"""How wallets and entries look from outside."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field

from loyalty.core.clock import to_text
from loyalty.core.fields import ResponseBody
from loyalty.ledger.model import Entry, Wallet
from loyalty.ledger.movements import NEVER

Balance = Annotated[int, Field(description="Whole points.")]


class LotView(ResponseBody):
    """Points that expire together."""

    expires_on: Annotated[
        date | None, Field(description="Last day on which they may be spent, in the program's zone; null: never.")
    ]
    points: Balance


class BalancesView(ResponseBody):
    """A wallet's balances right after an entry."""

    available: Balance
    pending: Balance
    held: Balance


class WalletView(BalancesView):
    """A wallet as of now: expired points do not count, whether or not anything has written them down yet."""

    tier: str
    debt: Annotated[int, Field(description="Points that reversals took beyond the balance; later points pay it first.")]
    seq: Annotated[int, Field(description="Number of the latest entry.")]
    lots: Annotated[list[LotView], Field(description="Spendable points, first to expire first.")]

    @classmethod
    def of(cls, wallet: Wallet, today: date) -> Self:
        """The wallet on ``today``, the program's date."""
        live = {lot: points for lot, points in sorted(wallet.lots.items()) if lot >= today.isoformat()}
        return cls(
            available=wallet.spendable(today),
            pending=wallet.pending,
            held=wallet.held,
            tier=wallet.tier,
            debt=wallet.debt,
            seq=wallet.seq,
            lots=[
                LotView(expires_on=None if lot == NEVER else date.fromisoformat(lot), points=points)
                for lot, points in live.items()
            ],
        )


class EntryView(ResponseBody):
    """One line of the statement. Adding up ``points`` over all lines gives the available balance."""

    entry_id: str
    seq: Annotated[int, Field(description="Gapless from 1.")]
    kind: str
    points: Annotated[int, Field(description="Change of the available balance.")]
    postings: Annotated[dict[str, int], Field(description="Change of each account; they sum to zero.")]
    balances: Annotated[BalancesView, Field(description="After this entry.")]
    activity: str | None = None
    channel: str | None = None
    amount: str | None = None
    rule: str | None = None
    program_version: int
    reverses: str | None = None
    redemption_id: str | None = None
    reward_id: str | None = None
    tier_from: str | None = None
    tier_to: str | None = None
    occurred_at: Annotated[str, Field(description="By the source's clock.")]
    posted_at: Annotated[str, Field(description="By ours.")]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The line for an entry."""
        facts = entry.facts
        return cls(
            entry_id=entry.entry_id,
            seq=entry.seq,
            kind=entry.key.kind,
            points=entry.points,
            postings={str(account): points for account, points in entry.movement.postings.items()},
            balances=balances_after(entry),
            activity=facts.activity,
            channel=facts.channel,
            amount=str(facts.amount) if facts.amount else None,
            rule=facts.rule,
            program_version=facts.program_version,
            reverses=facts.reverses,
            redemption_id=facts.redemption_id,
            reward_id=facts.reward_id,
            tier_from=facts.tier_from,
            tier_to=entry.movement.tier,
            occurred_at=to_text(facts.occurred_at),
            posted_at=to_text(entry.posted_at),
        )


def balances_after(entry: Entry) -> BalancesView:
    """The balances that the entry left."""
    return BalancesView(available=entry.available, pending=entry.pending, held=entry.held)
