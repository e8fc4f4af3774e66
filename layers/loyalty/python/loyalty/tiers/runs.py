"""A recalculation of many members: what is asked for, and how far each shard of the program's members is. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from loyalty.core.fields import MemberId, ProgramId
from loyalty.programs.fields import Slug
from loyalty_contract import MEMBER_SHARDS

SHARDS: Final = tuple(range(MEMBER_SHARDS))
"""All of a program's members."""
NAMED: Final = 20
"""Members of a shard who could not be recalculated, of whom the name is kept."""

RUN_PREFIX: Final = "run:"
"""With it begins what caused an entry that an operator asked for."""
RUN_NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,39}$"
RunName = Annotated[str, StringConstraints(pattern=RUN_NAME)]
"""Names the occasion: under one name a member is recalculated once."""


@dataclass(frozen=True, slots=True)
class Run:
    """One occasion. ``tier``: of those on this tier of any ladder; None: of everybody."""

    program: str
    name: str
    tier: str | None = None

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

    def of_many(self) -> Run:
        """The run of a tier's members, or of everybody."""
        return Run(self.program, self.run, self.tier)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a run is in one shard: everybody up to the id ``after`` was looked at.

    ``changed`` is the least: of a page that is done again, since a run was cut off in it, who was changed the first time
    counts as seen and not as changed; in a run of a tier, which they have left, not as seen either. The entries tell all.
    """

    run: Run
    shard: int
    pages: int = 0
    """Written down so far: the checkpoint's revision."""
    after: str | None = None
    done: bool = False
    members: int = 0
    """Who was looked at."""
    changed: int = 0
    """Of whom another standing was written."""
    failed: int = 0
    """Who could not be recalculated."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """The first :data:`NAMED` of them, by id, and the error's name: what it says may quote what is stored."""

    def on(self, outcomes: Sequence[tuple[str, bool | str]], *, after: str | None, done: bool) -> "Checkpoint":
        """One page later. Of each member who was looked at: whether they changed, or an error's name."""
        failures = {member_id: outcome for member_id, outcome in outcomes if isinstance(outcome, str)}
        return replace(
            self,
            pages=self.pages + 1,
            after=after,
            done=done,
            members=self.members + len(outcomes),
            changed=self.changed + sum(outcome is True for _, outcome in outcomes),
            failed=self.failed + len(failures),
            failures=dict([*self.failures.items(), *failures.items()][:NAMED]),
        )


@dataclass(frozen=True, slots=True)
class Recalculated:
    """What a run has done so far, in all shards; see :class:`Checkpoint`."""

    members: int = 0
    changed: int = 0
    failed: int = 0
    failures: Sequence[tuple[str, str]] = ()
    unfinished: Sequence[int] = ()
    """Shards in which there is more to do."""

    @classmethod
    def of(cls, checkpoints: Iterable[Checkpoint]) -> Self:
        """The sum of shards."""
        found = list(checkpoints)
        return cls(
            members=sum(one.members for one in found),
            changed=sum(one.changed for one in found),
            failed=sum(one.failed for one in found),
            failures=tuple(failure for one in found for failure in one.failures.items()),
            unfinished=tuple(one.shard for one in found if not one.done),
        )
