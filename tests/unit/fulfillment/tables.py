"""Tables in memory, and a tap on what is asked of them: thousands of histories, where an emulator takes minutes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from loyalty.core.table import Table
from tests.ledgerkit.tables import create_table
from tests.simulation.client import Service, table_over
from tests.simulation.engine import MemoryDynamoDb

NAME = "ledger"


class Tap:
    """In front of a service: tells of each call before it is sent, and after its answer came."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.told: Callable[[str], None] = lambda _: None

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.told(f"before {operation}")
        answer = self._service.call(operation, request)
        self.told(f"after {operation}")
        return answer


class TappedTable(Table):
    """The real table over the engine in memory."""

    tap: Tap


def new_table() -> TappedTable:
    """An empty table."""
    tap = Tap(MemoryDynamoDb())
    table = table_over(tap, NAME)
    create_table(table.client, NAME)
    table.__class__ = TappedTable
    assert isinstance(table, TappedTable)
    table.tap = tap
    return table


@contextmanager
def tapped(table: Table, told: Callable[[str], None]) -> Iterator[None]:
    """Within, each call that leaves the table passes ``told``."""
    assert isinstance(table, TappedTable)
    before, table.tap.told = table.tap.told, told
    try:
        yield
    finally:
        table.tap.told = before
