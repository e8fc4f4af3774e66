"""A hundred due of a hundred thousand: a sweep reads the keys of what is due, their books, and little else."""

from typing import Final

import pytest

from infra.local.ministack import ACCESS_KEY, SECRET_KEY
from loyalty.core.table import Table
from tests.engines.dynamodb_local import DynamoDbLocal
from tests.engines.fixtures import REGION, dynamodb_client
from tests.ledgerkit.calls import items_read
from tests.ledgerkit.crowd import gather
from tests.ledgerkit.overdue import Overdue
from tests.ledgerkit.tables import create_table, warm_up

pytestmark = pytest.mark.integration

MEMBERS: Final = 100_000
DUE: Final = 100


# ministack looks at every item of a table for each query of an index, and so needs seconds for each.
def test_a_hundred_due_of_a_hundred_thousand(dynamodb_local: DynamoDbLocal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    client, name = dynamodb_client(dynamodb_local.endpoint), "many"
    create_table(client, name)
    warm_up(client, name)
    world = Overdue(Table(name, endpoint=dynamodb_local.endpoint, region=REGION), workers=8)
    gather(client, world, MEMBERS, DUE, lambda _: None)
    world.clock.set("2026-03-21")
    with items_read(world.table.client) as read:
        sweep = world.sweep()
    client.delete_table(TableName=name)
    assert (sweep.members, sweep.entries, sweep.failures) == (DUE, DUE, [])
    assert sum(read) < 3 * DUE
