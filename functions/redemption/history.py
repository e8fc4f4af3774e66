"""A member's redemptions, page by page."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.redemption.views import RedemptionsPage, RedemptionView
from loyalty.core.clock import Clock
from loyalty.core.cursor import Cursors
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller
from loyalty.programs.rewards import RewardType
from loyalty.programs.store import ProgramStore
from loyalty.rewards.history import Filter, History
from loyalty.rewards.model import RedemptionStatus

_Limit = Annotated[int, Query(ge=1, le=100, description="Redemptions on a page.")]
_Cursor = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")]


def history_routes(programs: ProgramStore, history: History, cursors: Cursors, clock: Clock) -> Router:
    """``GET …/redemptions``."""
    router = Router()

    @router.get(
        "/v1/programs/<program>/members/<member_id>/redemptions", summary="List redemptions", tags=["Redemptions"]
    )
    def get_redemptions(
        program: ProgramId,
        member_id: MemberId,
        *,
        status: Annotated[RedemptionStatus | None, Query()] = None,
        type: Annotated[RewardType | None, Query()] = None,  # noqa: A002 - the parameter's name in the API
        limit: _Limit = 25,
        cursor: _Cursor = None,
    ) -> RedemptionsPage:
        programs.for_client(program, caller(router))
        resource = f"redemptions/{program}/{member_id}"
        before = str(cursors.read(resource, cursor)["before"]) if cursor else None
        only = Filter(status, type)
        page = history.page(program, member_id, clock(), limit=limit, before=before, only=only)
        older = page.next_before
        return RedemptionsPage(
            items=[RedemptionView.of(redemption) for redemption in page.redemptions],
            next_cursor=None if older is None else cursors.write(resource, {"before": older}),
        )

    return router
