"""Rights of members over their data: consents, preferences, restriction; exports and erasures are beside."""

from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.privacy.erasures import add_erasures
from functions.privacy.exports import add_exports
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import IdempotencyKey, IfMatch, caller, done_once, etag, required_version
from loyalty.core.telemetry import count, logger
from loyalty.privacy.consent_store import Standing
from loyalty.privacy.consenting import ConsentService
from loyalty.privacy.erasing import Erasing
from loyalty.privacy.exporting import ExportService
from loyalty.privacy.restricting import Restricting
from loyalty.privacy.views import (
    ConsentBody,
    ConsentsView,
    ConsentView,
    HandBody,
    PreferencesBody,
    PreferencesView,
    RestrictionView,
)
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore

_MEMBER: Final = "/v1/programs/<program>/members/<member_id>"
_TAGS: Final = ["Privacy"]


def routes(
    programs: ProgramStore, consents: ConsentService, restricting: Restricting, exports: ExportService, erasing: Erasing
) -> Router:
    """``…/consents``, ``…/preferences``, ``…/restriction``, ``…/exports``, ``…/erasure``."""
    router = Router()
    add_exports(router, programs, exports)
    add_erasures(router, programs, erasing)

    @router.get(f"{_MEMBER}/consents", summary="Read what a member agreed to", tags=_TAGS)
    def get_consents(program: ProgramId, member_id: MemberId) -> ConsentsView:
        current = programs.for_client(program, caller(router))
        return ConsentsView.of(consents.standing(current, member_id), current.document.privacy)

    @router.post(f"{_MEMBER}/consents", summary="Write a yes or no down", tags=_TAGS, status_code=HTTPStatus.CREATED)
    def post_consent(
        program: ProgramId, member_id: MemberId, body: Annotated[ConsentBody, Body()], idempotency_key: IdempotencyKey
    ) -> Response[ConsentView]:
        client_id = caller(router)
        current = programs.for_client(program, client_id)
        said, replayed = consents.say(
            current, member_id, body.said(), client_id=client_id, idempotency_key=idempotency_key
        )
        count("ConsentsReplayed" if replayed else "ConsentsWritten")
        logger.info("consent", extra={"consent_id": said.consent_id, "purpose": said.purpose, "given": said.given})
        return done_once(ConsentView.of(said), replayed=replayed)

    @router.get(f"{_MEMBER}/preferences", summary="Read by what a member wants to be addressed", tags=_TAGS)
    def get_preferences(program: ProgramId, member_id: MemberId) -> Response[PreferencesView]:
        current = programs.for_client(program, caller(router))
        return _answer(consents.standing(current, member_id), current)

    @router.put(f"{_MEMBER}/preferences", summary="Say by what a member wants to be addressed", tags=_TAGS)
    def put_preferences(
        program: ProgramId, member_id: MemberId, body: Annotated[PreferencesBody, Body()], if_match: IfMatch = None
    ) -> Response[PreferencesView]:
        current = programs.for_client(program, caller(router))
        wanted = [(one.purpose, one.channels) for one in body.purposes]
        return _answer(consents.prefer(current, member_id, wanted, if_version=required_version(if_match)), current)

    @router.put(f"{_MEMBER}/restriction", summary="Restrict the processing of a member's data", tags=_TAGS)
    def put_restriction(program: ProgramId, member_id: MemberId, body: Annotated[HandBody, Body()]) -> RestrictionView:
        programs.for_client(program, caller(router))
        count("MembersRestricted")
        return RestrictionView.of(restricting.restrict(program, member_id, actor=body.actor))

    @router.delete(f"{_MEMBER}/restriction", summary="Lift the restriction of a member's data", tags=_TAGS)
    def delete_restriction(
        program: ProgramId,
        member_id: MemberId,
        actor: Annotated[str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:|/-]{0,63}$", description="Staff id.")],
    ) -> RestrictionView:
        programs.for_client(program, caller(router))
        return RestrictionView.of(restricting.lift(program, member_id, actor=actor))

    return router


def _answer(standing: Standing, program: Program) -> Response[PreferencesView]:
    return Response(
        status_code=HTTPStatus.OK,
        content_type="application/json",
        headers={"ETag": etag(standing.preferences.version)},
        body=PreferencesView.of(standing, program.document.privacy),
    )
