"""A run over all members of a program: its name, and how far it is in each shard of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Final, Self

from pydantic import StringConstraints

from loyalty_contract import MEMBER_SHARDS

SHARDS: Final = tuple(range(MEMBER_SHARDS))
"""All of a program's members."""
NAMED: Final = 20
"""Members of a shard of whom the work failed, of whom the name is kept."""
EVERYBODY: Final = "everybody"

RUN_NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,39}$"
RunName = Annotated[str, StringConstraints(pattern=RUN_NAME)]
"""Names the occasion."""


@dataclass(frozen=True, slots=True)
class Run:
    """One occasion of some kind of work; each kind has its own names."""

    kind: ClassVar[str]
    """With it begin the keys of its checkpoints."""

    program: str
    name: str

    @property
    def whom(self) -> str:
        """What the run is of. Under one name it is always the same."""
        return EVERYBODY


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a run is in one shard: everybody up to the id ``after`` was looked at.

    ``changed`` is the least: of a page that is done again, since a run was cut off in it, who was changed the first time
    counts as seen and not as changed; in a run of a tier, which they have left, not as seen either.
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
    """Of whom something was written."""
    failed: int = 0
    """Of whom the work could not be done."""
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
class Walked:
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
