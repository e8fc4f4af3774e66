"""The catalogue, and redemptions: hold, capture, release, cancel."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from loyalty.core.clock import to_text
from loyalty.core.fields import MemberId, ProgramId, RedemptionId, RequestBody, ResponseBody
from loyalty.core.http import REPLAYED_HEADER, IdempotencyKey, caller
from loyalty.core.telemetry import count, logger
from loyalty.programs.fields import MAX_POINTS, Slug
from loyalty.programs.store import ProgramStore
from loyalty.rewards.holding import MAX_HOLD_MINUTES
from loyalty.rewards.model import Party, Redemption
from loyalty.rewards.service import RedemptionService

_REDEMPTIONS = "/v1/programs/<program>/members/<member_id>/redemptions"


class RedemptionBody(RequestBody):
    """Which reward, and how many of it."""

    reward_id: Slug
    quantity: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    hold_minutes: Annotated[
        int | None,
        Field(
            strict=True,
            ge=1,
            le=MAX_HOLD_MINUTES,
            description="After so many minutes the points go back by themselves. Left out: as long as the program says. "
            "Not for gift cards, which the platform ends.",
        ),
    ] = None


class CaptureBody(RequestBody):
    """How many of the held points are spent."""

    points: Annotated[
        int | None,
        Field(strict=True, ge=1, le=MAX_POINTS, description="The others go back. Left out: all are spent."),
    ] = None


class RedemptionView(ResponseBody):
    """A redemption. It is ``held`` until it ends once: ``captured``, ``released`` or ``timed_out``.

    What was captured may be ``cancelled``.
    """

    redemption_id: str
    status: str
    reward_id: str
    reward_type: str
    quantity: int
    points: Annotated[int, Field(description="The whole price.")]
    held_at: str
    expires_at: Annotated[
        str | None, Field(description="When the points go back, unless the redemption has ended by then; null: never.")
    ] = None
    ended_at: Annotated[str | None, Field(description="When it was captured, released, or timed out.")] = None
    captured_points: Annotated[int | None, Field(description="How many of the points were captured.")] = None
    cancelled_at: Annotated[str | None, Field(description="When the captured points came back.")] = None

    @classmethod
    def of(cls, redemption: Redemption) -> Self:
        """The view of a redemption."""
        return cls(
            redemption_id=redemption.redemption_id,
            status=redemption.status,
            reward_id=redemption.reward_id,
            reward_type=redemption.reward_type,
            quantity=redemption.quantity,
            points=redemption.points,
            held_at=to_text(redemption.held_at),
            expires_at=_text(redemption.expires_at),
            ended_at=_text(redemption.ended_at),
            captured_points=redemption.captured_points,
            cancelled_at=_text(redemption.cancelled_at),
        )


class RewardView(ResponseBody):
    """An item of the catalogue."""

    reward_id: str
    name: str
    type: str
    points: Annotated[int, Field(description="Price of one.")]
    tiers: Annotated[list[str], Field(description="Only for members on one of these; none: for everybody.")]


class RewardsPage(ResponseBody):
    """The catalogue of the program's current version, whole: it has 200 rewards at most."""

    items: list[RewardView]


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)


def _log(redemption: Redemption) -> None:
    logger.info("redemption", extra={"redemption_id": redemption.redemption_id, "status": redemption.status})


def routes(programs: ProgramStore, redemptions: RedemptionService) -> Router:
    """The catalogue and everything under ``…/redemptions``."""
    router = Router()

    @router.get("/v1/programs/<program>/rewards", summary="Read the catalogue", tags=["Rewards"])
    def get_rewards(program: ProgramId) -> RewardsPage:
        document = programs.for_client(program, caller(router)).document
        return RewardsPage(
            items=[
                RewardView(
                    reward_id=reward.id,
                    name=reward.name,
                    type=reward.type,
                    points=reward.points,
                    tiers=list(reward.tiers),
                )
                for reward in document.rewards
            ]
        )

    @router.post(_REDEMPTIONS, summary="Hold points for a reward", tags=["Redemptions"], status_code=HTTPStatus.CREATED)
    def post_redemption(
        program: ProgramId,
        member_id: MemberId,
        body: Annotated[RedemptionBody, Body()],
        idempotency_key: IdempotencyKey,
    ) -> Response[RedemptionView]:
        client_id = caller(router)
        redemption, replayed = redemptions.hold(
            programs.for_client(program, client_id),
            member_id,
            reward_id=body.reward_id,
            quantity=body.quantity,
            client_id=client_id,
            idempotency_key=idempotency_key,
            hold_minutes=body.hold_minutes,
        )
        count("RedemptionsReplayed" if replayed else "RedemptionsHeld")
        _log(redemption)
        return Response(
            status_code=HTTPStatus.CREATED,
            content_type="application/json",
            headers={REPLAYED_HEADER: str(replayed).lower()},
            body=RedemptionView.of(redemption),
        )

    @router.get(f"{_REDEMPTIONS}/<redemption_id>", summary="Read a redemption", tags=["Redemptions"])
    def get_redemption(program: ProgramId, member_id: MemberId, redemption_id: RedemptionId) -> RedemptionView:
        programs.for_client(program, caller(router))
        return RedemptionView.of(redemptions.get(program, member_id, redemption_id))

    @router.post(f"{_REDEMPTIONS}/<redemption_id>/capture", summary="Spend held points", tags=["Redemptions"])
    def capture(
        program: ProgramId,
        member_id: MemberId,
        redemption_id: RedemptionId,
        body: Annotated[CaptureBody | None, Body()] = None,
    ) -> RedemptionView:
        current = programs.for_client(program, caller(router))
        points = None if body is None else body.points
        captured = redemptions.capture(current, member_id, redemption_id, by=Party.PARTNER, points=points)
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
