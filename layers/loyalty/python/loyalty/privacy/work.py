"""The steps that the state machine takes: what it gives to each, and gets from it."""

from collections.abc import Callable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from loyalty.core.fields import ExportId, MemberId, ProgramId
from loyalty.privacy.archive import Archive
from loyalty.privacy.erasing import Erasing
from loyalty.privacy.exporting import ExportService
from loyalty.programs.model import Program


class StepRequest(BaseModel):
    """Which step, and of whom; ``export_id`` of an export alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Literal["export", "export_failed", "erase"]
    program: ProgramId
    member_id: MemberId
    export_id: ExportId | None = None

    @model_validator(mode="after")
    def _an_export_has_an_id(self) -> Self:
        if (self.export_id is None) is not (self.step == "erase"):
            raise ValueError("an export is named, and nothing else is")
        return self


class PrivacyWork:
    """Takes steps; each may be taken again."""

    def __init__(
        self, programs: Callable[[str], Program], exports: ExportService, archive: Archive, erasing: Erasing
    ) -> None:
        self._programs = programs
        self._exports = exports
        self._archive = archive
        self._erasing = erasing

    def take(self, asked: StepRequest) -> dict[str, str]:
        """One step; what became of it.

        Raises:
            LoyaltyError, Exception: whatever the step raises.
        """
        export_id = asked.export_id or ""
        match asked.step:
            case "export":
                program = self._programs(asked.program)
                export = self._exports.make(program, asked.member_id, export_id, self._archive)
                return {"status": export.status.value}
            case "export_failed":
                return {"status": self._exports.fail(asked.program, asked.member_id, export_id).status.value}
            case _:
                return {"status": self._erasing.run(self._programs(asked.program), asked.member_id).status.value}
