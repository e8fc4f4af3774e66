"""Where a member stands on the ladders of tiers."""

from aws_lambda_powertools.event_handler.api_gateway import Router

from loyalty.core.clock import Clock, local_date
from loyalty.core.errors import MemberNotFound
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller
from loyalty.ledger.settlement import as_of
from loyalty.ledger.store import LedgerStore
from loyalty.programs.store import ProgramStore
from loyalty.tiers.progress import progress
from loyalty.tiers.views import LadderView, TierView


def add_tiers(router: Router, programs: ProgramStore, ledger: LedgerStore, clock: Clock) -> None:
    """``GET …/tier``."""

    @router.get(
        "/v1/programs/<program>/members/<member_id>/tier", summary="Read a member's tiers and progress", tags=["Tiers"]
    )
    def get_tier(program: ProgramId, member_id: MemberId) -> TierView:
        current, now = programs.for_client(program, caller(router)), clock()
        book = ledger.current(program, member_id)
        if book is None:
            raise MemberNotFound.of(program, member_id)
        found = progress(current, as_of(book, current.scope, now), today=local_date(now, current.scope.zone))
        return TierView(member_id=book.member_id, ladders=[LadderView.of(one) for one in found])
