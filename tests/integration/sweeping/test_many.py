"""A hundred due of a hundred thousand: a sweep reads the keys of what is due, their books, and little else."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from infra.local.ministack import ACCESS_KEY, SECRET_KEY
from loyalty.core.table import RawItem, Table
from loyalty.ledger.model import Book, Wallet
from loyalty.ledger.store import book_put, due_shard, partition
from tests.engines.dynamodb_local import DynamoDbLocal
from tests.engines.fixtures import REGION, dynamodb_client
from tests.integration.sweeping.test_sweeps import items_read
from tests.ledgerkit.overdue import START, Overdue
from tests.ledgerkit.tables import create_table, warm_up

pytestmark = pytest.mark.integration

MEMBERS: Final = 100_000
DUE: Final = 100
BATCH: Final = 25
LOADERS: Final = 4


def _book(world: Overdue, *, pending: bool) -> RawItem:
    lot, points = "2030-12-31", 10
    maturing = {f"2026-03-20/{lot}": points} if pending else {}
    wallet = Wallet(available=points, pending=sum(maturing.values()), lots={lot: points}, maturing=maturing)
    book = Book("acme", "mbr_0", "bronze", seq=1, opened_at=START, settled_to=START, wallets={"points": wallet})
    raw: RawItem = book_put(book, world.program.scope, read_at_seq=0).item.serialize()
    return raw


def _load(client: Any, table: str, world: Overdue) -> None:
    """As many accruals would have left them, but for their entries, which no sweep reads."""
    living, pending = _book(world, pending=False), _book(world, pending=True)

    def put(first: int) -> None:
        requests = []
        for number in range(first, first + BATCH):
            member = f"mbr_{number:06}"
            book = pending if number % (MEMBERS // DUE) == 0 else living
            keys = {"pk": {"S": partition("acme", member)}, "due_shard": {"S": due_shard(member)}}
            requests.append({"PutRequest": {"Item": book | keys}})
        left: dict[str, Any] = {table: requests}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]

    with ThreadPoolExecutor(LOADERS) as pool:
        list(pool.map(put, range(0, MEMBERS, BATCH)))


# ministack looks at every item of a table for each query of an index, and so needs seconds for each.
def test_a_hundred_due_of_a_hundred_thousand(dynamodb_local: DynamoDbLocal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    client, name = dynamodb_client(dynamodb_local.endpoint), "many"
    create_table(client, name)
    warm_up(client, name)
    world = Overdue(Table(name, endpoint=dynamodb_local.endpoint, region=REGION), workers=8)
    _load(client, name, world)
    world.clock.set("2026-03-21")
    with items_read(world.table) as read:
        sweep = world.sweep()
    client.delete_table(TableName=name)
    assert (sweep.members, sweep.entries, sweep.failures) == (DUE, DUE, [])
    assert sum(read) < 3 * DUE
