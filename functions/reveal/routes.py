"""What was delivered: shown once it is written down who sees it; told of anew."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import Field

from loyalty.core.fields import MemberId, ProgramId, RedemptionId, ResponseBody
from loyalty.core.http import caller
from loyalty.core.telemetry import count, logger
from loyalty.programs.store import ProgramStore
from loyalty.vault.service import OFTEN, CardService
from loyalty_contract import CARDS_REVEALED, CARDS_REVEALED_OFTEN

_REDEMPTION = "/v1/programs/<program>/members/<member_id>/redemptions/<redemption_id>"


class CardView(ResponseBody):
    """A delivered gift card or code. Whoever has it can spend it: show it to the member, and keep it nowhere."""

    link: Annotated[str | None, Field(description="Where the card is shown.")] = None
    code: str | None = None
    pin: str | None = None
    expires_on: Annotated[str | None, Field(description="The last day on which it can be spent, if there is one.")] = (
        None
    )


class ResentView(ResponseBody):
    """The event `card.resent` follows."""

    redemption_id: str


def routes(programs: ProgramStore, cards: CardService) -> Router:
    """``POST …/reveal`` and ``POST …/resend``."""
    router = Router()

    @router.post(f"{_REDEMPTION}/reveal", summary="Reveal a gift card or code", tags=["Redemptions"])
    def reveal(program: ProgramId, member_id: MemberId, redemption_id: RedemptionId) -> Response[CardView]:
        client_id = caller(router)
        programs.for_client(program, client_id)
        revealed = cards.reveal(program, member_id, redemption_id, client_id=client_id)
        count(CARDS_REVEALED)
        if revealed.access > OFTEN:
            count(CARDS_REVEALED_OFTEN)
        logger.info("card revealed", extra={"redemption_id": redemption_id, "access": revealed.access})
        card = revealed.card
        return Response(
            status_code=HTTPStatus.OK,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
            body=CardView(link=card.link, code=card.code, pin=card.pin, expires_on=card.expires_on),
        )

    @router.post(
        f"{_REDEMPTION}/resend",
        summary="Tell the member anew that a gift card or code is there",
        tags=["Redemptions"],
        status_code=HTTPStatus.ACCEPTED,
    )
    def resend(program: ProgramId, member_id: MemberId, redemption_id: RedemptionId) -> Response[ResentView]:
        client_id = caller(router)
        programs.for_client(program, client_id)
        cards.resend(program, member_id, redemption_id, client_id=client_id)
        count("CardsResent")
        return Response(
            status_code=HTTPStatus.ACCEPTED,
            content_type="application/json",
            body=ResentView(redemption_id=redemption_id),
        )

    return router
