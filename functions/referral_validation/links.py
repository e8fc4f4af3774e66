"""Links that members share: make, list, draw."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller, done_once
from loyalty.programs.fields import Slug
from loyalty.programs.store import ProgramStore
from loyalty.referrals.link_views import LinkBody, LinksView, LinkView
from loyalty.referrals.sharing import Sharing

_LINKS = "/v1/programs/<program>/members/<member_id>/referral-links"
_SVG = "image/svg+xml"

_Channel = Annotated[Slug, Query(description="One of the program's channels.")]
_Campaign = Annotated[Slug | None, Query(description="One of the program's campaigns that is not over.")]


def link_routes(programs: ProgramStore, sharing: Sharing) -> Router:
    """``POST`` and ``GET …/referral-links``, ``GET …/referral-links/qr``."""
    router = Router()

    @router.post(_LINKS, summary="Make a referral link", tags=["Referrals"], status_code=HTTPStatus.CREATED)
    def post_referral_link(
        program: ProgramId, member_id: MemberId, body: Annotated[LinkBody, Body()]
    ) -> Response[LinkView]:
        current = programs.for_client(program, caller(router))
        shared = sharing.share(current, member_id, body.campaign, body.channel)
        return done_once(LinkView.of(shared.link), replayed=shared.replayed)

    @router.get(_LINKS, summary="List the referral links of a member", tags=["Referrals"])
    def get_referral_links(program: ProgramId, member_id: MemberId) -> LinksView:
        return LinksView.of(sharing.links(programs.for_client(program, caller(router)), member_id))

    @router.get(
        f"{_LINKS}/qr",
        summary="Draw a referral link as a QR code",
        tags=["Referrals"],
        responses={200: {"description": "OK", "content": {_SVG: {"schema": {"type": "string"}}}}},
    )
    def get_referral_qr(
        program: ProgramId, member_id: MemberId, channel: _Channel, campaign: _Campaign = None
    ) -> Response[str]:
        current = programs.for_client(program, caller(router))
        picture = sharing.picture(current, member_id, campaign, channel)
        return Response(status_code=HTTPStatus.OK, content_type=_SVG, body=picture)

    return router
