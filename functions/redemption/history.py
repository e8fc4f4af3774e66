"""A member's redemptions, page by page."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.redemption.views import RedemptionsPage, RedemptionView
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller
from loyalty.programs.rewards import RewardType
from loyalty.programs.store import ProgramStore
from loyalty.rewards.history import Filter, History
from loyalty.rewards.model import RedemptionStatus

_Limit = Annotated[int, Query(ge=1, le=100, description="Redemptions on a page.")]
_Cursor = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")]


def add_history(router: Router, programs: ProgramStore, history: History) -> None:
    """``GET …/redemptions``."""

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
        page = history.page(program, member_id, limit=limit, cursor=cursor, only=Filter(status, type))
        items = [RedemptionView.of(redemption) for redemption in page.redemptions]
        return RedemptionsPage(items=items, next_cursor=page.next_cursor)
