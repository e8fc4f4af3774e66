"""Members: enroll, read, change."""

from http import HTTPStatus
from typing import Annotated, Any, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from loyalty.core.clock import to_text
from loyalty.core.fields import (
    Email,
    ExternalId,
    Locale,
    MemberId,
    OneLine,
    Phone,
    ProgramId,
    RequestBody,
    ResponseBody,
    Source,
)
from loyalty.core.http import REPLAYED_HEADER, IfMatch, caller, etag, version_of
from loyalty.members.model import Member, Profile
from loyalty.members.service import MemberService
from loyalty.programs.store import ProgramStore
from loyalty.referrals.model import CodeText

_MEMBERS = "/v1/programs/<program>/members"
_EXTERNAL_IDS = "The member's customer id on each commerce platform."


class EnrollmentBody(RequestBody):
    """A person who wants to take part. Sent again unchanged, it gives its first result."""

    email: Email
    phone: Phone | None = None
    given_name: OneLine | None = None
    family_name: OneLine | None = None
    locale: Locale | None = None
    referral_code: CodeText | None = None
    external_ids: Annotated[
        dict[Source, ExternalId],
        Field(default_factory=dict, max_length=10, description=_EXTERNAL_IDS, examples=[{"shopify": "207119551"}]),
    ]


class ChangesBody(RequestBody):
    """The fields to change, and no others; null removes a value."""

    email: Annotated[Email, Field(default=None)]
    phone: Phone | None = None
    given_name: OneLine | None = None
    family_name: OneLine | None = None
    locale: Locale | None = None
    external_ids: Annotated[
        dict[Source, ExternalId | None],
        Field(
            default_factory=dict,
            max_length=10,
            description=f"{_EXTERNAL_IDS} Platforms that are not named keep theirs.",
        ),
    ]


class MemberView(ResponseBody):
    """A member."""

    member_id: str
    referral_code: Annotated[str, Field(description="The member's own, for those whom they bring.")]
    tier: str
    email: str
    phone: str | None
    given_name: str | None
    family_name: str | None
    locale: str | None
    external_ids: dict[str, str]
    referred_by: Annotated[str | None, Field(description="Id of the member whose code was used at enrollment.")]
    created_at: str
    version: Annotated[int, Field(description="Grows with each change; the ETag.")]

    @classmethod
    def of(cls, member: Member) -> Self:
        """The view of a member."""
        profile = member.profile
        return cls(
            member_id=member.member_id,
            referral_code=member.referral_code,
            tier=member.tier,
            email=profile.email,
            phone=profile.phone,
            given_name=profile.given_name,
            family_name=profile.family_name,
            locale=profile.locale,
            external_ids=dict(profile.external_ids),
            referred_by=member.referred_by,
            created_at=to_text(member.created_at),
            version=member.version,
        )


def routes(programs: ProgramStore, members: MemberService) -> Router:
    """``POST …/members``, ``GET`` and ``PATCH …/members/{member_id}``."""
    router = Router()

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
        fields: dict[str, Any] = body.model_dump(exclude={"referral_code"})
        enrolled = members.enroll(current, Profile(**fields), referral_code=body.referral_code)
        location = f"/v1/programs/{program}/members/{enrolled.member.member_id}"
        replayed = {REPLAYED_HEADER: str(enrolled.replayed).lower()}
        return answer(HTTPStatus.CREATED, enrolled.member, Location=location, **replayed)

    @router.get(f"{_MEMBERS}/<member_id>", summary="Read a member", tags=["Members"])
    def get_member(program: ProgramId, member_id: MemberId) -> Response[MemberView]:
        programs.for_client(program, caller(router))
        return answer(HTTPStatus.OK, members.get(program, member_id))

    @router.patch(f"{_MEMBERS}/<member_id>", summary="Change a member", tags=["Members"])
    def patch_member(
        program: ProgramId, member_id: MemberId, body: Annotated[ChangesBody, Body()], if_match: IfMatch = None
    ) -> Response[MemberView]:
        programs.for_client(program, caller(router))
        changes = body.model_dump(include=body.model_fields_set)
        return answer(HTTPStatus.OK, members.update(program, member_id, changes, if_version=version_of(if_match)))

    return router
