import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.table import Table
from tests.unit.fulfillment.conftest import sandbox, sandbox_server
from tests.unit.fulfillment.rig import Rig

__all__ = ["rig", "sandbox", "sandbox_server"]


@pytest.fixture
def rig(table: Table, sandbox: SandboxSupplier) -> Rig:
    """A held gift card, and everything that fulfils it."""
    return Rig(table, sandbox, read_seconds=0.5)
