"""Whether a run of tests was the whole e2e suite: some proofs are about everything that it does."""

from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(__file__).parent
LAST: Final = "last"
"""Mark of tests that look back on all others."""


class WholeRun:
    """A plugin that notes what of the suite was left out, skipped or failed, and puts tests last that look back on it."""

    NAME: Final = "whole_run"

    def __init__(self) -> None:
        self._not_collected: list[str] = []
        self._not_passed: list[str] = []

    @property
    def missing(self) -> list[str]:
        """Names of files that were not collected and ids of tests that were deselected, skipped or failed so far."""
        return [*self._not_collected, *self._not_passed]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        there = {item.path for item in items}
        self._not_collected = [file.name for file in sorted(FOLDER.glob("test_*.py")) if file not in there]
        items.sort(key=lambda item: item.get_closest_marker(LAST) is not None)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self._not_passed += [item.nodeid for item in items if item.path.parent == FOLDER]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed and Path(report.fspath).parent.name == FOLDER.name:
            self._not_passed.append(report.nodeid)
