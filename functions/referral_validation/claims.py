"""A code named after the enrollment; by whom a member came, and whom they brought."""

from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from loyalty.core.clock import Clock
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller, done_once
from loyalty.programs.store import ProgramStore
from loyalty.referrals.claims import ClaimService
from loyalty.referrals.views import BroughtListView, ClaimBody, ReferralView

_MEMBER: Final = "/v1/programs/<program>/members/<member_id>"
_Limit = Annotated[int, Query(ge=1, le=100, description="Members on a page.")]
_Cursor = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")]


def claim_routes(programs: ProgramStore, claims: ClaimService, clock: Clock) -> Router:
    """``POST`` and ``GET …/referral``, ``GET …/referrals``."""
    router = Router()

    @router.post(
        f"{_MEMBER}/referral", summary="Name a referral code", tags=["Referrals"], status_code=HTTPStatus.CREATED
    )
    def post_referral(
        program: ProgramId, member_id: MemberId, body: Annotated[ClaimBody, Body()]
    ) -> Response[ReferralView]:
        claimed = claims.claim(
            programs.for_client(program, caller(router)),
            member_id,
            body.referral_code,
            channel=body.referral_channel,
            campaign=body.referral_campaign,
        )
        return done_once(ReferralView.of(claimed.referral, clock()), replayed=claimed.replayed)

    @router.get(f"{_MEMBER}/referral", summary="Read by whom a member came", tags=["Referrals"])
    def get_referral(program: ProgramId, member_id: MemberId) -> ReferralView:
        current = programs.for_client(program, caller(router))
        return ReferralView.of(claims.own(current, member_id), clock())

    @router.get(f"{_MEMBER}/referrals", summary="List whom a member brought", tags=["Referrals"])
    def get_referrals(
        program: ProgramId, member_id: MemberId, *, limit: _Limit = 25, cursor: _Cursor = None
    ) -> BroughtListView:
        current = programs.for_client(program, caller(router))
        return BroughtListView.of(claims.brought(current, member_id, limit=limit, cursor=cursor), clock())

    return router
