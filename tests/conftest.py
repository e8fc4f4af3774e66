"""Fixtures that every kind of test may use, and which tests share a process."""

import os
from contextlib import suppress
from typing import Any, Final

import pytest

pytest_plugins = ("tests.engines.fixtures",)

_TOGETHER: Final = ("tests/e2e/", "tests/infra/")
"""Folders whose tests share something that takes long to make: the local cloud, the synthesized templates."""
_APART: Final = ("tests/e2e/test_restart.py",)
"""Files in them whose tests have a cloud of their own."""
_GIVES_WAY: Final = 5
"""The niceness of tests that compute, and of what they start."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Beside others, tests that compute give way to those that wait for the local cloud, where a busy second is a time-out."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    wanted = 0 if item.nodeid.startswith("tests/e2e/") else _GIVES_WAY
    if os.getpriority(os.PRIO_PROCESS, 0) != wanted:
        with suppress(PermissionError):  # only root goes back to 0: then all are alike again, as if none had given way
            os.setpriority(os.PRIO_PROCESS, 0, wanted)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more process than there are processors: end-to-end tests wait for most of their time."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Where several processes run the tests, those of one file go to one of them, and so do those of some folders."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - `make mutate` goes without it

    class _Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", maxsplit=1)[0]
            if file in _APART:
                return file
            return next((folder for folder in _TOGETHER if file.startswith(folder)), file)

    return _Scheduling(config, log)
