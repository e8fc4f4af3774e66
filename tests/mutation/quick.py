"""mutmut, with tests that are collected once: what is run for a mutant is a fork of them, and not a pytest of its own.

Run in the staged folder by the interpreter of ``.venv-mutate``: ``python -m tests.mutation.quick run``. A mutant whose
first test fails costs some milliseconds so, and not a second.
"""

import gc
import resource
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import mutmut.workers.isolation
import pytest
from _pytest.config import _prepareconfig
from mutmut.__main__ import cli
from mutmut.configuration import config
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import change_cwd

from tests.mutation.report import Mutated, only_words

MEMORY_BYTES: Final = 3 * 1024**3
"""What a mutant may take: one that never ends may also never stop growing."""
PROCESSOR_SECONDS: Final = 25
"""What a mutant has: all tests together take a third of it. The clock would end more of them on a busier machine."""
_KILLED: Final = 1


class QuickRunner(PytestRunner):
    """Keeps a session whose tests are collected; children run them as they are."""

    _session: pytest.Session | None = None

    def collect(self) -> None:
        """Collects all tests, in the order in which they are tried on a mutant."""
        arguments = [*config().pytest_add_cli_args_test_selection, *config().pytest_add_cli_args]
        with change_cwd("mutants"):
            settings = _prepareconfig(["--rootdir=.", "--capture=no", "-p", "no:terminal", *arguments])
            settings._do_configure()
            settings.option.tbstyle = "native"  # the others read the source with all of its mutants, for each failure
            session = pytest.Session.from_config(settings)
            settings.hook.pytest_sessionstart(session=session)
            settings.hook.pytest_collection(session=session)
        session.items = quickest_first(session.items)
        self._session = session

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """The exit code of pytest: 0 where all of the tests pass with the mutant."""
        if mutant_name is None or self._session is None:
            return int(super().run_tests(mutant_name=mutant_name, tests=tests))
        if _is_of_words(mutant_name):
            return 0
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        until = int(time.process_time()) + PROCESSOR_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (until, until + 1))
        gc.disable()  # a collection would copy the parent's pages
        chosen = set(tests)
        items = [item for item in self._session.items if item.nodeid in chosen]
        with change_cwd("mutants"):
            return _KILLED if any(_fails(self._session, items, place) for place in range(len(items))) else 0


def quickest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Tests without a table by themselves; then those with one, which each module makes for all of its tests."""
    seconds = state().duration_by_test
    totals: dict[str, float] = {}
    for item in items:
        totals[item.path.name] = totals.get(item.path.name, 0.0) + seconds.get(item.nodeid, 0.0)

    def order(item: pytest.Item) -> tuple[bool, float, str]:
        needs_table = "memory_table" in getattr(item, "fixturenames", ())
        return needs_table, totals[item.path.name] if needs_table else seconds.get(item.nodeid, 0.0), item.path.name

    return sorted(items, key=order)


def _is_of_words(mutant_name: str) -> bool:
    """Whether it does not count, whatever the tests say."""
    module = mutant_name.rpartition(".")[0].replace(".", "/")
    return only_words(*Mutated(Path("mutants", "src", f"{module}.py")).functions(mutant_name))


def _fails(session: pytest.Session, items: Sequence[pytest.Item], place: int) -> bool:
    item = items[place]
    following = items[place + 1] if place + 1 < len(items) else None
    try:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    except BaseException:  # noqa: BLE001 - a child that raised would go on as its parent
        return True
    return session.testsfailed > 0


def main() -> None:
    """The command line of mutmut."""

    def startup(self: Any) -> None:
        self.test_runner.collect()
        started(self)

    runner = mutmut.workers.isolation.ForkRunner
    started = runner.startup
    runner.startup = startup
    mutmut.workers.isolation.PytestRunner = QuickRunner
    cli()


if __name__ == "__main__":
    main()
