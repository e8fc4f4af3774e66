from collections.abc import Iterator

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.table import Table
from tests.unit.fulfillment.rig import Rig


@pytest.fixture(scope="module")
def sandbox_server() -> Iterator[SandboxSupplier]:
    with SandboxSupplier() as supplier:
        yield supplier


@pytest.fixture
def sandbox(sandbox_server: SandboxSupplier) -> SandboxSupplier:
    """The supplier, without orders and faults; starting one for each test would cost half a second."""
    sandbox_server.api.book.clear()
    sandbox_server.api.faults.replace([])
    return sandbox_server


@pytest.fixture
def rig(table: Table, sandbox: SandboxSupplier) -> Rig:
    return Rig(table, sandbox)
