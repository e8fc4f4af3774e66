"""What the engine in memory has beside what DynamoDB does: it is watched, made to page, and refuses what it does not know."""

from typing import Any

import pytest

from loyalty.core.table import Put, Table
from tests.simulation.client import table_over
from tests.simulation.counters import PK, Counter, counter
from tests.simulation.dynamodb.errors import Refused
from tests.simulation.engine import MemoryDynamoDb, SlowCommit
from tests.simulation.pair import create_conformance_table

KEY = {"pk": {"S": PK}, "sk": {"S": "1"}}


def made(engine: MemoryDynamoDb) -> Table:
    table = table_over(engine, "ledger")
    create_conformance_table(table.client, "ledger")
    return table


def test_small_pages_hold_everything_in_order() -> None:
    table = made(MemoryDynamoDb(page_bytes=25))
    table.write([Put(counter(f"{number:02}", number)) for number in range(20)])
    assert len(table.query(PK).items) == 2
    assert [raw["sk"]["S"] for raw in table.query_all(PK)] == [f"{number:02}" for number in range(20)]
    assert len(list(table.scan())) == 20


def test_changes_are_kept_and_changes_only() -> None:
    engine = MemoryDynamoDb()
    table = made(engine)
    table.write([Put(counter("1", 1)), Put(counter("2", 1))])
    table.write([Put(counter("1", 2)), Put(counter("2", 1))])
    table.client.delete_item(TableName="ledger", Key=KEY)
    table.client.delete_item(TableName="ledger", Key=KEY)
    told = [(change.number, change.key[1], change.old and change.old["total"]["N"]) for change in engine.changes]
    assert told == [(1, "1", None), (2, "2", None), (3, "1", "1"), (4, "1", "2")]
    assert engine.changes[-1].new is None


def test_after_clearing_it_is_as_if_nothing_was_ever_written() -> None:
    engine = MemoryDynamoDb(index_lag=5)
    table = made(engine)
    item = {**KEY, "holder": {"S": "h"}, "due": {"S": "d"}}
    write = {"TransactItems": [{"Put": {"TableName": "ledger", "Item": item}}], "ClientRequestToken": "once"}
    table.client.transact_write_items(**write)
    engine.clear()
    assert (list(table.scan()), engine.changes) == ([], [])
    table.client.transact_write_items(**write)  # a token that is remembered would keep it from being written
    assert (table.read(PK, "1"), [change.number for change in engine.changes]) == (item, [1])


def test_nobody_reaches_what_is_stored() -> None:
    table = made(MemoryDynamoDb())
    item: dict[str, Any] = {**KEY, "deep": {"M": {"list": {"L": [{"SS": ["a"]}]}}}}
    table.client.put_item(TableName="ledger", Item=item)
    for reach in (item, table.read(PK, "1"), table.query(PK).items[0], table.get_many([(PK, "1")])[PK, "1"]):
        assert reach is not None
        reach["deep"]["M"]["list"]["L"][0]["SS"].append("b")
        reach["more"] = {"S": "x"}
        assert table.read(PK, "1") == {**KEY, "deep": {"M": {"list": {"L": [{"SS": ["a"]}]}}}}


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("BatchWriteItem", {}),
        ("GetItem", {"TableName": "ledger", "Key": KEY, "AttributesToGet": ["pk"]}),
        ("Query", {"TableName": "ledger", "KeyConditions": {}}),
        ("UpdateItem", {"TableName": "ledger", "Key": KEY, "AttributeUpdates": {}}),
        ("UpdateItem", {"TableName": "ledger", "Key": KEY, "ReturnValues": "UPDATED_NEW"}),
        ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "ledger", "Item": KEY, "Expected": {}}}]}),
        ("GetItem", {"TableName": "ledger", "Key": KEY, "ProjectionExpression": "a.b"}),
    ],
)
def test_what_it_does_not_know_it_refuses_loudly(operation: str, request_: dict[str, Any]) -> None:
    engine = MemoryDynamoDb()
    made(engine).write([Put(counter("1", 1))])
    with pytest.raises(NotImplementedError):
        engine.call(operation, request_)


def test_a_slow_commit_holds_its_items_until_its_end() -> None:
    engine = MemoryDynamoDb()
    table = made(engine)
    wanted = [{"Put": {"TableName": "ledger", "Item": {**KEY, "sk": {"S": sk}}}} for sk in "123"]
    steps = engine.commit_slowly({"TransactItems": wanted}, list.reverse)
    commits: list[SlowCommit] = []
    for written in ("3", "23"):
        next(steps)
        assert [raw["sk"]["S"] for raw in table.query(PK).items] == list(written)
        assert engine.held == {("ledger", (PK, sk)) for sk in "123"}
        commits = list(engine.slow_commits)
        assert [commit.last_change for commit in commits] == [0]
        with pytest.raises(Refused, match="TransactionConflict, None"):
            engine.call(
                "TransactWriteItems",
                {"TransactItems": [wanted[0], {"Put": {"TableName": "ledger", "Item": {**KEY, "sk": {"S": "4"}}}}]},
            )
        with pytest.raises(Refused, match="TransactionConflictException"):
            engine.call("PutItem", wanted[2]["Put"])
    assert list(steps) == []
    assert not engine.held
    assert not engine.slow_commits
    assert [commit.last_change for commit in commits] == [3]
    assert len(table.query(PK).items) == 3
    table.write([Put(counter("1", 1), Counter.pk.exists())])


def test_a_slow_commit_that_is_refused_holds_nothing() -> None:
    engine = MemoryDynamoDb()
    table = made(engine)
    put = {"TableName": "ledger", "Item": KEY, "ConditionExpression": "attribute_exists(pk)"}
    with pytest.raises(Refused, match="ConditionalCheckFailed"):
        next(engine.commit_slowly({"TransactItems": [{"Put": put}]}, list.reverse))
    table.write([Put(counter("1", 1))])
