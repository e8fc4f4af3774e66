"""What a proof finds, and what it has to be told."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from loyalty.ledger.model import Scope

_PASSES: Final = 5
"""Times that the table is read again where something in it seems to be off."""
ScopesOf = Callable[[str], Mapping[int, Scope]]
"""What the ledger was told of each version of a program, by its number; nothing where that is not known."""


def scopes_unknown(_program: str) -> Mapping[int, Scope]:
    """Nothing is known of any program: days are proved to within the width of the world's time zones."""
    return {}


class Problem(NamedTuple):
    """One thing that is not as it must be. ``where`` is an entry id or a sort key, of the member that is looked at.

    ``member_id`` names the member where several are looked at together.
    """

    code: str
    where: str
    detail: str
    member_id: str = ""

    def in_member(self, program: str, member_id: str) -> "Finding":
        """As a finding; of this member where it names none."""
        return Finding(program, self.member_id or member_id, self.code, self.where, self.detail)


Problems = Iterator[Problem]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. ``code`` is stable; ``where`` is an entry id or a sort key."""

    program: str
    member_id: str
    code: str
    where: str
    detail: str


def lasting(found: list[Finding], read_again: Callable[[], list[Finding]]) -> list[Finding]:
    """Those that each of some more passes over the table finds too: a scan is no snapshot."""
    for _ in range(_PASSES if found else 0):
        again = read_again()
        found = [one for one in found if one in again]
    return found


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit read and found."""

    members: int
    entries: int
    findings: list[Finding]
