"""Tiers granted by staff: grant, end."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import IdempotencyKey, caller, done_once
from loyalty.core.telemetry import count, logger
from loyalty.ledger.draft import Posted
from loyalty.programs.fields import Slug
from loyalty.programs.store import ProgramStore
from loyalty.tiers.grants import TierGrants
from loyalty.tiers.views import TierGrantBody, TierGrantEndBody, TierGrantView

_GRANTS = "/v1/programs/<program>/members/<member_id>/tier-grants/<ladder>"


def add_tier_grants(router: Router, programs: ProgramStore, grants: TierGrants) -> None:
    """Everything under ``…/tier-grants``."""

    @router.post(_GRANTS, summary="Grant a tier for a time", tags=["Tiers"], status_code=HTTPStatus.CREATED)
    def post_tier_grant(
        program: ProgramId,
        member_id: MemberId,
        ladder: Slug,
        body: Annotated[TierGrantBody, Body()],
        idempotency_key: IdempotencyKey,
    ) -> Response[TierGrantView]:
        client_id = caller(router)
        posted = grants.grant(
            programs.for_client(program, client_id),
            member_id,
            body.asked(ladder, client_id, idempotency_key),
            tier=body.tier,
            until=body.until,
        )
        return _answer(posted, "TiersGranted")

    @router.post(f"{_GRANTS}/end", summary="End a granted tier", tags=["Tiers"], status_code=HTTPStatus.CREATED)
    def post_tier_grant_end(
        program: ProgramId,
        member_id: MemberId,
        ladder: Slug,
        body: Annotated[TierGrantEndBody, Body()],
        idempotency_key: IdempotencyKey,
    ) -> Response[TierGrantView]:
        client_id = caller(router)
        posted = grants.end(
            programs.for_client(program, client_id),
            member_id,
            body.asked(ladder, client_id, idempotency_key),
        )
        return _answer(posted, "TierGrantsEnded")


def _answer(posted: Posted, metric: str) -> Response[TierGrantView]:
    if not posted.replayed:
        count(metric)
    logger.info("tier granted or ended", extra={"entry_id": posted.entry.entry_id, "tier": posted.entry.tier_to})
    return done_once(TierGrantView.of(posted.entry), replayed=posted.replayed)
