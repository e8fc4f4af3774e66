"""Fulfilment runs for finance: lists, timelines, totals, exports. What is decided is in ``decisions.py``."""

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.finance.decisions import add_decisions
from loyalty.core.cursor import Cursors
from loyalty.core.fields import MoneyBody, ProgramId, RedemptionId, UtcDatetime
from loyalty.core.http import caller
from loyalty.core.money import Money
from loyalty.finance.errors import FilterRefused
from loyalty.finance.filters import RunFilter
from loyalty.finance.review import Decider
from loyalty.finance.services import FinanceServices
from loyalty.finance.views import DayView, RunDetailView, RunsPage, RunView, TimelineStepView, TotalsView
from loyalty.fulfillment.run import RunStatus
from loyalty.programs.store import ProgramStore

RUNS = "/v1/programs/<program>/fulfillment-runs"
TOTALS = "/v1/programs/<program>/fulfillment-totals"
EXPORTS = "/v1/programs/<program>/fulfillment-exports"
NEXT_CURSOR = "Next-Cursor"

_Amount = Annotated[
    str | None, Query(pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$", description="In major units of `currency`.")
]
_Code = Annotated[str | None, Query(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
_Cursor = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")]
_First = Annotated[date, Query(alias="from", description="The first day, in UTC.", examples=["2026-11-01"])]
_Last = Annotated[date | None, Query(alias="until", description="The last day, in UTC. Left out: the first one.")]


def routes(programs: ProgramStore, finance: FinanceServices, decisions: Decider, cursors: Cursors) -> Router:
    """Everything under ``…/fulfillment-runs``, ``…/fulfillment-totals`` and ``…/fulfillment-exports``."""
    router = Router()
    add_decisions(router, programs, decisions)

    @router.get(RUNS, summary="List fulfilment runs", tags=["Finance"])
    def get_runs(
        program: ProgramId,
        *,
        status: Annotated[list[RunStatus] | None, Query(description="Any of these; left out: any at all.")] = None,
        ended_on: Annotated[
            date | None, Query(description="Runs that ended on this day, in UTC. Left out: those that are open.")
        ] = None,
        supplier: _Code = None,
        reason: _Code = None,
        currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="Of the amounts; ISO 4217.")] = None,
        amount_from: _Amount = None,
        amount_to: _Amount = None,
        older_than_hours: Annotated[int | None, Query(ge=1, le=8784, description="Opened so long ago.")] = None,
        opened_from: UtcDatetime | None = None,
        opened_until: UtcDatetime | None = None,
        limit: Annotated[int, Query(ge=1, le=100, description="Runs on a page.")] = 25,
        cursor: _Cursor = None,
    ) -> RunsPage:
        programs.for_client(program, caller(router))
        wanted = RunFilter(
            statuses=frozenset(status or ()),
            supplier=supplier,
            reason=reason,
            amount_from=_money(amount_from, currency, "amount_from"),
            amount_to=_money(amount_to, currency, "amount_to"),
            older_than=timedelta(hours=older_than_hours) if older_than_hours else None,
            opened_from=opened_from,
            opened_until=opened_until,
        )
        resource = f"runs/{program}/{ended_on or 'open'}/{wanted.digest()}"
        after = str(cursors.read(resource, cursor)["after"]) if cursor else None
        listed = finance.review.list(program, ended_on, wanted, limit=limit, after=after)
        return RunsPage(
            items=[RunView.of(run) for run in listed.items],
            next_cursor=None if listed.next is None else cursors.write(resource, {"after": listed.next}),
        )

    @router.get(f"{RUNS}/<redemption_id>", summary="Read a run and its timeline", tags=["Finance"])
    def get_run(program: ProgramId, redemption_id: RedemptionId) -> RunDetailView:
        programs.for_client(program, caller(router))
        run, steps = finance.review.get(program, redemption_id)
        return RunDetailView(run=RunView.of(run), timeline=[TimelineStepView.of(step) for step in steps])

    @router.get(TOTALS, summary="Read totals of days", tags=["Finance"])
    def get_totals(program: ProgramId, first: _First, last: _Last = None) -> TotalsView:
        programs.for_client(program, caller(router))
        days = finance.totals.period(program, first, last or first)
        return TotalsView(days=[DayView.of(day) for day in days])

    @router.get(
        EXPORTS,
        summary="Export runs that ended in a period, as CSV",
        tags=["Finance"],
        responses={200: {"description": "OK", "content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    def get_export(program: ProgramId, first: _First, last: _Last = None, cursor: _Cursor = None) -> Response[str]:
        programs.for_client(program, caller(router))
        last = last or first
        resource = f"export/{program}/{first}/{last}"
        position = cursors.read(resource, cursor) if cursor else None
        after = (date.fromisoformat(str(position["day"])), str(position["after"])) if position else None
        part = finance.exports.part(program, first, last, after=after)
        behind = {"day": part.next[0].isoformat(), "after": part.next[1]} if part.next else None
        more = {NEXT_CURSOR: cursors.write(resource, behind)} if behind else {}
        name = f"fulfillment-{program}-{first}-{last}.csv"
        return Response(
            status_code=HTTPStatus.OK,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store", **more},
            body=part.text,
        )

    return router


def _money(amount: str | None, currency: str | None, name: str) -> Money | None:
    if amount is None:
        return None
    if currency is None:
        raise FilterRefused(f"Send the currency of {name} as well.")
    return MoneyBody(value=amount, currency=currency).to_money(f"/{name}")
