"""Erasures of members: ask, decide, follow."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller
from loyalty.core.telemetry import count, logger
from loyalty.members.erasure import Erasure, ErasureReason
from loyalty.privacy.erasing import Asked, Erasing
from loyalty.privacy.views import ErasureBody, ErasureView, HandBody
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore

_ERASURE: Final = "/v1/programs/<program>/members/<member_id>/erasure"
_TAGS: Final = ["Privacy"]
_Decide = Callable[[Program, str, Asked], Erasure]


def _log(erasure: Erasure) -> ErasureView:
    logger.info("erasure", extra={"member_id": erasure.member_id, "status": erasure.status})
    return ErasureView.of(erasure)


def add_erasures(router: Router, programs: ProgramStore, erasing: Erasing) -> None:
    """``POST`` and ``GET …/erasure``, ``POST …/erasure/approve``, ``…/reject``, ``…/withdraw``."""

    @router.post(_ERASURE, summary="Ask for the erasure of a member", tags=_TAGS, status_code=HTTPStatus.ACCEPTED)
    def post_erasure(program: ProgramId, member_id: MemberId, body: Annotated[ErasureBody, Body()]) -> ErasureView:
        client_id = caller(router)
        current, reason = programs.for_client(program, client_id), ErasureReason(body.reason)
        asked = erasing.ask(current, member_id, reason, body.by(client_id))
        count("ErasuresAsked")
        return _log(asked)

    @router.get(_ERASURE, summary="Follow the erasure of a member", tags=_TAGS)
    def get_erasure(program: ProgramId, member_id: MemberId) -> ErasureView:
        programs.for_client(program, caller(router))
        return ErasureView.of(erasing.get(program, member_id))

    def decided(decide: _Decide, program: str, member_id: str, body: HandBody, metric: str) -> ErasureView:
        client_id = caller(router)
        after = decide(programs.for_client(program, client_id), member_id, body.by(client_id))
        count(metric)
        return _log(after)

    @router.post(f"{_ERASURE}/approve", summary="Approve an erasure as the second person", tags=_TAGS)
    def approve_erasure(program: ProgramId, member_id: MemberId, body: Annotated[HandBody, Body()]) -> ErasureView:
        return decided(erasing.approve, program, member_id, body, "ErasuresApproved")

    @router.post(f"{_ERASURE}/reject", summary="Reject an erasure as the second person", tags=_TAGS)
    def reject_erasure(program: ProgramId, member_id: MemberId, body: Annotated[HandBody, Body()]) -> ErasureView:
        return decided(erasing.reject, program, member_id, body, "ErasuresRejected")

    @router.post(f"{_ERASURE}/withdraw", summary="Withdraw an approved erasure that has not begun", tags=_TAGS)
    def withdraw_erasure(program: ProgramId, member_id: MemberId, body: Annotated[HandBody, Body()]) -> ErasureView:
        return decided(erasing.withdraw, program, member_id, body, "ErasuresWithdrawn")
