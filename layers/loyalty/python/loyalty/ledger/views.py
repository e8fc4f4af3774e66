"""How wallets and entries look from outside."""

from datetime import date, timedelta
from typing import Annotated, Any, Self

from pydantic import Field

from loyalty.core.clock import to_text
from loyalty.core.fields import ResponseBody
from loyalty.ledger.model import POINTS, Balances, Book, Entry, Scope, Wallet
from loyalty.ledger.movements import NEVER, parse_bucket

Balance = Annotated[int, Field(description="Whole points; of a wallet in a currency, its minor units.")]
_LOT = Field(description="Last day on which they may be spent, in the program's zone; null: never.")


class LotView(ResponseBody):
    """Points that expire together."""

    expires_on: Annotated[date | None, _LOT]
    points: Balance
    warnings_on: Annotated[list[date], Field(description="Days on which the member is warned of it.")]


class MaturingView(ResponseBody):
    """Pending points that become spendable together."""

    matures_on: Annotated[date, Field(description="First day on which they may be spent, in the program's zone.")]
    expires_on: Annotated[date | None, _LOT]
    points: Balance


class HoldView(ResponseBody):
    """Points set aside until somebody captures or releases them, or until the hold times out."""

    redemption_id: str
    wallet: Annotated[str, Field(description="The wallet that has them.")]
    points: Balance
    expires_at: str


class BalancesView(ResponseBody):
    """A wallet's balances right after an entry."""

    available: Annotated[
        int, Field(description="What can be spent; below zero where reversals took back spent points.")
    ]
    pending: Annotated[int, Field(description="Earned, but not spendable before a return window is over.")]
    held: Annotated[int, Field(description="Set aside for redemptions.")]
    debt: Annotated[int, Field(description="What reversals took beyond the balance; later points pay it first.")] = 0


class UnitWalletView(BalancesView):
    """One wallet of a member."""

    wallet: Annotated[str, Field(description="Its id in the program.")]
    lots: Annotated[list[LotView], Field(description="Spendable points, first to expire first.")]
    maturing: Annotated[list[MaturingView], Field(description="Pending points, first to mature first.")]

    @classmethod
    def of_wallet(cls, wallet: Wallet, name: str, scope: Scope) -> Self:
        """The view of a wallet of a book in which everything due is settled."""
        return cls(**_unit(wallet, name, scope))


class WalletView(UnitWalletView):
    """A member's points as of now, and their other wallets. It does not matter what has been written down yet."""

    tier: str
    seq: Annotated[int, Field(description="Number of the latest entry.")]
    holds: Annotated[list[HoldView], Field(description="Open holds that time out by themselves.")]
    others: Annotated[list[UnitWalletView], Field(description="Wallets beside the points.")]
    merged_into: Annotated[str | None, Field(description="The member who has these points now.")] = None

    @classmethod
    def of(cls, book: Book, scope: Scope, member_id: str) -> Self:
        """A book with everything due settled, see ``settlement.as_of``, as the answer for ``member_id``."""
        return cls(
            **_unit(book.wallet(), POINTS, scope),
            tier=book.tier,
            seq=book.seq,
            holds=[
                HoldView(redemption_id=key, wallet=hold.wallet, points=hold.points, expires_at=to_text(hold.expires_at))
                for key, hold in sorted(book.holds.items(), key=lambda item: item[1].expires_at)
            ],
            others=[
                UnitWalletView.of_wallet(wallet, name, scope)
                for name, wallet in sorted(book.wallets.items())
                if name != POINTS
            ],
            merged_into=book.member_id if book.member_id != member_id else None,
        )


class ChangeView(BalancesView):
    """What an entry did to one wallet, and its balances after it."""

    wallet: str
    points: Annotated[int, Field(description="Change of the available balance.")]
    postings: Annotated[dict[str, int], Field(description="Change of each account; they sum to zero.")]
    rule: str | None = None


class EntryView(ResponseBody):
    """One line of the statement. Adding up ``points`` over all lines gives the available points."""

    entry_id: str
    seq: Annotated[int, Field(description="Gapless from 1.")]
    kind: str
    points: Annotated[int, Field(description="Change of the available points.")]
    postings: Annotated[dict[str, int], Field(description="Change of each account; they sum to zero.")]
    balances: Annotated[BalancesView, Field(description="Of the points, after this entry.")]
    others: Annotated[list[ChangeView], Field(description="What it did to wallets beside the points.")]
    activity: str | None = None
    channel: str | None = None
    amount: str | None = None
    rule: str | None = None
    program_version: int
    reverses: str | None = None
    reason: str | None = None
    actor: str | None = None
    approved_by: str | None = None
    other_member: Annotated[str | None, Field(description="The other side of a transfer or a merge.")] = None
    redemption_id: str | None = None
    reward_id: str | None = None
    lot: Annotated[str | None, Field(description="Of a warning: the last day of the points that expire.")] = None
    lot_points: Annotated[int | None, Field(description="Of a warning: how many they are.")] = None
    tier_from: str | None = None
    tier_to: str | None = None
    ladder: Annotated[str | None, Field(description="Of a tier: the ladder that it is on; null: the main one.")] = None
    occurred_at: Annotated[str, Field(description="By the source's clock; of what falls due, when it did.")]
    posted_at: Annotated[str, Field(description="By ours.")]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The line for an entry."""
        facts, change = entry.facts, entry.movement.change()
        return cls(
            entry_id=entry.entry_id,
            seq=entry.seq,
            kind=entry.key.kind,
            points=entry.points,
            postings={str(account): points for account, points in change.postings.items()},
            balances=balances_after(entry),
            others=_others(entry),
            activity=facts.activity,
            channel=facts.channel,
            amount=str(facts.amount) if facts.amount else None,
            rule=facts.rules.get(POINTS),
            program_version=facts.program_version,
            reverses=facts.reverses,
            reason=facts.reason,
            actor=facts.actor,
            approved_by=facts.approved_by,
            other_member=facts.other_member,
            redemption_id=facts.redemption_id,
            reward_id=facts.reward_id,
            lot=facts.lot,
            lot_points=facts.lot_points,
            tier_from=facts.tier_from,
            tier_to=entry.tier_to,
            ladder=facts.ladder,
            occurred_at=to_text(facts.occurred_at),
            posted_at=to_text(entry.posted_at),
        )


def balances_after(entry: Entry) -> BalancesView:
    """The balances of the points that the entry left."""
    return BalancesView(**balances_of(entry.balances))


def last_day(lot: str) -> date | None:
    """The last day of a lot, or None where its points do not expire."""
    return None if lot == NEVER else date.fromisoformat(lot)


def _others(entry: Entry) -> list[ChangeView]:
    return [
        ChangeView(
            **balances_of(entry.after[name]),
            wallet=name,
            points=change.points,
            postings={str(account): points for account, points in change.postings.items()},
            rule=entry.facts.rules.get(name),
        )
        for name, change in sorted(entry.movement.changes.items())
        if name != POINTS
    ]


def balances_of(balances: Balances) -> dict[str, int]:
    """The fields of :class:`BalancesView`."""
    return {name: getattr(balances, name) for name in BalancesView.model_fields}


def _unit(wallet: Wallet, name: str, scope: Scope) -> dict[str, Any]:
    days = scope.terms_of(name).warn_days
    return {
        **balances_of(wallet),
        "wallet": name,
        "lots": [
            LotView(expires_on=last_day(lot), points=points, warnings_on=_warnings(last_day(lot), days))
            for lot, points in sorted(wallet.lots.items())
        ],
        "maturing": [
            MaturingView(
                matures_on=date.fromisoformat(parse_bucket(key)[0]),
                expires_on=last_day(parse_bucket(key)[1]),
                points=points,
            )
            for key, points in sorted(wallet.maturing.items())
        ],
    }


def _warnings(last: date | None, days: tuple[int, ...]) -> list[date]:
    return sorted(last - timedelta(days=before) for before in days) if last else []
