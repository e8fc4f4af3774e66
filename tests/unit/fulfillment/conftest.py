import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.table import Table
from tests.suppliers import sandbox, sandbox_server
from tests.unit.fulfillment.rig import Rig
from tests.unit.fulfillment.tables import new_table

__all__ = ["sandbox", "sandbox_server"]


@pytest.fixture
def table() -> Table:
    """A table of its own for each test, in memory."""
    return new_table()


@pytest.fixture
def rig(table: Table, sandbox: SandboxSupplier) -> Rig:
    """A member with a held redemption, the supplier, and the steps over both."""
    return Rig(table, sandbox)
