"""How runs, their timelines and totals look from outside, and how they are decided about."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints

from loyalty.core.clock import to_text
from loyalty.core.fields import MoneyBody, RequestBody, ResponseBody
from loyalty.finance.totals import DayTotals, Line
from loyalty.fulfillment.run import Run, RunStatus, Step

MAX_NOTE: Final = 500


def sayable(text: str) -> str:
    """Text that may have line breaks and no other control characters.

    Raises:
        ValueError: it has some.
    """
    normal = text.replace("\r\n", "\n")
    if not all(letter.isprintable() or letter == "\n" for letter in normal):
        raise ValueError("Send text without control characters")
    return normal


Note = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NOTE),
    AfterValidator(sayable),
    Field(description="Why; it stays in the timeline for ever. No personal data.", examples=["Checked by phone."]),
]


class NoteBody(RequestBody):
    """A decision that may be taken without a word."""

    note: Note | None = None


class ReasonBody(RequestBody):
    """A decision that has to be explained."""

    note: Note


class ResolutionBody(ReasonBody):
    """How a run was settled outside of the platform."""

    give_back: Annotated[
        bool, Field(strict=True, description="The member was not served: the points go back. Left out: they are spent.")
    ] = False


class RunView(ResponseBody):
    """A fulfilment run: one redemption's gift card, and where it stands."""

    redemption_id: str
    member_id: str
    reward_id: str
    points: Annotated[int, Field(description="Held, or captured, for the card.")]
    wallet: Annotated[str, Field(description="The wallet that they are of.")]
    value: Annotated[MoneyBody, Field(description="What the card is worth.")]
    status: RunStatus
    reason: Annotated[str | None, Field(description="Why it stands there: a stable code.")]
    supplier: Annotated[str | None, Field(description="Whom it was ordered from last.")]
    product: str | None
    external_id: Annotated[str | None, Field(description="Our key of the last order, at the supplier.")]
    supplier_order_id: str | None
    cost: Annotated[MoneyBody | None, Field(description="What the supplier charges for the issued card.")]
    orders: Annotated[int, Field(description="Orders that were begun.")]
    campaign: str | None
    requested_by: Annotated[str, Field(description="Who asked for it, and so may not approve it.")]
    approve_until: Annotated[str | None, Field(description="Without an approval by then the points go back.")]
    decided_by: Annotated[str | None, Field(description="`client:…` or `person:…`.")]
    decided_at: str | None
    note: str | None
    opened_at: str
    updated_at: str | None
    ended_at: str | None

    @classmethod
    def of(cls, run: Run) -> Self:
        """The view of a run. The state machine's token is none of it."""
        return cls(
            redemption_id=run.redemption_id,
            member_id=run.member_id,
            reward_id=run.reward_id,
            points=run.points,
            wallet=run.wallet,
            value=MoneyBody.of(run.value),
            status=run.status,
            reason=run.reason,
            supplier=run.supplier,
            product=run.product,
            external_id=run.external_id,
            supplier_order_id=run.supplier_order_id,
            cost=None if run.cost is None else MoneyBody.of(run.cost),
            orders=run.orders,
            campaign=run.campaign,
            requested_by=run.requested_by,
            approve_until=_text(run.approve_until),
            decided_by=run.decided_by,
            decided_at=_text(run.decided_at),
            note=run.note,
            opened_at=to_text(run.opened_at),
            updated_at=_text(run.updated_at),
            ended_at=_text(run.ended_at),
        )


class RunsPage(ResponseBody):
    """Some runs, the oldest first."""

    items: list[RunView]
    next_cursor: Annotated[
        str | None,
        Field(description="Send it as `cursor` for the next page, even if this one is short or empty; null: the last."),
    ]


class TimelineStepView(ResponseBody):
    """One thing that was done in a run, or was about to be."""

    number: int
    at: str
    name: str
    outcome: Annotated[str, Field(description="`asked` is written before a supplier is asked.")]
    supplier: str | None
    external_id: str | None
    request_id: Annotated[str | None, Field(description="The supplier's own name for the request.")]
    cost: MoneyBody | None
    error: str | None
    by: Annotated[str | None, Field(description="The person or client, where it was one.")]
    note: str | None

    @classmethod
    def of(cls, step: Step) -> Self:
        """The view of a step."""
        return cls(
            number=step.number,
            at=to_text(step.at),
            name=step.name,
            outcome=step.outcome,
            supplier=step.supplier,
            external_id=step.external_id,
            request_id=step.request_id,
            cost=None if step.cost is None else MoneyBody.of(step.cost),
            error=step.error,
            by=step.by,
            note=step.note,
        )


class RunDetailView(ResponseBody):
    """A run with its timeline, the first step first."""

    run: RunView
    timeline: list[TimelineStepView]


class TotalsLineView(ResponseBody):
    """One supplier and currency of a day."""

    supplier: Annotated[str | None, Field(description="Null: no supplier was asked.")]
    currency: Annotated[str, Field(description="Of the cards' values.")]
    issued: Annotated[int, Field(description="Runs that ended with a card.")]
    value: Annotated[MoneyBody, Field(description="What these cards are worth.")]
    cost: Annotated[list[MoneyBody], Field(description="What the supplier charges for them, by its currencies.")]
    not_issued: Annotated[int, Field(description="Runs that ended without one: the points went back.")]
    waiting: Annotated[int, Field(description="Open runs; of today only.")]
    waiting_value: MoneyBody
    counts: Annotated[dict[RunStatus, int], Field(description="Runs by status.")]

    @classmethod
    def of(cls, line: Line) -> Self:
        """The view of a line."""
        return cls(
            supplier=line.supplier,
            currency=line.currency,
            issued=line.issued,
            value=MoneyBody.of(line.value),
            cost=[MoneyBody.of(one) for one in line.cost],
            not_issued=line.not_issued,
            waiting=line.waiting,
            waiting_value=MoneyBody.of(line.waiting_value),
            counts=dict(line.counts),
        )


class DayView(ResponseBody):
    """A day (UTC) in figures."""

    day: str
    closed: Annotated[bool, Field(description="The figures do not change any more.")]
    lines: list[TotalsLineView]

    @classmethod
    def of(cls, totals: DayTotals) -> Self:
        """The view of a day."""
        return cls(
            day=totals.day.isoformat(),
            closed=totals.closed,
            lines=[TotalsLineView.of(line) for line in totals.lines],
        )


class TotalsView(ResponseBody):
    """Each day of a period."""

    days: list[DayView]


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)
