"""Merging two members who are one person."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller, done_once
from loyalty.core.telemetry import count, logger
from loyalty.merging.service import MergeService
from loyalty.merging.views import MergeBody, MergeView
from loyalty.programs.store import ProgramStore


def routes(programs: ProgramStore, merging: MergeService) -> Router:
    """``POST …/merge``."""
    router = Router()

    @router.post(
        "/v1/programs/<program>/members/<member_id>/merge",
        summary="Merge another member into this one",
        tags=["Members"],
        status_code=HTTPStatus.CREATED,
    )
    def post_merge(program: ProgramId, member_id: MemberId, body: Annotated[MergeBody, Body()]) -> Response[MergeView]:
        current = programs.for_client(program, caller(router))
        survivor, absorbed = merging.merge(current, member_id, absorbed=body.from_member_id, actor=body.actor)
        count("MergesReplayed" if survivor.replayed else "MembersMerged")
        # Not the entry's id, which names a member.
        logger.info("merge", extra={"points": survivor.entry.points, "replayed": survivor.replayed})
        return done_once(MergeView.of(survivor, absorbed), replayed=survivor.replayed)

    return router
