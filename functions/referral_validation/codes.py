"""The codes of a member: read, choose."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from loyalty.core.clock import Clock
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import IfMatch, caller, etag, version_of
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.referrals.choosing import HeldCodes, MemberCodes
from loyalty.referrals.code_views import CodeBody, CodesView

_CODE = "/v1/programs/<program>/members/<member_id>/referral-code"


def code_routes(programs: ProgramStore, codes: MemberCodes, clock: Clock) -> Router:
    """``GET`` and ``PUT …/referral-code``."""
    router = Router()

    def answer(program: Program, held: HeldCodes) -> Response[CodesView]:
        return Response(
            status_code=HTTPStatus.OK,
            content_type="application/json",
            headers={"ETag": etag(held.version)},
            body=CodesView.of(held, program.document.referrals, clock()),
        )

    @router.get(_CODE, summary="Read the referral codes of a member", tags=["Referrals"])
    def get_referral_code(program: ProgramId, member_id: MemberId) -> Response[CodesView]:
        current = programs.for_client(program, caller(router))
        return answer(current, codes.get(current, member_id))

    @router.put(_CODE, summary="Choose the referral code of a member", tags=["Referrals"])
    def put_referral_code(
        program: ProgramId, member_id: MemberId, body: Annotated[CodeBody, Body()], if_match: IfMatch = None
    ) -> Response[CodesView]:
        current = programs.for_client(program, caller(router))
        return answer(current, codes.choose(current, member_id, body.code, if_version=version_of(if_match)))

    return router
