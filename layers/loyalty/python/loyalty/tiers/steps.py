"""The steps of a recalculation that a state machine takes: what it gives to each, and gets from it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from loyalty.programs.model import Program
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.runs import RunRequest
from loyalty.walking.runs import SHARDS, Walked


class StepRequest(BaseModel):
    """``request`` is what the operator asked for, the same in all steps; ``shard`` is of the step of that name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    step: Literal["member", "begin", "shard", "sum"]
    request: RunRequest
    shard: Annotated[int | None, Field(ge=0, lt=len(SHARDS))] = None


class Steps:
    """Takes steps.

    Args:
        recalculation: does the work.
        program: gives the version in force as it is now. It must not remember one: whoever publishes a version starts a
            run the next moment, and who was looked at by the version before would not be looked at again.
    """

    def __init__(self, recalculation: Recalculation, program: Callable[[str], Program]) -> None:
        self._recalculation = recalculation
        self._program = program

    def member(self, request: RunRequest) -> Walked:
        """Recalculates one.

        Raises:
            LoyaltyError: they cannot be recalculated.
        """
        if request.member is None:
            raise ValueError("the step is for one member, and none is named")
        changed = self._recalculation.one(self._program(request.program), request.member, request.of_many())
        return Walked(members=1, changed=int(changed))

    def begin(self, request: RunRequest) -> list[dict[str, Any]]:
        """What each child of the map is given: a shard. Of one that is done already, it finds that out with one read.

        Raises:
            TierUnknown, RunDiffers: see :meth:`Recalculation.begin`.
        """
        self._recalculation.begin(self._program(request.program), request.of_many())
        given = request.model_dump(exclude_defaults=True)
        return [{"request": given, "shard": shard} for shard in SHARDS]

    def shard(self, request: RunRequest, shard: int | None, deadline: datetime) -> dict[str, Any]:
        """Goes on in a shard until ``deadline``; what it is given again unless it is ``done``, and how far it is.

        Raises:
            RunDiffers, RunStopped: see :meth:`Recalculation.shard`.
        """
        if shard is None:
            raise ValueError("the step is for one shard, and none is named")
        run, program = request.of_many(), self._program(request.program)
        at = self._recalculation.shard(program, run, shard, deadline=deadline)
        counts = {"pages": at.pages, "members": at.members, "changed": at.changed, "failed": at.failed}
        return {"request": request.model_dump(exclude_defaults=True), "shard": shard, "done": at.done, **counts}

    def sum(self, request: RunRequest) -> Walked:
        """What the run has done in all shards."""
        return self._recalculation.progress(request.of_many())


def counts_of(done: Walked) -> dict[str, Any]:
    """What is told of a run in its execution and its log: no names of members."""
    return {
        "members": done.members, "changed": done.changed, "failed": done.failed, "unfinished": list(done.unfinished),
        "finished": not done.unfinished,
    }  # fmt: skip
