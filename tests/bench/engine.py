"""The engine that the figures are taken on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.ministack import Ministack
from infra.local.processes import free_port
from loyalty.core.table import Table
from tests.bench.meter import Cost, Engine, metered
from tests.engines.dynamodb_local import DynamoDbLocal
from tests.engines.fixtures import REGION, dynamodb_client
from tests.engines.npm import Unavailable
from tests.ledgerkit.tables import create_table, warm_up


@dataclass(frozen=True)
class Running:
    """An engine that answers at ``endpoint``; ``why`` it is not the first choice, if it is not."""

    engine: Engine
    endpoint: str
    why: str = ""
    client: Any = field(init=False)
    """A client that nothing counts."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "client", dynamodb_client(self.endpoint))

    def __str__(self) -> str:
        return self.engine + (f" ({self.why})" if self.why else "")

    def table(self, name: str) -> Table:
        """A new, empty table, as the functions see it."""
        create_table(self.client, name)
        warm_up(self.client, name)
        return Table(name, endpoint=self.endpoint, region=REGION)

    def cost(self, table: Table, run: Callable[[], object]) -> Cost:
        """What it costs to run something over a table."""
        with metered(table.client, self.look, self.engine) as cost:
            run()
        return cost

    def look(self, table: str, key: Any) -> dict[str, Any] | None:
        """An item, by the client that nothing counts."""
        item: dict[str, Any] | None = self.client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return item

    def drop(self, table: Table) -> None:
        """Frees the engine's memory of a table."""
        self.client.delete_table(TableName=table.name)


@contextmanager
def running_engine(workdir: Path) -> Iterator[Running]:
    """DynamoDB Local, or ministack where it cannot run."""
    server: DynamoDbLocal | Ministack = DynamoDbLocal(workdir, free_port())
    engine, why = Engine.DYNAMODB_LOCAL, ""
    try:
        server.start()
    except Unavailable as missing:
        engine, why = Engine.MINISTACK, str(missing)
        server = Ministack(workdir, free_port(), REGION, persistent=False, enforce_iam=False, tied=True)
        server.start()
    try:
        yield Running(engine, server.endpoint, why)
    finally:
        server.stop()
