"""The stock of rewards: what is left, and putting more in."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from loyalty.core.fields import ProgramId
from loyalty.core.http import IdempotencyKey, caller, done_once
from loyalty.core.telemetry import count, logger
from loyalty.programs.fields import Slug
from loyalty.programs.store import ProgramStore
from loyalty.stock.service import StockService
from loyalty.stock.views import RestockBody, RestockView, StockView

_STOCK = "/v1/programs/<program>/rewards/<reward_id>/stock"


def routes(programs: ProgramStore, stock: StockService) -> Router:
    """Everything under ``…/rewards/{reward_id}/stock``."""
    router = Router()

    @router.get(_STOCK, summary="Read what is left of a reward", tags=["Rewards"])
    def get_stock(program: ProgramId, reward_id: Slug) -> StockView:
        return StockView.of(reward_id, stock.read(programs.for_client(program, caller(router)), reward_id))

    @router.post(
        _STOCK, summary="Put a reward into stock, or withdraw it", tags=["Rewards"], status_code=HTTPStatus.CREATED
    )
    def post_restock(
        program: ProgramId,
        reward_id: Slug,
        body: Annotated[RestockBody, Body()],
        idempotency_key: IdempotencyKey,
    ) -> Response[RestockView]:
        client_id = caller(router)
        restock, replayed = stock.add(
            programs.for_client(program, client_id),
            reward_id,
            add=body.add,
            reference=body.reference,
            actor=body.actor,
            client_id=client_id,
            idempotency_key=idempotency_key,
        )
        count("RestocksReplayed" if replayed else "Restocks")
        logger.info("restock", extra={"restock_id": restock.restock_id, "reward_id": reward_id, "add": restock.add})
        return done_once(RestockView.of(restock), replayed=replayed)

    return router
