"""Members: enroll, read, change; their segments."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.enrollment.segments import add_segments
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import REPLAYED_HEADER, IfMatch, caller, etag, version_of
from loyalty.members.model import PROFILE_FIELDS, Member, Profile
from loyalty.members.service import MemberService
from loyalty.members.views import ChangesBody, EnrollmentBody, MemberView
from loyalty.programs.store import ProgramStore
from loyalty.segments.service import SegmentService

_MEMBERS = "/v1/programs/<program>/members"


def routes(programs: ProgramStore, members: MemberService, segments: SegmentService) -> Router:
    """``POST …/members``, ``GET`` and ``PATCH …/members/{member_id}``, everything under ``…/segments``."""
    router = Router()
    add_segments(router, programs, segments)

    def answer(status: HTTPStatus, member: Member, **headers: str) -> Response[MemberView]:
        return Response(
            status_code=status,
            content_type="application/json",
            headers={"ETag": etag(member.version)} | {name.replace("_", "-"): value for name, value in headers.items()},
            body=MemberView.of(member),
        )

    @router.post(_MEMBERS, summary="Enroll a member", tags=["Members"], status_code=HTTPStatus.CREATED)
    def post_member(program: ProgramId, body: Annotated[EnrollmentBody, Body()]) -> Response[MemberView]:
        current = programs.for_client(program, caller(router))
        fields: dict[str, Any] = body.model_dump(include=set(PROFILE_FIELDS))
        if body.refused:
            found = members.enrolled_before(current, body.earlier, referral_code=body.referral_code)
            if found is None:
                raise RequestValidationError(body.refused)
            enrolled = found
        else:
            enrolled = members.enroll(
                current, Profile(**fields), referral_code=body.referral_code, came=body.came(), earlier=body.earlier
            )
        location = f"/v1/programs/{program}/members/{enrolled.member.member_id}"
        replayed = {REPLAYED_HEADER: str(enrolled.replayed).lower()}
        return answer(HTTPStatus.CREATED, enrolled.member, Location=location, **replayed)

    @router.get(f"{_MEMBERS}/<member_id>", summary="Read a member", tags=["Members"])
    def get_member(program: ProgramId, member_id: MemberId) -> Response[MemberView]:
        return answer(HTTPStatus.OK, members.get(programs.for_client(program, caller(router)), member_id))

    @router.patch(f"{_MEMBERS}/<member_id>", summary="Change a member", tags=["Members"])
    def patch_member(
        program: ProgramId, member_id: MemberId, body: Annotated[ChangesBody, Body()], if_match: IfMatch = None
    ) -> Response[MemberView]:
        current = programs.for_client(program, caller(router))
        changes = body.model_dump(include=body.model_fields_set)
        return answer(HTTPStatus.OK, members.update(current, member_id, changes, if_version=version_of(if_match)))

    return router
