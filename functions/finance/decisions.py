"""Decisions about fulfilment runs. Who decides is the client; ``loyalty.fulfillment.decisions`` says who may."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from loyalty.core.fields import ProgramId, RedemptionId
from loyalty.core.four_eyes import client_actor
from loyalty.core.http import caller
from loyalty.core.telemetry import count, logger
from loyalty.finance.review import Decider
from loyalty.finance.views import NoteBody, ReasonBody, ResolutionBody, RunView
from loyalty.fulfillment.run import Run
from loyalty.programs.store import ProgramStore

_RUN = "/v1/programs/<program>/fulfillment-runs/<redemption_id>"

_Note = Annotated[NoteBody | None, Body()]
_Reason = Annotated[ReasonBody, Body()]


def add_decisions(router: Router, programs: ProgramStore, decisions: Decider) -> None:
    """``POST …/fulfillment-runs/{id}/approve|reject|retry|cancel|resolve|reissue``."""

    def decider(program: str) -> str:
        client_id = caller(router)
        programs.for_client(program, client_id)
        return client_actor(client_id)

    @router.post(f"{_RUN}/approve", summary="Let a waiting card be ordered", tags=["Finance"])
    def approve_run(program: ProgramId, redemption_id: RedemptionId, body: _Note = None) -> RunView:
        actor = decider(program)
        return _told("approve", decisions.approve(program, redemption_id, actor=actor, note=_note(body)))

    @router.post(f"{_RUN}/reject", summary="Refuse a waiting card", tags=["Finance"])
    def reject_run(program: ProgramId, redemption_id: RedemptionId, body: _Reason) -> RunView:
        actor = decider(program)
        return _told("reject", decisions.reject(program, redemption_id, actor=actor, note=body.note))

    @router.post(f"{_RUN}/retry", summary="Try a run again that needs attention", tags=["Finance"])
    def retry_run(program: ProgramId, redemption_id: RedemptionId, body: _Note = None) -> RunView:
        actor = decider(program)
        return _told("retry", decisions.retry(program, redemption_id, actor=actor, note=_note(body)))

    @router.post(f"{_RUN}/cancel", summary="Give a run up", tags=["Finance"])
    def cancel_run(program: ProgramId, redemption_id: RedemptionId, body: _Reason) -> RunView:
        actor = decider(program)
        return _told("cancel", decisions.cancel(program, redemption_id, actor=actor, note=body.note))

    @router.post(f"{_RUN}/resolve", summary="Close a run that was settled elsewhere", tags=["Finance"])
    def resolve_run(
        program: ProgramId, redemption_id: RedemptionId, body: Annotated[ResolutionBody, Body()]
    ) -> RunView:
        actor = decider(program)
        resolved = decisions.resolve(program, redemption_id, actor=actor, note=body.note, give_back=body.give_back)
        return _told("resolve", resolved)

    @router.post(f"{_RUN}/reissue", summary="Order a new card in place of a void one", tags=["Finance"])
    def reissue_run(program: ProgramId, redemption_id: RedemptionId, body: _Reason) -> RunView:
        actor = decider(program)
        return _told("reissue", decisions.reissue(program, redemption_id, actor=actor, note=body.note))


def _note(body: NoteBody | None) -> str | None:
    return None if body is None else body.note


def _told(what: str, run: Run) -> RunView:
    count("FulfillmentDecisions")
    logger.info(
        "fulfillment decided", extra={"decision": what, "redemption_id": run.redemption_id, "status": run.status}
    )
    return RunView.of(run)
