"""Adjustments: ask, read, approve, reject."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.adjustment.tier_grants import add_tier_grants
from loyalty.adjustments.model import Adjustment, AdjustmentStatus
from loyalty.adjustments.service import AdjustmentService
from loyalty.adjustments.store import AdjustmentStore
from loyalty.adjustments.views import AdjustmentBody, AdjustmentsPage, AdjustmentView, DecisionBody
from loyalty.core.fields import AdjustmentId, MemberId, ProgramId
from loyalty.core.http import IdempotencyKey, caller, done_once
from loyalty.core.telemetry import count, logger
from loyalty.programs.store import ProgramStore
from loyalty.tiers.grants import TierGrants

_ADJUSTMENTS = "/v1/programs/<program>/members/<member_id>/adjustments"
_ADJUSTMENT = f"{_ADJUSTMENTS}/<adjustment_id>"
_METRICS = {
    AdjustmentStatus.POSTED: "AdjustmentsPosted",
    AdjustmentStatus.PROPOSED: "AdjustmentsProposed",
    AdjustmentStatus.REJECTED: "AdjustmentsRejected",
}


def _log(adjustment: Adjustment) -> None:
    told = {"adjustment_id": adjustment.adjustment_id, "status": adjustment.status, "points": adjustment.points}
    logger.info("adjustment", extra=told)


def routes(
    programs: ProgramStore, adjustments: AdjustmentService, store: AdjustmentStore, grants: TierGrants
) -> Router:
    """Everything under ``…/adjustments`` and ``…/tier-grants``."""
    router = Router()
    add_tier_grants(router, programs, grants)

    @router.post(
        _ADJUSTMENTS,
        summary="Give or take points by hand",
        tags=["Adjustments"],
        status_code=HTTPStatus.CREATED,
        responses={
            201: {"description": "Created", "content": {"application/json": {"model": AdjustmentView}}},
            202: {"description": "Accepted", "content": {"application/json": {"model": AdjustmentView}}},
        },
    )
    def post_adjustment(
        program: ProgramId,
        member_id: MemberId,
        body: Annotated[AdjustmentBody, Body()],
        idempotency_key: IdempotencyKey,
    ) -> Response[AdjustmentView]:
        client_id = caller(router)
        adjustment, replayed = adjustments.ask(
            programs.for_client(program, client_id),
            member_id,
            body.asked(),
            client_id=client_id,
            idempotency_key=idempotency_key,
        )
        count("AdjustmentsReplayed" if replayed else _METRICS[adjustment.status])
        _log(adjustment)
        proposed = adjustment.status is AdjustmentStatus.PROPOSED
        status = HTTPStatus.ACCEPTED if proposed else HTTPStatus.CREATED
        return done_once(AdjustmentView.of(adjustment), replayed=replayed, status=status)

    @router.get(_ADJUSTMENTS, summary="List adjustments by their status", tags=["Adjustments"])
    def get_adjustments(
        program: ProgramId,
        member_id: MemberId,
        status: Annotated[AdjustmentStatus, Query(description="What became of them.")],
        limit: Annotated[int, Query(ge=1, le=100, description="Adjustments that are looked at for a page.")] = 100,
        after: Annotated[AdjustmentId | None, Query(description="`next_after` of the page before.")] = None,
    ) -> AdjustmentsPage:
        programs.for_client(program, caller(router))
        page = store.page(program, member_id, status=status, limit=limit, after=after)
        return AdjustmentsPage(items=[AdjustmentView.of(one) for one in page.adjustments], next_after=page.next_after)

    @router.get(_ADJUSTMENT, summary="Read an adjustment", tags=["Adjustments"])
    def get_adjustment(program: ProgramId, member_id: MemberId, adjustment_id: AdjustmentId) -> AdjustmentView:
        programs.for_client(program, caller(router))
        return AdjustmentView.of(store.shown(program, member_id, adjustment_id))

    @router.post(f"{_ADJUSTMENT}/approve", summary="Approve an adjustment as the second person", tags=["Adjustments"])
    def approve(
        program: ProgramId, member_id: MemberId, adjustment_id: AdjustmentId, body: Annotated[DecisionBody, Body()]
    ) -> AdjustmentView:
        client_id = caller(router)
        current = programs.for_client(program, client_id)
        approved = adjustments.approve(current, member_id, adjustment_id, actor=body.actor, client_id=client_id)
        count("AdjustmentsApproved")
        _log(approved)
        return AdjustmentView.of(approved)

    @router.post(f"{_ADJUSTMENT}/reject", summary="Reject an adjustment as the second person", tags=["Adjustments"])
    def reject(
        program: ProgramId, member_id: MemberId, adjustment_id: AdjustmentId, body: Annotated[DecisionBody, Body()]
    ) -> AdjustmentView:
        client_id = caller(router)
        programs.for_client(program, client_id)
        rejected = adjustments.reject(program, member_id, adjustment_id, actor=body.actor, client_id=client_id)
        count("AdjustmentsRejected")
        _log(rejected)
        return AdjustmentView.of(rejected)

    return router
