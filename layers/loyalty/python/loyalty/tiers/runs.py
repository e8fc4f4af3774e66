"""A recalculation of many members: what is asked for. Pure."""

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from loyalty.core.fields import MemberId, ProgramId
from loyalty.programs.fields import Slug
from loyalty.walking.runs import EVERYBODY, Run, RunName

RUN_PREFIX: Final = "run:"
"""With it begins what caused an entry that an operator asked for."""


@dataclass(frozen=True, slots=True)
class TierRun(Run):
    """Under one name a member is recalculated once. ``tier``: of those on this tier of any ladder; None: of everybody."""

    kind: ClassVar[str] = "RECALCULATION"
    tier: str | None = None

    @property
    def whom(self) -> str:
        """See :class:`Run`."""
        return EVERYBODY if self.tier is None else f"tier:{self.tier}"

    @property
    def cause(self) -> str:
        """By which its entries are known."""
        return f"{RUN_PREFIX}{self.name}"


class RunRequest(BaseModel):
    """What an operator asks for: one member, those on a tier, or everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    program: ProgramId
    run: RunName
    member: MemberId | None = None
    tier: Slug | None = None
    everybody: bool = False

    @model_validator(mode="after")
    def _says_whom(self) -> Self:
        if [self.member is not None, self.tier is not None, self.everybody].count(True) != 1:
            raise ValueError("Say whom: one member, those on a tier, or everybody")
        return self

    def of_many(self) -> TierRun:
        """The run of a tier's members, or of everybody."""
        return TierRun(self.program, self.run, self.tier)
