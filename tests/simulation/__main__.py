"""``make simulate``: histories from their seeds, judged, with what occurred in them; or the bugs put in on purpose.

::

    python -m tests.simulation 10000 --seed 0     so many histories, from that seed on
    python -m tests.simulation 1 --seed 4711      one of them, told in full where it is not right
    python -m tests.simulation --bugs             how soon each bug is found
"""

import argparse
import sys
import time
from collections import defaultdict
from contextlib import nullcontext

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.simulation.bugs import BUGS
from tests.simulation.coverage import Counts, missing
from tests.simulation.history import drawn
from tests.simulation.runs import Run, run, run_all, shrunk
from tests.simulation.story import story

MOST_FOR_A_BUG = 2000
ENOUGH = 300
"""Histories after which everything must have occurred that may."""
_CONSOLE = Console(width=160, highlight=False, soft_wrap=True)


def main() -> int:
    """Returns the exit code: 1 where a promise was broken, or a bug was not found."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__.splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=1000, help="how many histories")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--bugs", action="store_true", help="look for the bugs instead")
    parser.add_argument("--bug", choices=sorted(BUGS), help="put this bug in")
    asked = parser.parse_args()
    if asked.bugs:
        return _bugs()
    if asked.count == 1:
        return _one(asked.seed, asked.bug)
    return _many(asked.seed, asked.count, asked.bug)


def _one(seed: int, bug: str | None) -> int:
    history = drawn(seed)
    with BUGS[bug]() if bug else nullcontext():
        found = run(history)
        if found.what is None:
            _CONSOLE.print(f"seed {seed}: {found.calls} calls, and every promise kept")
            return 0
        _CONSOLE.print(_line(found), markup=False)
        smallest = shrunk(history, found.what)
        again = run(smallest)
        if again.played is not None:
            for line in story(again.played):
                _CONSOLE.print(line, markup=False)
        _CONSOLE.print(f"{len(smallest.commands)} of {len(history.commands)} commands: {again.text}", markup=False)
    return 1


def _many(first: int, count: int, bug: str | None) -> int:
    counts, wrong, calls = Counts(), list[int](), 0
    began = time.monotonic()
    with _progress() as progress:
        task = progress.add_task("histories", total=count, rate="")
        for found in run_all(range(first, first + count), bug):
            counts += found.counts
            calls += found.calls
            progress.update(task, advance=1, rate=f"{calls / (time.monotonic() - began):.0f} calls/s")
            if found.what is not None:
                wrong.append(found.seed)
                progress.console.print(_line(found), markup=False)
    seconds = time.monotonic() - began
    _CONSOLE.print(_occurred(counts))
    _CONSOLE.print(
        f"{count} histories with {calls} calls in {seconds:.0f} s: {count / seconds:.1f} a second; "
        f"{len(wrong)} of them broke a promise"
    )
    if count >= ENOUGH and (left := missing(counts)):
        _CONSOLE.print(f"never occurred: {'; '.join(left)}")
    if wrong:
        _CONSOLE.print(f"seeds: {' '.join(map(str, wrong))}")
    return 1 if wrong else 0


def _bugs() -> int:
    unfound = []
    for name, bug in BUGS.items():
        found = first_found(name, MOST_FOR_A_BUG)
        if found is None:
            unfound.append(name)
            _CONSOLE.print(f"{name}: NOT FOUND in {MOST_FOR_A_BUG} histories")
        else:
            summary = (bug.__doc__ or "").splitlines()[0]
            _CONSOLE.print(f"{name}: history {found.seed + 1}, {found.what} ({summary})", markup=False)
    _CONSOLE.print(f"{len(BUGS) - len(unfound)} of {len(BUGS)} bugs found")
    return 1 if unfound else 0


def first_found(bug: str, most: int, *, workers: int | None = None) -> Run | None:
    """The first history, from seed 0 on, that a bug makes break a promise."""
    for found in run_all(range(most), bug, workers=workers):
        if found.what is not None:
            return found
    return None


def _line(found: Run) -> str:
    what = found.text if "Traceback" not in found.text else found.text.strip().splitlines()[-1]
    return f"make simulate N=1 SEED={found.seed}    {what}"


def _occurred(counts: Counts) -> Table:
    table = Table("what", "how often it occurred", box=None)
    by_sort: dict[str, list[str]] = defaultdict(list)
    for (sort, name), times in sorted(counts.items()):
        by_sort[sort].append(f"{name} {times}")
    for sort, names in by_sort.items():
        table.add_row(sort, " · ".join(names))
    return table


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, TextColumn("{task.fields[rate]}"), console=_CONSOLE)


if __name__ == "__main__":
    sys.exit(main())
