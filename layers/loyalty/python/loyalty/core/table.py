"""The one table: typed items (pynamodb) and the few calls that stores make.

pynamodb gives the item models, conditions and the connection. Two of its habits are put right here, once: its
default time-outs exceed a function's budget, and its numbers are floats.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError
from pynamodb.attributes import Attribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.connection import Connection
from pynamodb.connection.base import MetaTable
from pynamodb.exceptions import PynamoDBException, TransactGetError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from loyalty.core.backoff import jitter
from loyalty.core.errors import Unavailable
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

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 2.0
RETRIES: Final = 1
"""With these, a table that does not answer is given up after six seconds: sooner than any function is."""
_BATCH_GET_ATTEMPTS: Final = 5
_BATCH_GET_BASE_SECONDS: Final = 0.05
_BATCH_GET_CAP_SECONDS: Final = 0.5
_GROUPS: Final = ("check", "delete", "put", "update")
"""In this order pynamodb sends the operations of a transaction."""
MOST_READS: Final = 100
"""Keys that one :meth:`Table.get_many` takes."""
MOST_OPERATIONS: Final = 100
"""Operations that one :meth:`Table.write` takes, each on an item of its own."""


class IntegerAttribute(Attribute[int]):
    """A whole number, and nothing else: points and sequence numbers never pass through a float."""

    attr_type = "N"

    def serialize(self, value: Any) -> str:
        """As DynamoDB takes it."""
        if type(value) is not int:
            raise TypeError(f"{self.attr_name} holds whole numbers, not {type(value).__name__}")
        return str(value)

    def deserialize(self, value: str) -> int:
        """As DynamoDB gave it."""
        return int(value)


class IntegerMapAttribute(Attribute[dict[str, int]]):
    """A map from names to whole numbers, such as lots or postings."""

    attr_type = "M"

    def serialize(self, value: Any) -> dict[str, dict[str, str]]:
        """As DynamoDB takes it."""
        if any(type(number) is not int for number in value.values()):
            raise TypeError(f"{self.attr_name} holds whole numbers")
        return {name: {"N": str(number)} for name, number in value.items()}

    def deserialize(self, value: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
        """As DynamoDB gave it."""
        return {name: int(number["N"]) for name, number in value.items()}


class TextMapAttribute(Attribute[dict[str, str]]):
    """A map from names to texts."""

    attr_type = "M"

    def serialize(self, value: Any) -> dict[str, dict[str, str]]:
        """As DynamoDB takes it."""
        return {name: {"S": text} for name, text in value.items()}

    def deserialize(self, value: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """As DynamoDB gave it."""
        return {name: text["S"] for name, text in value.items()}


class TextSetAttribute(UnicodeSetAttribute):
    """A set of texts, sent in their order: the same item is the same request in every process."""

    def serialize(self, value: Any) -> list[str]:
        """As DynamoDB takes it."""
        return sorted(value)


Document = dict[str, Any]
"""Names to whole numbers, texts, or documents again."""


class DocumentAttribute(Attribute[Document]):
    """A nested map of whole numbers and texts, and nothing else."""

    attr_type = "M"

    def serialize(self, value: Any) -> dict[str, dict[str, Any]]:
        """As DynamoDB takes it."""
        return {str(name): self._typed(part) for name, part in value.items()}

    def deserialize(self, value: Mapping[str, Mapping[str, Any]]) -> Document:
        """As DynamoDB gave it."""
        return {name: self._plain(typed) for name, typed in value.items()}

    def _typed(self, part: Any) -> dict[str, Any]:
        if type(part) is int:
            return {"N": str(part)}
        if isinstance(part, str):
            return {"S": str(part)}
        if isinstance(part, Mapping):
            return {"M": self.serialize(part)}
        raise TypeError(f"{self.attr_name} holds whole numbers and texts, not {type(part).__name__}")

    def _plain(self, typed: Mapping[str, Any]) -> Any:
        ((kind, part),) = typed.items()
        if kind == "N":
            return int(part)
        return self.deserialize(part) if kind == "M" else str(part)


class Item(Model):
    """Every item of the table has these two keys."""

    pk = UnicodeAttribute(hash_key=True, attr_name=PARTITION_KEY)
    sk = UnicodeAttribute(range_key=True, attr_name=SORT_KEY)


ItemT = TypeVar("ItemT", bound=Item)
RawItem = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Put:
    """Writes ``item`` whole, if ``condition`` holds for the stored one.

    ``shared``: members write it side by side, so that it may change at any moment; whoever finds it changed reads it again.
    """

    item: Item
    condition: Condition | None = None
    shared: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The item's keys."""
        return self.item.pk, self.item.sk


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes the item, if ``condition`` holds for it."""

    model: type[Item]
    pk: str
    sk: str
    condition: Condition | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The item's keys."""
        return self.pk, self.sk


@dataclass(frozen=True, slots=True)
class Check:
    """Writes nothing, but the transaction fails unless ``condition`` holds."""

    model: type[Item]
    pk: str
    sk: str
    condition: Condition

    @property
    def key(self) -> tuple[str, str]:
        """The item's keys."""
        return self.pk, self.sk


@dataclass(frozen=True, slots=True)
class Update:
    """Changes attributes of an item, which need not exist, if ``condition`` holds for the stored one.

    ``shared``: as of a :class:`Put`.
    """

    model: type[Item]
    pk: str
    sk: str
    actions: Sequence[Action]
    condition: Condition | None = None
    shared: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The item's keys."""
        return self.pk, self.sk


Operation = Put | Delete | Check | Update


class TransactionRefused(Exception):
    """DynamoDB cancelled the transaction; nothing was written.

    ``failed`` has, for each operation whose condition did not hold, its place in the call and the stored item (None
    where there is none). ``contended`` says that another transaction held one of the items: try again.
    """

    def __init__(self, failed: dict[int, RawItem | None], codes: Sequence[str], *, contended: bool) -> None:
        super().__init__(f"transaction cancelled: {', '.join(codes)}")
        self.failed = failed
        self.contended = contended


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
        """The items that exist, by (pk, sk); at most 100 keys, one round trip unless DynamoDB answers in part.

        Raises:
            Unavailable: the table was too busy to answer for all of them.
        """
        if len(keys) > MOST_READS:
            raise ValueError(f"at most {MOST_READS} keys in one read")
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
        wanted = [{"TableName": self.name, "Key": {PARTITION_KEY: {"S": pk}, SORT_KEY: {"S": sk}}} for pk, sk in keys]
        try:
            answer = self.connection.transact_get_items(wanted)
        except TransactGetError as error:
            codes = [reason["Code"] for reason in _response(error).get("CancellationReasons", [])]
            if "TransactionConflict" not in codes:
                raise
            raise TransactionRefused({}, codes, contended=True) from error
        return {key: found["Item"] for key, found in zip(keys, answer["Responses"], strict=True) if found.get("Item")}

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

    def write(self, operations: Sequence[Operation]) -> None:
        """One TransactWriteItems, all or nothing.

        Raises:
            TransactionRefused: a condition did not hold, or another transaction was in the way.
        """
        order: dict[str, list[int]] = {group: [] for group in _GROUPS}
        requests: dict[str, list[dict[str, Any]]] = {group: [] for group in _GROUPS}
        for place, operation in enumerate(operations):
            group, request = self._request(operation)
            order[group].append(place)
            requests[group].append(request)
        try:
            checks, deletes, puts, updates = (requests[group] for group in _GROUPS)
            self.connection.transact_write_items(checks, deletes, puts, updates)
        except TransactWriteError as error:
            # The reasons come back in the order in which pynamodb sends, not in the caller's.
            places = [place for group in _GROUPS for place in order[group]]
            refusal = _refusal(error, places)
            if refusal is None:
                raise  # with botocore's error, which says why, still in its context
            raise refusal from error

    def _request(self, operation: Operation) -> tuple[str, dict[str, Any]]:
        condition = operation.condition
        if isinstance(operation, Put):
            group, item = "put", operation.item
            request = self.connection.get_operation_kwargs(
                self.name, item.pk, item.sk, key="Item", attributes=item.serialize(), condition=condition
            )
        elif isinstance(operation, Update):
            group = "update"
            request = self.connection.get_operation_kwargs(
                self.name, operation.pk, operation.sk, actions=list(operation.actions), condition=condition
            )
        else:
            group = "delete" if isinstance(operation, Delete) else "check"
            request = self.connection.get_operation_kwargs(self.name, operation.pk, operation.sk, condition=condition)
        if condition is not None:
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return group, request


def error_code(error: PynamoDBException) -> str | None:
    """DynamoDB's code of an error that pynamodb raised, or None where no answer came.

    Not ``error.cause_response_code``: a lost connection has a response, which is None, and pynamodb trips over it.
    """
    code: str | None = _response(error).get("Error", {}).get("Code")
    return code


def _response(error: PynamoDBException) -> Mapping[str, Any]:
    response: Mapping[str, Any] = getattr(error.cause, "response", None) or {}
    return response


def _refusal(error: TransactWriteError, places: Sequence[int]) -> TransactionRefused | None:
    """The refusal that the error is, or None where it is something else: throttling, a lost connection, a bad request."""
    reasons = list(error.cancellation_reasons)
    if error_code(error) == "TransactionInProgressException":
        return TransactionRefused({}, ["TransactionInProgress"], contended=True)
    if not reasons:
        return None
    codes = [reason.code for reason in reasons if reason is not None]
    if not set(codes) <= {"ConditionalCheckFailed", "TransactionConflict"}:
        return None
    failed: dict[int, RawItem | None] = {
        place: (reason.raw_item or None)
        for place, reason in zip(places, reasons, strict=True)
        if reason is not None and reason.code == "ConditionalCheckFailed"
    }
    return TransactionRefused(failed, codes, contended="TransactionConflict" in codes)


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
