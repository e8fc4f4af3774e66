"""Accruals and reversals sent by partner apps."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from loyalty.accruals.awaited import AwaitedReversals, Kept
from loyalty.accruals.previews import PreviewView
from loyalty.accruals.service import AccrualService
from loyalty.accruals.views import (
    AccrualBody,
    AccrualView,
    ReversalBody,
    ReversalView,
    WaitingReversalsPage,
    WaitingReversalView,
)
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller, done_once
from loyalty.core.telemetry import count, logger
from loyalty.ledger.draft import Posted
from loyalty.programs.store import ProgramStore

_ACCRUALS = "/v1/programs/<program>/members/<member_id>/accruals"
_REVERSALS = "/v1/programs/<program>/members/<member_id>/reversals"
_ENTRY_ID = r"^reversal:[a-z0-9][a-z0-9_-]{0,31}:[A-Za-z0-9._:/-]{1,128}$"


def routes(programs: ProgramStore, accruals: AccrualService, reversals: AwaitedReversals) -> Router:
    """``POST …/accruals``, ``POST …/accruals/preview``, ``POST …/reversals``, ``GET …/reversals``."""
    router = Router()

    @router.post(_ACCRUALS, summary="Post an accrual", tags=["Accruals"], status_code=HTTPStatus.CREATED)
    def post_accrual(
        program: ProgramId, member_id: MemberId, body: Annotated[AccrualBody, Body()]
    ) -> Response[AccrualView]:
        current = programs.for_client(program, caller(router))
        posted = accruals.accrue(current, member_id, body.activity_done())
        view = AccrualView.of(posted.entry)
        count("AccrualsReplayed" if posted.replayed else "AccrualsPosted")
        _log("accrual", posted, view.points)
        return done_once(view, replayed=posted.replayed)

    @router.post(f"{_ACCRUALS}/preview", summary="What an accrual would earn; nothing is posted", tags=["Accruals"])
    def post_preview(program: ProgramId, member_id: MemberId, body: Annotated[AccrualBody, Body()]) -> PreviewView:
        current = programs.for_client(program, caller(router))
        return PreviewView.of(accruals.preview(current, member_id, body.activity_done()))

    @router.post(
        _REVERSALS,
        summary="Take back what a refund, a return or a cancellation gives back",
        tags=["Accruals"],
        status_code=HTTPStatus.CREATED,
        responses={
            201: {"description": "Posted", "content": {"application/json": {"model": ReversalView}}},
            202: {
                "description": "Waiting for its accrual",
                "content": {"application/json": {"model": WaitingReversalView}},
            },
        },
    )
    def post_reversal(
        program: ProgramId, member_id: MemberId, body: Annotated[ReversalBody, Body()]
    ) -> Response[ReversalView | WaitingReversalView]:
        current = programs.for_client(program, caller(router))
        done = reversals.reverse(current, member_id, body.refund())
        view = WaitingReversalView.of(done.waiting) if isinstance(done, Kept) else ReversalView.of(done.entry)
        if isinstance(view, ReversalView) and isinstance(done, Posted):
            count("ReversalsReplayed" if done.replayed else "ReversalsPosted")
            _log("reversal", done, view.points)
        else:
            count("ReversalsWaiting")
            logger.info("reversal waits", extra={"entry_id": view.entry_id, "replayed": done.replayed})
        status = HTTPStatus.ACCEPTED if isinstance(done, Kept) else HTTPStatus.CREATED
        return done_once(view, replayed=done.replayed, status=status)

    @router.get(_REVERSALS, summary="List reversals that came before their accrual", tags=["Accruals"])
    def get_reversals(
        program: ProgramId,
        member_id: MemberId,
        limit: Annotated[int, Query(ge=1, le=100, description="Reversals on a page.")] = 25,
        after: Annotated[str | None, Query(pattern=_ENTRY_ID, description="`next_after` of the page before.")] = None,
    ) -> WaitingReversalsPage:
        programs.for_client(program, caller(router))
        page = reversals.page(program, member_id, limit=limit, after=after)
        return WaitingReversalsPage(
            items=[WaitingReversalView.of(waiting) for waiting in page.items], next_after=page.next_after
        )

    return router


def _log(what: str, posted: Posted, points: int) -> None:
    told = {"entry_id": posted.entry.entry_id, "points": points, "replayed": posted.replayed}
    logger.info(what, extra=told)
