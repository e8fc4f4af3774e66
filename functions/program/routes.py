"""Programs: what they offer, their drafts, their versions."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from loyalty.core.clock import Clock
from loyalty.core.errors import PreconditionRequired
from loyalty.core.fields import ProgramId
from loyalty.core.http import IfMatch, IfNoneMatchAny, caller, etag, required_version
from loyalty.core.telemetry import count, logger
from loyalty.programs.lifecycle import Assessed, ProgramLifecycle
from loyalty.programs.offer import OfferView, matches, negotiated
from loyalty.programs.publication import CACHE_SECONDS, Version
from loyalty.programs.store import ProgramStore
from loyalty.programs.views import (
    DifferenceView,
    Document,
    DraftView,
    FindingsView,
    PublicationBody,
    VersionDetailView,
    VersionsPage,
    VersionView,
    version_detail,
    version_view,
)

_PROGRAM = "/v1/programs/<program>"
_DRAFT = f"{_PROGRAM}/draft"
_VERSIONS = f"{_PROGRAM}/versions"
_Languages = Annotated[
    str | None, Header(alias="Accept-Language", max_length=1000, description="Of the member, as a browser sends it.")
]
_Held = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=1000, description="The ETag that you have; 304 if it is current."),
]
_Number = Annotated[int, Path(ge=1, le=999_999)]
_Base = Annotated[
    int | None,
    Query(ge=0, description="The version in force, if the draft is now meant to follow that one; else as it was."),
]
_Publication = Annotated[PublicationBody | None, Body()]


def routes(programs: ProgramStore, lifecycle: ProgramLifecycle, clock: Clock) -> Router:
    """``GET …/{program}``, everything under ``…/draft`` and ``…/versions``."""
    router = Router()
    _offer(router, programs, clock)
    _draft(router, programs, lifecycle)
    _publishing(router, programs, lifecycle)
    _versions(router, programs, lifecycle)
    return router


def _offer(router: Router, programs: ProgramStore, clock: Clock) -> None:
    @router.get(
        _PROGRAM,
        summary="Read what a program offers",
        tags=["Programs"],
        responses={
            200: {"description": "OK", "content": {"application/json": {"model": OfferView}}},
            304: {"description": "Not Modified"},
        },
    )
    def get_program(
        program: ProgramId, accept_language: _Languages = None, if_none_match: _Held = None
    ) -> Response[OfferView | None]:
        current = programs.for_client(program, caller(router))
        view = OfferView.of(current, negotiated(accept_language, current.document.locales))
        changes_at = programs.changes_at(program)
        seconds = CACHE_SECONDS if changes_at is None else (changes_at - clock()).total_seconds()
        held = matches(if_none_match, view.etag)
        return Response(
            status_code=HTTPStatus.NOT_MODIFIED if held else HTTPStatus.OK,
            content_type=None if held else "application/json",
            headers={
                "ETag": view.etag,
                "Cache-Control": f"private, max-age={int(max(0, min(seconds, CACHE_SECONDS)))}",
                "Content-Language": view.language,
                "Vary": "Accept-Language",
            },
            body=None if held else view,
        )


def _draft(router: Router, programs: ProgramStore, lifecycle: ProgramLifecycle) -> None:
    @router.get(_DRAFT, summary="Read the draft", tags=["Programs"])
    def get_draft(program: ProgramId) -> Response[DraftView]:
        programs.require_client(program, caller(router))
        return _shown(lifecycle.draft(program))

    @router.put(_DRAFT, summary="Save the draft", tags=["Programs"])
    def put_draft(
        program: ProgramId,
        body: Annotated[Document, Body()],  # noqa: ARG001 - kept as it came, see draft_text
        *,
        if_match: IfMatch = None,
        if_none_match: IfNoneMatchAny = None,
        based_on: _Base = None,
    ) -> Response[DraftView]:
        client_id = caller(router)
        programs.require_client(program, client_id)
        text = router.current_event.body or ""
        if if_none_match is not None:
            return _shown(lifecycle.begin(program, text, client_id, based_on=based_on))
        if if_match is None:
            raise PreconditionRequired("Send If-None-Match: * for the first draft, or If-Match with the ETag you read.")
        revision = required_version(if_match)
        return _shown(lifecycle.change(program, text, client_id, revision=revision, based_on=based_on))

    @router.delete(
        _DRAFT, summary="Discard the draft", tags=["Programs"], responses={204: {"description": "No Content"}}
    )
    def delete_draft(program: ProgramId, if_match: IfMatch = None) -> Response[None]:
        client_id = caller(router)
        programs.require_client(program, client_id)
        lifecycle.discard(program, client_id, revision=required_version(if_match))
        return Response(status_code=HTTPStatus.NO_CONTENT, body=None)

    @router.post(f"{_DRAFT}/validate", summary="Say what is wrong with the draft", tags=["Programs"])
    def validate_draft(program: ProgramId) -> FindingsView:
        programs.require_client(program, caller(router))
        return FindingsView.of(lifecycle.draft(program).assessment.findings)

    @router.get(f"{_DRAFT}/diff", summary="Say what the draft would change", tags=["Programs"])
    def get_draft_diff(program: ProgramId) -> DifferenceView:
        programs.require_client(program, caller(router))
        return DifferenceView.of(*lifecycle.difference(program))


def _publishing(router: Router, programs: ProgramStore, lifecycle: ProgramLifecycle) -> None:
    def published(program: str, version: Version, metric: str) -> Response[VersionView]:
        count(metric)
        told = {"program": program, "version": version.number, "effective_at": version.effective_at.isoformat()}
        logger.info("program", extra=told)
        return Response(
            status_code=HTTPStatus.CREATED,
            content_type="application/json",
            headers={"Location": f"/v1/programs/{program}/versions/{version.number}"},
            body=version_view(version, lifecycle.state(program)),
        )

    @router.post(_VERSIONS, summary="Publish the draft", tags=["Programs"], status_code=HTTPStatus.CREATED)
    def post_version(program: ProgramId, body: _Publication = None, if_match: IfMatch = None) -> Response[VersionView]:
        client_id = caller(router)
        programs.require_client(program, client_id)
        asked: dict[str, Any] = (body or PublicationBody()).model_dump()
        version = lifecycle.publish_draft(program, client_id, revision=required_version(if_match), **asked)
        return published(program, version, "ProgramsPublished")

    @router.post(
        f"{_VERSIONS}/<version>/rollback",
        summary="Publish an older version again",
        tags=["Programs"],
        status_code=HTTPStatus.CREATED,
    )
    def post_rollback(
        program: ProgramId, version: _Number, body: _Publication = None, if_match: IfMatch = None
    ) -> Response[VersionView]:
        client_id = caller(router)
        programs.require_client(program, client_id)
        asked: dict[str, Any] = (body or PublicationBody()).model_dump()
        new = lifecycle.roll_back(program, version, client_id, revision=required_version(if_match), **asked)
        return published(program, new, "ProgramsRolledBack")

    @router.delete(f"{_VERSIONS}/scheduled", summary="Cancel the scheduled version", tags=["Programs"])
    def delete_scheduled(program: ProgramId, if_match: IfMatch = None) -> VersionView:
        client_id = caller(router)
        programs.require_client(program, client_id)
        version = lifecycle.unschedule(program, client_id, revision=required_version(if_match))
        count("ProgramsUnscheduled")
        return version_view(version, lifecycle.state(program))


def _versions(router: Router, programs: ProgramStore, lifecycle: ProgramLifecycle) -> None:
    @router.get(_VERSIONS, summary="List versions, newest first", tags=["Programs"])
    def get_versions(
        program: ProgramId,
        limit: Annotated[int, Query(ge=1, le=50, description="Versions on a page.")] = 20,
        before: Annotated[int | None, Query(ge=1, le=999_999, description="`next_before` of the page before.")] = None,
    ) -> Response[VersionsPage]:
        programs.require_client(program, caller(router))
        state = lifecycle.state(program)
        page = lifecycle.versions(program, limit=limit, before=before)
        body = VersionsPage(
            in_force=state.number,
            scheduled=state.scheduled.number if state.scheduled else None,
            items=[version_view(one, state) for one in page.versions],
            next_before=page.next_before,
        )
        return Response(
            status_code=HTTPStatus.OK,
            content_type="application/json",
            headers={"ETag": etag(state.revision)},
            body=body,
        )

    @router.get(f"{_VERSIONS}/<version>", summary="Read a version", tags=["Programs"])
    def get_version(program: ProgramId, version: _Number) -> VersionDetailView:
        programs.require_client(program, caller(router))
        return version_detail(lifecycle.version(program, version), lifecycle.state(program))


def _shown(assessed: Assessed) -> Response[DraftView]:
    return Response(
        status_code=HTTPStatus.OK,
        content_type="application/json",
        headers={"ETag": etag(assessed.draft.revision)},
        body=DraftView.of(assessed),
    )
