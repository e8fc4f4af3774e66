"""Links of members: they lead on, and whoever follows one is counted, unseen."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from loyalty.core.fields import ProgramId
from loyalty.referrals.following import Links, is_followed

_LINK = "/r/<program>/<code>"
_DESCRIPTION = (
    "Anybody may follow a link. It leads to the page that the program names, and nowhere else; with `ref` and `click` where the "
    "code may be used. `HEAD`, looks ahead and programs that say what they are lead there too, and are not counted. Nothing is kept of "
    "whoever follows it."
)

_Code = Annotated[str, Path(description="A member's code.")]
_Campaign = Annotated[
    str | None, Query(alias="c", description="A campaign; one that the program does not run is left out.")
]
_Channel = Annotated[
    str | None, Query(alias="ch", description="A channel; one that the program does not have is left out.")
]


def routes(links: Links) -> Router:
    """``GET`` and ``HEAD /r/{program}/{code}``."""
    router = Router()

    def lead_on(program: str, code: str, campaign: str | None, channel: str | None) -> Response[None]:
        event = router.current_event
        followed = is_followed(event.http_method, event.headers)
        url = links.follow(program, code, campaign=campaign, channel=channel, counts=followed)
        headers = {"Location": url, "Referrer-Policy": "no-referrer"}
        return Response(status_code=HTTPStatus.FOUND, content_type=None, headers=headers, body=None)

    @router.get(
        _LINK, summary="Follow a referral link", description=_DESCRIPTION, tags=["Links"], status_code=HTTPStatus.FOUND
    )
    def get_link(program: ProgramId, code: _Code, c: _Campaign = None, ch: _Channel = None) -> Response[None]:
        return lead_on(program, code, c, ch)

    @router.head(
        _LINK,
        summary="See where a referral link leads",
        description=_DESCRIPTION,
        tags=["Links"],
        status_code=HTTPStatus.FOUND,
    )
    def head_link(program: ProgramId, code: _Code, c: _Campaign = None, ch: _Channel = None) -> Response[None]:
        return lead_on(program, code, c, ch)

    return router
