"""How accruals and reversals look from outside."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field

from loyalty.accruals.bodies import MAX_LINES, PartnerSource, PurchaseBody, Quantity
from loyalty.accruals.errors import LineRepeated, OneOfRequired
from loyalty.accruals.model import Activity, Refund, ReversalReason
from loyalty.accruals.records import Waiting, WaitingStatus
from loyalty.accruals.reversal import reversal_key
from loyalty.core.clock import to_text
from loyalty.core.fields import (
    MoneyBody,
    RequestBody,
    ResponseBody,
    Source,
    SourceId,
    UtcDatetime,
)
from loyalty.ledger.model import POINTS, Account, Entry
from loyalty.ledger.views import BalancesView, balances_after
from loyalty.programs.fields import Slug

_ACCRUAL: Final = Field(description="`source_id` of the accrual, of the same source.", examples=["R-1"])


class AccrualBody(PurchaseBody):
    """Something a member did. ``source`` and ``source_id`` name it for ever: sent twice, it counts once."""

    activity: Annotated[Slug, Field(description="What was done; the program's earn rules say what it is worth.")]
    source: Annotated[
        PartnerSource, Field(description="The system that this comes from; not `enrollment`.", examples=["pos"])
    ]
    source_id: Annotated[SourceId, Field(description="That system's own id of it.", examples=["R-1"])]
    occurred_at: UtcDatetime
    channel: Annotated[Slug, Field(description="Where it happened.", examples=["online", "mobile", "in_store"])]

    def activity_done(self) -> Activity:
        """What the member did.

        Raises:
            UnknownCurrency, TooManyDecimals: an amount is none.
        """
        return Activity(
            activity=self.activity,
            source=self.source,
            source_id=self.source_id,
            occurred_at=self.occurred_at,
            channel=self.channel,
            amount=self.money("amount"),
            details=self.told(),
            lines=self.bought(),
            tax=self.money("tax"),
            shipping=self.money("shipping"),
            store=self.store,
            attributes=self.attributes,
        )


class UnitPointsView(ResponseBody):
    """What a posting earned or took back in one wallet beside the points."""

    wallet: Annotated[str, Field(description="Its id in the program.")]
    points: Annotated[int, Field(description="Of a wallet in a currency, minor units.")]


class RulePointsView(ResponseBody):
    """What a rule gave."""

    rule: Annotated[str, Field(description="Its id in the program.")]
    wallet: str
    points: Annotated[int, Field(description="Of a wallet in a currency, minor units.")]


class AccrualView(ResponseBody):
    """The entry that was posted, and the wallet's balances after it."""

    entry_id: str
    points: Annotated[int, Field(description="Points earned, pending ones too.")]
    wallet: BalancesView
    others: Annotated[tuple[UnitPointsView, ...], Field(description="What was earned in other wallets.")] = ()
    rules: Annotated[
        tuple[RulePointsView, ...], Field(description="The rules that counted, and what each gave; none did: nothing.")
    ] = ()

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The view of an accrual's entry."""
        return cls(
            entry_id=entry.entry_id,
            points=-_issued(entry, POINTS),
            wallet=balances_after(entry),
            others=tuple(UnitPointsView(wallet=name, points=-_issued(entry, name)) for name in _others(entry)),
            rules=tuple(
                RulePointsView(rule=rule, wallet=wallet, points=points)
                for wallet in entry.movement.changes
                for rule, points in entry.facts.points_by_rule(wallet, -_issued(entry, wallet)).items()
            ),
        )


class ReversedLineBody(RequestBody):
    """So many of one line of the accrual."""

    line_id: Annotated[SourceId, Field(description="The `line_id` that the accrual gave.")]
    quantity: Annotated[Quantity, Field(description="How many come back with this request.")]


class ReversalBody(RequestBody):
    """What was given back: exactly one of ``amount``, ``lines`` and ``everything``.

    ``source`` and ``source_id`` name it for ever: sent twice, it counts once. It may come before its accrual.
    """

    source: Annotated[Source, Field(description="The system that the accrual came from.", examples=["pos"])]
    source_id: Annotated[SourceId, Field(description="That system's own id of this reversal.", examples=["F-1"])]
    accrual_source_id: Annotated[SourceId, _ACCRUAL]
    occurred_at: UtcDatetime
    reason: ReversalReason
    channel: Annotated[Slug | None, Field(description="Where it happened.")] = None
    amount: Annotated[MoneyBody | None, Field(description="So much of what was paid in all.")] = None
    lines: Annotated[
        tuple[ReversedLineBody, ...], Field(max_length=MAX_LINES, description="These lines, in part.")
    ] = ()
    everything: Annotated[Literal[True] | None, Field(description="All that is left.")] = None

    def refund(self) -> Refund:
        """What was given back.

        Raises:
            OneOfRequired: not exactly one of the three forms.
            LineRepeated: a line is named twice.
            UnknownCurrency, TooManyDecimals: the amount is none.
        """
        if [self.amount is not None, bool(self.lines), bool(self.everything)].count(True) != 1:
            raise OneOfRequired("Send exactly one of amount, lines and everything.", pointer="")
        for place, line in enumerate(self.lines):
            if any(other.line_id == line.line_id for other in self.lines[:place]):
                raise LineRepeated("Name each line once, with its quantity.", pointer=f"/lines/{place}/line_id")
        return Refund(
            source=self.source,
            source_id=self.source_id,
            accrual_source_id=self.accrual_source_id,
            occurred_at=self.occurred_at,
            amount=self.amount.to_money() if self.amount else None,
            channel=self.channel,
            lines={line.line_id: line.quantity for line in self.lines},
            everything=bool(self.everything),
            reason=self.reason,
        )


class ReversalView(ResponseBody):
    """The entry that was posted, and the wallet's balances after it."""

    status: Literal["posted"] = "posted"
    entry_id: str
    reverses: Annotated[str | None, Field(description="Entry id of the accrual.")]
    amount: Annotated[MoneyBody | None, Field(description="What was given back; null: all that was left.")]
    points: Annotated[int, Field(description="Points taken back, wherever they were: pending, available or expired.")]
    wallet: BalancesView
    others: Annotated[tuple[UnitPointsView, ...], Field(description="What was taken back in other wallets.")] = ()

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The view of a reversal's entry."""
        return cls(
            entry_id=entry.entry_id,
            reverses=entry.facts.reverses,
            amount=MoneyBody.of(entry.facts.amount) if entry.facts.amount else None,
            points=_issued(entry, POINTS),
            wallet=balances_after(entry),
            others=tuple(UnitPointsView(wallet=name, points=_issued(entry, name)) for name in _others(entry)),
        )


class WaitingReversalView(ResponseBody):
    """A reversal that came before its accrual, as it was sent."""

    status: Annotated[
        WaitingStatus, Field(description="`waiting` for its accrual; `refused` by it, once it had come. Send it again.")
    ]
    code: Annotated[str | None, Field(description="Why it was refused: the problem's code.")]
    entry_id: Annotated[str, Field(description="Id of the entry that it becomes.")]
    source: str
    source_id: str
    accrual_source_id: str
    occurred_at: str
    received_at: str
    reason: ReversalReason
    channel: str | None
    amount: MoneyBody | None
    lines: list[ReversedLineBody]
    everything: bool

    @classmethod
    def of(cls, waiting: Waiting) -> Self:
        """The view of a reversal that waits or was refused."""
        refund = waiting.refund
        return cls(
            status=waiting.status,
            code=waiting.code,
            entry_id=reversal_key(refund).entry_id,
            source=refund.source,
            source_id=refund.source_id,
            accrual_source_id=refund.accrual_source_id,
            occurred_at=to_text(refund.occurred_at),
            received_at=to_text(waiting.received_at),
            reason=refund.reason,
            channel=refund.channel,
            amount=MoneyBody.of(refund.amount) if refund.amount else None,
            lines=[ReversedLineBody(line_id=key, quantity=quantity) for key, quantity in sorted(refund.lines.items())],
            everything=refund.everything,
        )


class WaitingReversalsPage(ResponseBody):
    """One page of reversals that wait or were refused, by their source and ``source_id``."""

    items: list[WaitingReversalView]
    next_after: Annotated[str | None, Field(description="Send it as `after` for the next page; null on the last.")]


def _issued(entry: Entry, wallet: str) -> int:
    return entry.movement.change(wallet).postings.get(Account.ISSUED, 0)


def _others(entry: Entry) -> list[str]:
    return sorted(name for name in entry.movement.changes if name != POINTS)
