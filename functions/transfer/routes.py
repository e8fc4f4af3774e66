"""Transfers between members, and households with their pools."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from loyalty.core.fields import HouseholdId, MemberId, ProgramId
from loyalty.core.http import IdempotencyKey, caller, done_once
from loyalty.core.telemetry import count, logger
from loyalty.households.pooling import Pooled, PoolingService
from loyalty.households.service import Found, HouseholdService
from loyalty.households.views import FoundingBody, HouseholdView, JoiningBody, PoolingBody, PoolingView
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.transfers.model import Transfer
from loyalty.transfers.service import TransferService
from loyalty.transfers.views import TransferBody, TransferView

_MEMBER = "/v1/programs/<program>/members/<member_id>"
_HOUSEHOLDS = "/v1/programs/<program>/households"
_HOUSEHOLD = f"{_HOUSEHOLDS}/<household_id>"


def _log(transfer: Transfer, metric: str, *, replayed: bool) -> None:
    count("TransfersReplayed" if replayed else metric)
    logger.info("transfer", extra={"transfer_id": transfer.transfer_id, "points": transfer.points})


def _view(program: Program, found: Found) -> HouseholdView:
    return HouseholdView.of(found.household, found.book, program.scope)


def routes(
    programs: ProgramStore, transfers: TransferService, households: HouseholdService, pools: PoolingService
) -> Router:
    """``POST …/transfers``, and everything under ``…/households``."""
    router = Router()

    @router.post(
        f"{_MEMBER}/transfers", summary="Give points to another member", tags=["Transfers"],
        status_code=HTTPStatus.CREATED,
    )  # fmt: skip
    def post_transfer(
        program: ProgramId, member_id: MemberId, body: Annotated[TransferBody, Body()], idempotency_key: IdempotencyKey
    ) -> Response[TransferView]:
        client_id = caller(router)
        transfer, replayed = transfers.give(
            programs.for_client(program, client_id),
            member_id,
            to_member_id=body.to_member_id,
            points=body.points,
            wallet=body.wallet,
            client_id=client_id,
            idempotency_key=idempotency_key,
        )
        _log(transfer, "TransfersPosted", replayed=replayed)
        return done_once(TransferView.of(transfer), replayed=replayed)

    @router.post(_HOUSEHOLDS, summary="Found a household", tags=["Households"], status_code=HTTPStatus.CREATED)
    def post_household(
        program: ProgramId, body: Annotated[FoundingBody, Body()], idempotency_key: IdempotencyKey
    ) -> Response[HouseholdView]:
        client_id = caller(router)
        current = programs.for_client(program, client_id)
        found, replayed = households.create(current, body.head, client_id=client_id, idempotency_key=idempotency_key)
        count("HouseholdsReplayed" if replayed else "HouseholdsFounded")
        return done_once(_view(current, found), replayed=replayed)

    @router.get(_HOUSEHOLD, summary="Read a household", tags=["Households"])
    def get_household(program: ProgramId, household_id: HouseholdId) -> HouseholdView:
        current = programs.for_client(program, caller(router))
        return _view(current, households.read(current, household_id))

    @router.get(f"{_MEMBER}/household", summary="Read a member's household", tags=["Households"])
    def get_member_household(program: ProgramId, member_id: MemberId) -> HouseholdView:
        current = programs.for_client(program, caller(router))
        return _view(current, households.of_member(current, member_id))

    @router.post(f"{_HOUSEHOLD}/members", summary="Add a member to a household", tags=["Households"])
    def post_household_member(
        program: ProgramId, household_id: HouseholdId, body: Annotated[JoiningBody, Body()]
    ) -> HouseholdView:
        current = programs.for_client(program, caller(router))
        return _view(current, households.join(current, household_id, body.member_id))

    @router.delete(f"{_HOUSEHOLD}/members/<member_id>", summary="Take a member out of a household", tags=["Households"])
    def delete_household_member(program: ProgramId, household_id: HouseholdId, member_id: MemberId) -> HouseholdView:
        current = programs.for_client(program, caller(router))
        return _view(current, households.leave(current, household_id, member_id))

    @router.post(
        f"{_HOUSEHOLD}/contributions", summary="Put a member's points into the pool", tags=["Households"],
        status_code=HTTPStatus.CREATED,
    )  # fmt: skip
    def post_contribution(
        program: ProgramId,
        household_id: HouseholdId,
        body: Annotated[PoolingBody, Body()],
        idempotency_key: IdempotencyKey,
    ) -> Response[PoolingView]:
        client_id = caller(router)
        current = programs.for_client(program, client_id)
        pooled = Pooled(household_id, body.member_id, body.points, client_id, idempotency_key)
        transfer, replayed = pools.contribute(current, pooled)
        _log(transfer, "ContributionsPosted", replayed=replayed)
        return done_once(PoolingView.contribution(transfer), replayed=replayed)

    @router.post(
        f"{_HOUSEHOLD}/withdrawals", summary="Take points out of the pool for a member", tags=["Households"],
        status_code=HTTPStatus.CREATED,
    )  # fmt: skip
    def post_withdrawal(
        program: ProgramId,
        household_id: HouseholdId,
        body: Annotated[PoolingBody, Body()],
        idempotency_key: IdempotencyKey,
    ) -> Response[PoolingView]:
        client_id = caller(router)
        current = programs.for_client(program, client_id)
        pooled = Pooled(household_id, body.member_id, body.points, client_id, idempotency_key)
        transfer, replayed = pools.withdraw(current, pooled)
        _log(transfer, "WithdrawalsPosted", replayed=replayed)
        return done_once(PoolingView.withdrawal(transfer), replayed=replayed)

    return router
