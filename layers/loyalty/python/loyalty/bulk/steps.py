"""The steps of a campaign that a state machine takes: what it gives to each, and gets from it."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from loyalty.bulk.batches import Batches
from loyalty.bulk.model import Batch, CampaignId, Progress
from loyalty.bulk.service import Campaigns
from loyalty.core.fields import ProgramId
from loyalty.programs.model import Program


class CampaignRequest(BaseModel):
    """Which campaign."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    program: ProgramId
    campaign: CampaignId


class BatchRequest(BaseModel):
    """Which part of its list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[int, Field(ge=0)]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    first_line: Annotated[int, Field(ge=2)]

    def batch(self) -> Batch:
        """The batch."""
        return Batch(self.number, self.start, self.end, self.first_line)


class StepRequest(BaseModel):
    """``request`` is what was started, the same in all steps; ``batch`` is of the step of that name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    step: Literal["begin", "batch", "sum", "stop"]
    request: CampaignRequest
    batch: BatchRequest | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.batch is not None) != (self.step == "batch"):
            raise ValueError("a batch is of the step of that name, and of no other")
        return self


class Steps:
    """Takes steps.

    Args:
        campaigns: decides.
        batches: does the work.
        program: gives the version in force as it is now. It must not remember one for longer than a step.
    """

    def __init__(self, campaigns: Campaigns, batches: Batches, program: Callable[[str], Program]) -> None:
        self._campaigns = campaigns
        self._batches = batches
        self._program = program

    def begin(self, request: CampaignRequest) -> list[dict[str, Any]]:
        """What each child of the map is given; nothing where there is nothing to do yet, or any more.

        Raises:
            CampaignNotFound, FileNotStored, FileChanged, RecordChanged: see :meth:`Campaigns.begin`.
        """
        batches = self._campaigns.begin(self._program(request.program), request.campaign)
        given = request.model_dump()
        return [
            {
                "request": given,
                "batch": {"number": one.number, "start": one.start, "end": one.end, "first_line": one.first_line},
            }
            for one in batches
        ]

    def batch(self, request: CampaignRequest, batch: BatchRequest) -> dict[str, int]:
        """Works a batch off.

        Raises:
            BulkStopped, RewardChanged, …: see :meth:`Batches.work`.
        """
        done = self._batches.work(self._program(request.program), request.campaign, batch.batch())
        return {"number": done.number, "lines": done.lines, "held": done.held, "refused": len(done.failures)}

    def sum(self, request: CampaignRequest) -> tuple[dict[str, Any], Progress]:
        """Sums up, and writes the report of the lines that are not held."""
        campaign, progress = self._campaigns.end(request.program, request.campaign)
        self._batches.report(campaign)
        complete = progress.batches_done == progress.batches
        told = {
            "status": campaign.status.value,
            "complete": complete,
            "held": progress.held,
            "refused": progress.refused,
        }
        return told, progress

    def stop(self, request: CampaignRequest) -> dict[str, str]:
        """Says of a campaign that it could not be begun."""
        return {"status": self._campaigns.stop(request.program, request.campaign).status.value}
