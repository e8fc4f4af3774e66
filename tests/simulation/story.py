"""A history told for whoever has to understand it: what was sent, what was written, what was said."""

from collections.abc import Iterator

from tests.simulation.judge.commits import Commit, commits
from tests.simulation.scenario import Call, Played


def story(played: Played) -> Iterator[str]:
    """Line by line, in the order of the table's changes."""
    history = played.history
    yield f"seed {history.seed}, from {history.start.isoformat()}, {history.faults}"
    for program in played.programs:
        yield f"program, version {program.version}: {program.document.model_dump_json(exclude_defaults=True)}"
    changes = [change for change in played.simulation.engine.changes if change.number > played.first_change]
    told = [(call.ended_after, 1, _called(call)) for call in played.calls]
    for commit in commits(changes):
        told += [(commit.number, 0, line) for line in _committed(commit)]
    for _, _, line in sorted(told, key=lambda one: one[:2]):
        yield line


def _called(call: Call) -> str:
    first, last = (moment.isoformat(sep=" ", timespec="milliseconds")[:-6] for moment in call.clocks)
    return f"{first} to {last[11:]} {call}"


def _committed(commit: Commit) -> Iterator[str]:
    numbers = f"#{commit.first}-{commit.number}"
    if commit.record is not None and commit.record.new is not None:
        yield f"    {numbers} {commit.record.new}"
    for part in commit.parts:
        for entry in part.entries:
            moved = {
                wallet: {**change.postings, **change.lots, **change.maturing}
                for wallet, change in entry.movement.changes.items()
            }
            shown = {wallet: {str(key): points for key, points in change.items()} for wallet, change in moved.items()}
            yield (
                f"    {numbers} {part.member} {entry.seq} {entry.entry_id} at {entry.posted_at.isoformat()} "
                f"by version {entry.facts.program_version}: {shown} → {dict(entry.after)}"
            )
