"""Cases of suspected abuse: list, read; hold, release, confirm."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from loyalty.abuse.cases import CaseService
from loyalty.abuse.model import Case, Person, State
from loyalty.abuse.store import RiskStore
from loyalty.abuse.views import RiskCasesPage, RiskCaseView, RiskDecisionBody
from loyalty.core.cursor import Cursors
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller
from loyalty.core.telemetry import count, logger
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore

CASES = "/v1/programs/<program>/risk-cases"
RISK = "/v1/programs/<program>/members/<member_id>/risk"

_Decision = Annotated[RiskDecisionBody, Body()]


def routes(programs: ProgramStore, cases: CaseService, store: RiskStore, cursors: Cursors) -> Router:
    """``GET …/risk-cases``, and everything under ``…/risk``."""
    router = Router()

    def decider(program: str, body: RiskDecisionBody) -> tuple[Program, Person]:
        client_id = caller(router)
        return programs.for_client(program, client_id), body.person(client_id)

    @router.get(CASES, summary="List open cases of suspected abuse", tags=["Risk"])
    def get_risk_cases(
        program: ProgramId,
        limit: Annotated[int, Query(ge=1, le=100, description="Cases on a page.")] = 25,
        cursor: Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")] = None,
    ) -> RiskCasesPage:
        programs.for_client(program, caller(router))
        resource = f"risk-cases/{program}"
        after = str(cursors.read(resource, cursor)["after"]) if cursor else None
        page = store.page(program, limit=limit, after=after)
        return RiskCasesPage(
            # The index may be a moment behind: who was released just now is left out.
            items=[RiskCaseView.of(case) for case in page.items if case.state is State.OPEN],
            next_cursor=None if page.next is None else cursors.write(resource, {"after": page.next}),
        )

    @router.get(RISK, summary="Read what is held against a member", tags=["Risk"])
    def get_risk(program: ProgramId, member_id: MemberId) -> RiskCaseView:
        programs.for_client(program, caller(router))
        return RiskCaseView.of(cases.get(program, member_id))

    @router.post(f"{RISK}/hold", summary="Put a member on hold", tags=["Risk"])
    def post_risk_hold(program: ProgramId, member_id: MemberId, body: _Decision) -> RiskCaseView:
        _, person = decider(program, body)
        return _told("MembersHeldByHand", cases.hold(program, member_id, person, body.reason))

    @router.post(
        f"{RISK}/release",
        summary="Let a member redeem again, or ask a second person for it",
        tags=["Risk"],
        responses={
            200: {"description": "Released", "content": {"application/json": {"model": RiskCaseView}}},
            202: {
                "description": "Another person has to agree",
                "content": {"application/json": {"model": RiskCaseView}},
            },
        },
    )
    def post_risk_release(program: ProgramId, member_id: MemberId, body: _Decision) -> Response[RiskCaseView]:
        current, person = decider(program, body)
        two = current.document.four_eyes.releases
        case = cases.release(program, member_id, person, body.reason, second_person=two)
        done = case.state is State.RELEASED
        return Response(
            status_code=HTTPStatus.OK if done else HTTPStatus.ACCEPTED,
            content_type="application/json",
            body=_told("MembersReleased" if done else "ReleasesProposed", case),
        )

    @router.post(f"{RISK}/confirm", summary="Confirm that it is abuse", tags=["Risk"])
    def post_risk_confirm(program: ProgramId, member_id: MemberId, body: _Decision) -> RiskCaseView:
        _, person = decider(program, body)
        return _told("RiskCasesConfirmed", cases.confirm(program, member_id, person, body.reason))

    return router


def _told(metric: str, case: Case) -> RiskCaseView:
    count(metric)
    logger.info("risk case", extra={"member_id": case.member_id, "state": case.state, "on_hold": case.on_hold})
    return RiskCaseView.of(case)
