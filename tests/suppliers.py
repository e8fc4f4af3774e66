"""The sandbox supplier as a fixture."""

from collections.abc import Iterator

import pytest

from infra.local.supplier.server import SandboxSupplier


@pytest.fixture(scope="module")
def sandbox_server() -> Iterator[SandboxSupplier]:
    """The server of a module's tests: starting one for each test would cost half a second."""
    with SandboxSupplier() as supplier:
        yield supplier


@pytest.fixture
def sandbox(sandbox_server: SandboxSupplier) -> SandboxSupplier:
    """The supplier, without orders and faults, its account full."""
    sandbox_server.api.reset()
    return sandbox_server
