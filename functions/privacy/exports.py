"""Copies of members' data: ask for one, fetch it."""

from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from loyalty.core.fields import ExportId, MemberId, ProgramId
from loyalty.core.http import IdempotencyKey, caller, done_once
from loyalty.core.telemetry import count, logger
from loyalty.privacy.exporting import ExportService
from loyalty.privacy.views import ExportView
from loyalty.programs.store import ProgramStore

_EXPORTS: Final = "/v1/programs/<program>/members/<member_id>/exports"
_TAGS: Final = ["Privacy"]


def add_exports(router: Router, programs: ProgramStore, exports: ExportService) -> None:
    """``POST …/exports`` and ``GET …/exports/{export_id}``."""

    @router.post(_EXPORTS, summary="Ask for a copy of a member's data", tags=_TAGS, status_code=HTTPStatus.ACCEPTED)
    def post_data_export(
        program: ProgramId, member_id: MemberId, idempotency_key: IdempotencyKey
    ) -> Response[ExportView]:
        client_id = caller(router)
        current = programs.for_client(program, client_id)
        export, replayed = exports.ask(current, member_id, client_id=client_id, idempotency_key=idempotency_key)
        count("ExportsAsked")
        logger.info("export", extra={"export_id": export.export_id, "member_id": export.member_id})
        return done_once(ExportView.of(export), replayed=replayed, status=HTTPStatus.ACCEPTED)

    @router.get(f"{_EXPORTS}/<export_id>", summary="Fetch a copy of a member's data", tags=_TAGS)
    def get_data_export(program: ProgramId, member_id: MemberId, export_id: ExportId) -> ExportView:
        programs.for_client(program, caller(router))
        export = exports.get(program, member_id, export_id)
        return ExportView.of(export, exports.link(export))
