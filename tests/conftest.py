"""Fixtures that every kind of test may use, and which tests share a process."""

from typing import Any, Final

import pytest

pytest_plugins = ("tests.engines.fixtures",)

_TOGETHER: Final = ("tests/e2e/", "tests/infra/")
"""Folders whose tests share something that takes long to make: the local cloud, the synthesized templates."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Where several processes run the tests, those of one file go to one of them, and so do those of some folders."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - `make mutate` goes without it

    class _Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", maxsplit=1)[0]
            return next((folder for folder in _TOGETHER if file.startswith(folder)), file)

    return _Scheduling(config, log)
