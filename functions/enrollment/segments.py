"""The segments of a member: read, assign."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import IfMatch, caller, etag, version_of
from loyalty.core.telemetry import logger
from loyalty.programs.store import ProgramStore
from loyalty.segments.model import MemberSegments
from loyalty.segments.service import SegmentService
from loyalty.segments.views import SegmentsBody, SegmentsView

_SEGMENTS = "/v1/programs/<program>/members/<member_id>/segments"


def add_segments(router: Router, programs: ProgramStore, segments: SegmentService) -> None:
    """``GET`` and ``PUT …/segments``."""

    @router.get(_SEGMENTS, summary="Read the segments of a member", tags=["Members"])
    def get_segments(program: ProgramId, member_id: MemberId) -> Response[SegmentsView]:
        return _answer(segments.get(programs.for_client(program, caller(router)), member_id))

    @router.put(_SEGMENTS, summary="Put a member into segments", tags=["Members"])
    def put_segments(
        program: ProgramId, member_id: MemberId, body: Annotated[SegmentsBody, Body()], if_match: IfMatch = None
    ) -> Response[SegmentsView]:
        current = programs.for_client(program, caller(router))
        assigned = segments.assign(current, member_id, body.assignments(), if_version=version_of(if_match))
        # Not which ones: a segment may say something personal.
        logger.info("segments", extra={"member_id": member_id, "version": assigned.version})
        return _answer(assigned)


def _answer(found: MemberSegments) -> Response[SegmentsView]:
    return Response(
        status_code=HTTPStatus.OK,
        content_type="application/json",
        headers={"ETag": etag(found.version)},
        body=SegmentsView.of(found),
    )
