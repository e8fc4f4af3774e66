"""Accruals sent by partner apps."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from loyalty.accruals.service import AccrualService, Activity
from loyalty.core.fields import (
    MemberId,
    MoneyBody,
    OneLine,
    ProgramId,
    RequestBody,
    ResponseBody,
    Source,
    SourceId,
    UtcDatetime,
)
from loyalty.core.http import REPLAYED_HEADER, caller
from loyalty.core.telemetry import count, logger
from loyalty.ledger.views import BalancesView, balances_after
from loyalty.programs.model import Slug
from loyalty.programs.store import ProgramStore

MAX_LINES = 200


class LineBody(RequestBody):
    """One line of what was bought."""

    line_id: SourceId | None = None
    sku: OneLine | None = None
    product: OneLine | None = None
    category: OneLine | None = None
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1
    amount: MoneyBody


class AccrualBody(RequestBody):
    """Something a member did. ``source`` and ``source_id`` name it for ever: sent twice, it counts once."""

    activity: Annotated[Slug, Field(description="What was done; the program's earn rules say what it is worth.")]
    source: Annotated[Source, Field(description="The system that this comes from.", examples=["pos"])]
    source_id: Annotated[SourceId, Field(description="That system's own id of it.", examples=["R-1"])]
    occurred_at: UtcDatetime
    channel: Annotated[Slug, Field(description="Where it happened.", examples=["online", "mobile", "in_store"])]
    amount: Annotated[MoneyBody | None, Field(description="What earns points, where the rule is by amount.")] = None
    lines: Annotated[
        tuple[LineBody, ...], Field(max_length=MAX_LINES, description="What was bought; rules do not look at it yet.")
    ] = ()


class AccrualView(ResponseBody):
    """The entry that was posted, and the wallet's balances after it."""

    entry_id: str
    points: Annotated[int, Field(description="Points earned.")]
    wallet: BalancesView


def _told(line: LineBody, pointer: str) -> dict[str, object]:
    """A line as it is hashed: 5.0 is 5.00, and a field that it leaves out, or that is yet to come, changes nothing."""
    fields = line.model_dump(exclude={"amount"}, exclude_defaults=True)
    return fields | {"amount": str(line.amount.to_money(pointer))}


def routes(programs: ProgramStore, accruals: AccrualService) -> Router:
    """``POST …/accruals``."""
    router = Router()

    @router.post(
        "/v1/programs/<program>/members/<member_id>/accruals",
        summary="Post an accrual",
        tags=["Accruals"],
        status_code=HTTPStatus.CREATED,
    )
    def post_accrual(
        program: ProgramId, member_id: MemberId, body: Annotated[AccrualBody, Body()]
    ) -> Response[AccrualView]:
        current = programs.for_client(program, caller(router))
        activity = Activity(
            activity=body.activity,
            source=body.source,
            source_id=body.source_id,
            occurred_at=body.occurred_at,
            channel=body.channel,
            amount=body.amount.to_money() if body.amount else None,
            details=[_told(line, f"/lines/{place}/amount") for place, line in enumerate(body.lines)],
        )
        posted = accruals.accrue(current, member_id, activity)
        entry = posted.entry
        count("AccrualsReplayed" if posted.replayed else "AccrualsPosted")
        logger.info("accrual", extra={"entry_id": entry.entry_id, "points": entry.points, "replayed": posted.replayed})
        return Response(
            status_code=HTTPStatus.CREATED,
            content_type="application/json",
            headers={REPLAYED_HEADER: str(posted.replayed).lower()},
            body=AccrualView(entry_id=entry.entry_id, points=entry.points, wallet=balances_after(entry)),
        )

    return router
