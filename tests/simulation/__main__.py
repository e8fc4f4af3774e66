"""``make simulate``: histories from their seeds, judged, with what occurred in them; or the bugs put in on purpose.

::

    python -m tests.simulation 10000 --seed 0     so many histories, from that seed on
    python -m tests.simulation 1 --seed 4711      one of them, told in full, and in short where it is not right
    python -m tests.simulation --bugs             how soon each of the bugs is found that are put in on purpose
    python -m tests.simulation --bugs no_grace    one of them
"""

import argparse
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.bugs import BUGS, Bug
from tests.simulation.coverage import Counts, missing, summary
from tests.simulation.history import drawn
from tests.simulation.runs import Run, cores, first_found, run, run_all, shrunk
from tests.simulation.story import story

MOST_FOR_A_BUG = 2000
ENOUGH = 500
"""Histories after which everything must have occurred that may."""
EVERY = 500
"""Histories between lines of progress where no terminal shows it."""
WIDTH = min(160, shutil.get_terminal_size((120, 24)).columns)
_CONSOLE = Console(width=WIDTH, highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    """Returns the exit code: 1 where a promise was broken, something never occurred, or a bug was not found."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__.splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=1000, help="how many histories (1000)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    looked_for = "look for the bugs instead, one after the other: for those that are named, or for all"
    parser.add_argument("--bugs", nargs="*", choices=[[], *sorted(BUGS)], metavar="BUG", help=looked_for)
    parser.add_argument("--bug", choices=sorted(BUGS), help="put this bug in")
    asked = parser.parse_args()
    if asked.count < 1:
        parser.error("at least one history")
    if asked.bugs is not None:
        return _bugs({name: bug for name, bug in BUGS.items() if not asked.bugs or name in asked.bugs})
    if asked.count == 1:
        return _one(asked.seed, asked.bug)
    return _many(asked.seed, asked.count, asked.bug)


def _one(seed: int, bug: str | None) -> int:
    history = drawn(seed)
    with BUGS[bug]() if bug else nullcontext():
        found = run(history)
        _tell(found)
        if found.what is None:
            _CONSOLE.print(f"\nseed {seed}: {found.calls} calls, and every promise kept")
            return 0
        smallest = shrunk(history, found.what)
        again = run(smallest)
        _CONSOLE.print(f"\nThe same with {len(smallest.commands)} of its {len(history.commands)} commands:\n")
        _tell(again)
        _CONSOLE.print(f"\n{again.text}\n{_replay_line(found, bug)}")
    return 1


def _tell(found: Run) -> None:
    if found.played is not None:
        for line in story(found.played):
            _CONSOLE.print(line)


def _many(first: int, count: int, bug: str | None) -> int:
    counts, wrong, calls = Counts(), list[int](), 0
    began = time.monotonic()
    with cores() as pool, _progress() as progress:
        task = progress.add_task("histories", total=count, rate="")
        for found in run_all(pool, range(first, first + count), bug):
            counts += found.counts
            calls += found.calls
            progress.update(task, advance=1, rate=f"{calls / (time.monotonic() - began):.0f} calls/s")
            if not _CONSOLE.is_terminal and (found.seed - first + 1) % EVERY == 0:
                progress.console.print(f"{found.seed - first + 1} of {count} after {time.monotonic() - began:.0f} s")
            if found.what is not None:
                wrong.append(found.seed)
                progress.console.print(_replay_line(found, bug))
    seconds = time.monotonic() - began
    for line in summary(counts, WIDTH):
        _CONSOLE.print(line)
    left = missing(counts) if count >= ENOUGH else []
    for one in left:
        _CONSOLE.print(f"never occurred: {one}")
    _CONSOLE.print(
        f"\n{count} histories from seed {first}, {calls} calls, {seconds:.0f} s ({count / seconds:.1f} a second): "
        + (f"{len(wrong)} broke a promise: {' '.join(map(str, wrong))}" if wrong else "every promise kept")
    )
    return 1 if wrong or left else 0


def _bugs(bugs: Mapping[str, Bug]) -> int:
    unfound = 0
    width = max(map(len, bugs))
    _CONSOLE.print(f"| {'bug':<{width}} | history | promise     | what is wrong |\n|---|--:|---|---|")
    with cores() as pool:
        for name, bug in bugs.items():
            found = first_found(pool, name, MOST_FOR_A_BUG)
            summary_line = (bug.__doc__ or "").splitlines()[0]
            number, what = ("none", "") if found is None else (f"{found.seed + 1}", found.what or "")
            unfound += found is None
            _CONSOLE.print(f"| {name:<{width}} | {number:>7} | {what:<11} | {summary_line} |")
    _CONSOLE.print(f"\n{len(bugs) - unfound} of {len(bugs)} bugs found, each within {MOST_FOR_A_BUG} histories")
    return 1 if unfound else 0


def _replay_line(found: Run, bug: str | None) -> str:
    what = found.text if "Traceback" not in found.text else found.text.strip().splitlines()[-1]
    with_bug = f" BUG={bug}" if bug else ""
    return f"make simulate N=1 SEED={found.seed}{with_bug}    {what}"


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, TextColumn("{task.fields[rate]}"), console=_CONSOLE)


if __name__ == "__main__":
    sys.exit(main())
