"""Redemptions: quote, hold, capture, release, cancel."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.redemption.catalogue import add_catalogue
from functions.redemption.history import add_history
from functions.redemption.views import CaptureBody, QuoteBody, QuoteView, RedemptionBody, RedemptionView
from loyalty.core.fields import MemberId, ProgramId, RedemptionId
from loyalty.core.http import IdempotencyKey, caller, done_once
from loyalty.core.telemetry import count, logger
from loyalty.programs.store import ProgramStore
from loyalty.rewards.catalogue import Catalogue
from loyalty.rewards.history import History
from loyalty.rewards.model import Party, Redemption
from loyalty.rewards.service import RedemptionService

_REDEMPTIONS = "/v1/programs/<program>/members/<member_id>/redemptions"


def _log(redemption: Redemption) -> None:
    logger.info("redemption", extra={"redemption_id": redemption.redemption_id, "status": redemption.status})


def routes(
    programs: ProgramStore,
    redemptions: RedemptionService,
    catalogue: Catalogue,
    history: History,
) -> Router:
    """The catalogue and everything under ``…/redemptions``."""
    router = Router()
    add_catalogue(router, programs, catalogue)
    add_history(router, programs, history)

    @router.post(f"{_REDEMPTIONS}/quote", summary="Ask what a redemption would cost", tags=["Redemptions"])
    def post_quote(program: ProgramId, member_id: MemberId, body: Annotated[QuoteBody, Body()]) -> QuoteView:
        current = programs.for_client(program, caller(router))
        return QuoteView.of(redemptions.quote(current, member_id, body.wish))

    @router.post(_REDEMPTIONS, summary="Hold points for a reward", tags=["Redemptions"], status_code=HTTPStatus.CREATED)
    def post_redemption(
        program: ProgramId,
        member_id: MemberId,
        body: Annotated[RedemptionBody, Body()],
        idempotency_key: IdempotencyKey,
    ) -> Response[RedemptionView]:
        client_id = caller(router)
        current = programs.for_client(program, client_id)
        redemption, replayed = redemptions.hold(
            current,
            member_id,
            reward_id=body.reward_id,
            quantity=body.quantity,
            client_id=client_id,
            idempotency_key=idempotency_key,
            hold_minutes=body.hold_minutes,
            amount=body.money,
            country=body.country,
            quoted_points=body.quoted_points,
            quoted_wallet=body.quoted_wallet,
        )
        count("RedemptionsReplayed" if replayed else "RedemptionsHeld")
        _log(redemption)
        return done_once(RedemptionView.of(redemption), replayed=replayed)

    @router.get(f"{_REDEMPTIONS}/<redemption_id>", summary="Read a redemption", tags=["Redemptions"])
    def get_redemption(program: ProgramId, member_id: MemberId, redemption_id: RedemptionId) -> RedemptionView:
        programs.for_client(program, caller(router))
        return RedemptionView.of(redemptions.shown(program, member_id, redemption_id))

    @router.post(f"{_REDEMPTIONS}/<redemption_id>/capture", summary="Spend held points", tags=["Redemptions"])
    def capture(
        program: ProgramId,
        member_id: MemberId,
        redemption_id: RedemptionId,
        body: Annotated[CaptureBody | None, Body()] = None,
    ) -> RedemptionView:
        current = programs.for_client(program, caller(router))
        asked = body or CaptureBody()
        captured = redemptions.capture(
            current,
            member_id,
            redemption_id,
            by=Party.PARTNER,
            points=asked.points,
            reference=asked.reference,
            tracking_url=asked.tracking_url,
        )
        _log(captured)
        return RedemptionView.of(captured)

    @router.post(f"{_REDEMPTIONS}/<redemption_id>/release", summary="Give held points back", tags=["Redemptions"])
    def release(program: ProgramId, member_id: MemberId, redemption_id: RedemptionId) -> RedemptionView:
        current = programs.for_client(program, caller(router))
        released = redemptions.release(current, member_id, redemption_id, by=Party.PARTNER)
        _log(released)
        return RedemptionView.of(released)

    @router.post(f"{_REDEMPTIONS}/<redemption_id>/cancel", summary="Undo a capture", tags=["Redemptions"])
    def cancel(program: ProgramId, member_id: MemberId, redemption_id: RedemptionId) -> RedemptionView:
        current = programs.for_client(program, caller(router))
        cancelled = redemptions.cancel(current, member_id, redemption_id, by=Party.PARTNER)
        _log(cancelled)
        return RedemptionView.of(cancelled)

    return router
