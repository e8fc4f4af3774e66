"""What came of a population: who was stopped and who was delayed, as a whole and by pattern.

Counted is who came to a payment. Who bought nothing, or gave it back in time, is not paid whatever screening says, and stands
in neither share.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loyalty.attribution.model import Verdict
from tests.referralkit.playing import Decision


@dataclass(frozen=True)
class Row:
    """One pattern, or all."""

    name: str
    abusive: bool
    came: int
    accepted: int
    reviewed: int
    rejected: int
    stopped_by_email: int

    @property
    def decided(self) -> int:
        return self.accepted + self.reviewed + self.rejected

    @property
    def stopped(self) -> float:
        """The share that was not paid at once."""
        return (self.reviewed + self.rejected) / self.decided if self.decided else 0.0

    @property
    def stopped_by_equality(self) -> float:
        return self.stopped_by_email / self.decided if self.decided else 0.0


def rows(decisions: Iterable[Decision]) -> list[Row]:
    """Honest patterns, then abusive ones."""
    by_pattern: dict[tuple[bool, str], list[Decision]] = {}
    for one in decisions:
        by_pattern.setdefault((one.coming.abusive, one.coming.pattern), []).append(one)
    return [_row(name, abusive, by_pattern[abusive, name]) for abusive, name in sorted(by_pattern)]


def all_of(decisions: Iterable[Decision], *, abusive: bool) -> Row:
    """All honest ones, or all abusive ones."""
    name = "abusive" if abusive else "honest"
    return _row(name, abusive, [one for one in decisions if one.coming.abusive is abusive])


def shown(found: Sequence[Row]) -> str:
    """As lines of text."""
    width = max(len(row.name) for row in found)
    head = f"  {'':<{width}}  {'':<7}  {'came':>6}{'to pay':>8}{'accept':>8}{'review':>8}{'reject':>8}{'stopped':>9}{'by e-mail':>11}"
    lines = [
        f"  {row.name:<{width}}  {'abuse' if row.abusive else 'honest':<7}  {row.came:>6,}{row.decided:>8,}{row.accepted:>8,}"
        f"{row.reviewed:>8,}{row.rejected:>8,}{row.stopped:>9.1%}{row.stopped_by_equality:>11.1%}"
        for row in found
    ]
    return "\n".join([head, *lines])


def _row(name: str, abusive: bool, decisions: Sequence[Decision]) -> Row:
    said = [one.screened.verdict for one in decisions if one.screened is not None]
    return Row(
        name,
        abusive,
        len(decisions),
        said.count(Verdict.ACCEPT),
        said.count(Verdict.REVIEW),
        said.count(Verdict.REJECT),
        sum(one.same_email for one in decisions if one.screened is not None),
    )
