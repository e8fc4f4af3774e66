"""The one table: typed items (pynamodb) and the few calls that stores make.

pynamodb gives the item models, conditions and the connection. Two of its habits are put right, once: its default
time-outs exceed a function's budget (here), and its numbers are floats (:mod:`loyalty.core.attributes`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError
from pynamodb.connection import Connection
from pynamodb.connection.base import MetaTable
from pynamodb.expressions.condition import Condition

from loyalty.core.attributes import (
    Document,
    DocumentAttribute,
    IntegerAttribute,
    IntegerMapAttribute,
    TextMapAttribute,
    TextSetAttribute,
)
from loyalty.core.backoff import jitter
from loyalty.core.errors import Unavailable
from loyalty.core.operations import Check, Delete, Item, Operation, Put, RawItem, TransactionRefused, Update
from loyalty.core.transactions import read_together, transact
from loyalty_contract import (
    DUE_AT,
    DUE_INDEX,
    DUE_INDEX_KEY,
    ENTRY_INDEX,
    ENTRY_INDEX_KEY,
    MEMBER_INDEX,
    MEMBER_INDEX_KEY,
    PARTITION_KEY,
    SORT_KEY,
)

__all__ = [
    "MOST_OPERATIONS",
    "MOST_READS",
    "Check",
    "Delete",
    "Document",
    "DocumentAttribute",
    "IntegerAttribute",
    "IntegerMapAttribute",
    "Item",
    "Operation",
    "Page",
    "Put",
    "RawItem",
    "Table",
    "TextMapAttribute",
    "TextSetAttribute",
    "TransactionRefused",
    "Update",
]
"""With what stores make their items and operations of, so that they need no other module."""

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 2.0
RETRIES: Final = 1
"""With these, a table that does not answer is given up after six seconds: sooner than any function is."""
_BATCH_GET_ATTEMPTS: Final = 5
_BATCH_GET_BASE_SECONDS: Final = 0.05
_BATCH_GET_CAP_SECONDS: Final = 0.5
MOST_READS: Final = 100
"""Keys that one :meth:`Table.get_many` takes."""
MOST_OPERATIONS: Final = 100
"""Operations that one :meth:`Table.write` takes, each on an item of its own."""

ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of raw items and, unless it was the last, where the next one starts."""

    items: list[RawItem]
    last_key: RawItem | None


class Table:
    """The table and its one connection. Every read but those of the due index is strongly consistent."""

    def __init__(
        self,
        name: str,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._sleep = sleep
        self.connection = Connection(
            region=region,
            host=endpoint,
            connect_timeout_seconds=CONNECT_SECONDS,
            read_timeout_seconds=READ_SECONDS,
            max_retry_attempts=RETRIES,
        )
        self.connection.add_meta_table(_meta_table(name))

    @property
    def client(self) -> Any:
        """The botocore client underneath; touching it at cold start keeps its making out of the first request."""
        return self.connection.client

    def read(self, pk: str, sk: str) -> RawItem | None:
        """One raw item, or None."""
        item: RawItem | None = self.connection.get_item(self.name, pk, sk, consistent_read=True).get("Item")
        return item

    def get(self, model: type[ItemT], pk: str, sk: str) -> ItemT | None:
        """One item, or None."""
        raw = self.read(pk, sk)
        return None if raw is None else model.from_raw_data(raw)

    def get_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], RawItem]:
        """The items that exist, by (pk, sk); at most 100 keys, one round trip unless DynamoDB answers in part, none for no key.

        Raises:
            Unavailable: the table was too busy to answer for all of them.
        """
        if len(keys) > MOST_READS:
            raise ValueError(f"at most {MOST_READS} keys in one read")
        if not keys:
            return {}
        found: dict[tuple[str, str], RawItem] = {}
        wanted: list[Any] = [{PARTITION_KEY: pk, SORT_KEY: sk} for pk, sk in keys]
        for attempt in range(_BATCH_GET_ATTEMPTS):
            answer = self.connection.batch_get_item(self.name, wanted, consistent_read=True)
            for raw in answer["Responses"].get(self.name, []):
                found[raw[PARTITION_KEY]["S"], raw[SORT_KEY]["S"]] = raw
            left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            wanted = [{name: value["S"] for name, value in key.items()} for key in left]
            if not wanted:
                return found
            self._sleep(jitter(attempt, base=_BATCH_GET_BASE_SECONDS, cap=_BATCH_GET_CAP_SECONDS))
        raise Unavailable("The table is busy; send the same request again.")

    def get_together(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], RawItem]:
        """As :meth:`get_many`, but of one moment: of what a transaction writes, all or nothing. Twice as dear.

        Raises:
            TransactionRefused: a transaction is writing one of them at the moment; read again.
        """
        if len(keys) > MOST_READS:
            raise ValueError(f"at most {MOST_READS} keys in one read")
        return read_together(self.connection, self.name, keys)

    def query(
        self,
        pk: str,
        *,
        where: Condition | None = None,
        index: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        start: RawItem | None = None,
    ) -> Page:
        """One page of a partition."""
        answer = self.connection.query(
            self.name,
            pk,
            range_key_condition=where,
            consistent_read=True,
            exclusive_start_key=start,
            index_name=index,
            limit=limit,
            scan_index_forward=not newest_first,
        )
        return Page(answer["Items"], answer.get("LastEvaluatedKey"))

    def query_all(self, pk: str, *, where: Condition | None = None) -> Iterator[RawItem]:
        """Every item of a partition, page after page."""
        start: RawItem | None = None
        while True:
            page = self.query(pk, where=where, start=start)
            yield from page.items
            if page.last_key is None:
                return
            start = page.last_key

    def due(self, shard: str, until: str, *, limit: int) -> list[RawItem]:
        """Keys of items that fell due in a shard of the due index by ``until``, the longest due first.

        Eventually consistent: a global index cannot be read otherwise.
        """
        return self.due_page(shard, until, limit=limit).items

    def due_page(self, shard: str, until: str, *, limit: int, start: RawItem | None = None) -> Page:
        """One page of :meth:`due`; items that left the index meanwhile do not shift the next one."""
        where = (DUE_INDEX_KEY, shard), (DUE_AT, "<=", until)
        return self._index_page(DUE_INDEX, *where, limit=limit, start=start)

    def sorted_page(self, shard: str, *, after: str, limit: int) -> Page:
        """One page of a shard of the due index: keys of what sorts behind ``after``, eventually consistent as :meth:`due`."""
        # Nothing sorts before a space here, and DynamoDB compares no key with an empty text.
        return self._index_page(DUE_INDEX, (DUE_INDEX_KEY, shard), (DUE_AT, ">", after or " "), limit=limit)

    def member_page(self, shard: str, *, after: str, limit: int) -> Page:
        """One page of a shard of the member index: the partitions behind ``after``, in their order.

        Eventually consistent, as :meth:`due`.
        """
        return self._index_page(MEMBER_INDEX, (MEMBER_INDEX_KEY, shard), (PARTITION_KEY, ">", after), limit=limit)

    def _index_page(
        self,
        index: str,
        partition: tuple[str, str],
        where: tuple[str, str, str],
        *,
        limit: int,
        start: RawItem | None = None,
    ) -> Page:
        """One page of a partition of a global index, of whose sort key something holds."""
        (key, value), (sort_key, operator, than) = partition, where
        answer = self.client.query(
            TableName=self.name,
            IndexName=index,
            KeyConditionExpression=f"#shard = :shard AND #sort {operator} :than",
            ExpressionAttributeNames={"#shard": key, "#sort": sort_key},
            ExpressionAttributeValues={":shard": {"S": value}, ":than": {"S": than}},
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
        )
        return Page(answer["Items"], answer.get("LastEvaluatedKey"))

    def scan(self) -> Iterator[RawItem]:
        """Every item of the table, those of a partition together. For audits and exports; no request path scans."""
        start: RawItem | None = None
        while True:
            request = {"TableName": self.name, "ConsistentRead": True}
            answer = self.client.scan(**request | ({"ExclusiveStartKey": start} if start else {}))
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return

    def mark(self, pk: str, sk: str, name: str, value: str, *, unless: Sequence[str]) -> bool:
        """Gives an item a text attribute, if the item is there and has none of ``unless``; whether it did.

        Nothing else of the item changes, so that it may be written by others at the same time.
        """
        names = {"#pk": PARTITION_KEY, "#name": name, **{f"#u{place}": one for place, one in enumerate(unless)}}
        lacking = "".join(f" AND attribute_not_exists(#u{place})" for place in range(len(unless)))
        try:
            self.client.update_item(
                TableName=self.name,
                Key={PARTITION_KEY: {"S": pk}, SORT_KEY: {"S": sk}},
                UpdateExpression="SET #name = :value",
                ConditionExpression=f"attribute_exists(#pk){lacking}",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={":value": {"S": value}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def advance(self, pk: str, sk: str, name: str, *, least: int, by: int) -> int:
        """Moves a number on by ``by``, from ``least`` where it is lower or not there; says from where it was moved.

        Nothing is read first, and no two callers are told the same, however many there are.
        """
        steps = (
            ("#name >= :least", "#name + :by", {":least": least, ":by": by}),
            ("attribute_not_exists(#name) OR #name < :least", ":next", {":least": least, ":next": least + by}),
        )
        # The number never goes back: who is overtaken between the two finds the first one true the next time.
        for condition, moved, values in (*steps, steps[0]):
            try:
                answer = self.client.update_item(
                    TableName=self.name,
                    Key={PARTITION_KEY: {"S": pk}, SORT_KEY: {"S": sk}},
                    UpdateExpression=f"SET #name = {moved}",
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#name": name},
                    ExpressionAttributeValues={key: {"N": str(value)} for key, value in values.items()},
                    ReturnValues="ALL_NEW",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                continue
            return int(answer["Attributes"][name]["N"]) - by
        raise Unavailable("The table is busy; send the same request again.")

    def write(self, operations: Sequence[Operation]) -> None:
        """One TransactWriteItems, all or nothing.

        Raises:
            TransactionRefused: a condition did not hold, or another transaction was in the way.
        """
        transact(self.connection, self.name, operations)


def _meta_table(name: str) -> MetaTable:
    """What pynamodb needs to know of the table; saves the DescribeTable it would otherwise make at cold start."""

    def keys(partition: str, sort: str) -> list[dict[str, str]]:
        return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

    return MetaTable(
        {
            "TableName": name,
            "KeySchema": keys(PARTITION_KEY, SORT_KEY),
            "AttributeDefinitions": [
                {"AttributeName": PARTITION_KEY, "AttributeType": "S"},
                {"AttributeName": SORT_KEY, "AttributeType": "S"},
                {"AttributeName": ENTRY_INDEX_KEY, "AttributeType": "N"},
            ],
            "LocalSecondaryIndexes": [{"IndexName": ENTRY_INDEX, "KeySchema": keys(PARTITION_KEY, ENTRY_INDEX_KEY)}],
        }
    )
