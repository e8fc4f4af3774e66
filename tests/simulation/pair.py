"""The same request to the engine in memory and to DynamoDB Local, and the same answer expected of both."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from botocore.exceptions import ClientError

from tests.simulation.client import MemoryClient

TABLE: Final = "conformance"
KEYS: Final = {"pk": "S", "sk": "S", "seq": "N", "holder": "S", "due": "S", "code": "B"}
INDEXES: Final[Mapping[str | None, tuple[str, str | None]]] = {
    None: ("pk", "sk"),
    "by_seq": ("pk", "seq"),
    "by_code": ("pk", "code"),
    "by_due": ("holder", "due"),
    "by_holder": ("holder", None),
    "by_number": ("seq", "sk"),
}
"""Partition and sort key of the table and of its indexes: two local ones, and three global ones."""
_LOCAL: Final = ("by_seq", "by_code")
_KEYS_ONLY: Final = ("by_code", "by_holder")


def create_conformance_table(client: Any, name: str = TABLE) -> None:
    """A table with an index of every sort, by the same request on either engine."""

    def index(of: str) -> dict[str, Any]:
        kind = "KEYS_ONLY" if of in _KEYS_ONLY else "ALL"
        return {"IndexName": of, "KeySchema": _schema(*INDEXES[of]), "Projection": {"ProjectionType": kind}}

    indexes = [of for of in INDEXES if of]
    client.create_table(
        TableName=name,
        KeySchema=_schema("pk", "sk"),
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in KEYS.items()],
        LocalSecondaryIndexes=[index(of) for of in indexes if of in _LOCAL],
        GlobalSecondaryIndexes=[index(of) for of in indexes if of not in _LOCAL],
        BillingMode="PAY_PER_REQUEST",
    )


def _schema(pk: str, sk: str | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": pk, "KeyType": "HASH"}]
    return schema if sk is None else [*schema, {"AttributeName": sk, "KeyType": "RANGE"}]


@dataclass(frozen=True)
class Pair:
    """Both engines, with a table of the same name and shape in each."""

    memory: MemoryClient
    local: Any

    def send(self, method: str, **request: Any) -> Any:
        """The answer of both: the result, or a tuple that describes the refusal."""
        mine, theirs = (_outcome(client, method, request) for client in (self.memory, self.local))
        assert mine == theirs, f"{method} {request}\nin memory: {mine}\nDynamoDB Local: {theirs}"
        return mine

    def accepted(self, method: str, **request: Any) -> Any:
        """As :meth:`send`, of a request that must not be refused: a test of refusals alone would prove little."""
        answer = self.send(method, **request)
        assert isinstance(answer, dict), answer
        return answer

    def walk(self, index: str | None, partition: str | int, *, forward: bool = True) -> list[Any]:
        """What both engines hold in a partition, read in pages of two."""
        pk, sk = INDEXES[index]
        request: dict[str, Any] = {
            "TableName": TABLE,
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": pk},
            "ExpressionAttributeValues": {":pk": {"N" if isinstance(partition, int) else "S": str(partition)}},
            "ScanIndexForward": forward,
            "Limit": 2,
        }
        if index is not None:
            request["IndexName"] = index
        mine, theirs = (_ranked(_pages(client, request), sk) for client in (self.memory, self.local))
        assert mine == theirs, f"{index} {partition}\nin memory: {mine}\nDynamoDB Local: {theirs}"
        return mine


def _pages(client: Any, request: Mapping[str, Any]) -> Iterator[Any]:
    start: Any = None
    while True:
        answer = client.query(**request, **({"ExclusiveStartKey": start} if start else {}))
        yield from answer["Items"]
        start = answer.get("LastEvaluatedKey")
        if not start:
            return


def _ranked(items: Iterator[Any], sk: str | None) -> list[Any]:
    """In the order of the sort key; those that share it in an order of ours, since DynamoDB promises none."""

    def sort_value(item: Mapping[str, Any]) -> str:
        return "" if sk is None else repr(item[sk])

    plain = [_plain(item) for item in items]
    return [item for _, tied in groupby(plain, sort_value) for item in sorted(tied, key=repr)]


def _outcome(client: Any, method: str, request: Mapping[str, Any]) -> Any:
    try:
        answer = getattr(client, method)(**request)
    except ClientError as error:
        return _refusal(error.response)
    shown = {name: _plain(value) for name, value in answer.items() if name not in {"ResponseMetadata", "Attributes"}}
    shown.pop("ConsumedCapacity", None)  # DynamoDB Local gives it with some answers, though nobody asks
    if "Attributes" in answer:
        shown["Attributes"] = _plain(answer["Attributes"])
    for items in shown.get("Responses", {}).values():
        items.sort(key=repr)
    return shown


def _refusal(response: Mapping[str, Any]) -> tuple[Any, ...]:
    """What is promised of a refusal: its code, the reasons of a cancellation, and the items shown with them. Not texts.

    AWS documents that a transaction is cancelled with the reason ``ValidationError`` where an item's content makes an
    operation impossible; DynamoDB Local refuses some of these with a ``ValidationException``. The engine does as is
    documented, and both count as the same here.
    """
    code = response["Error"]["Code"]
    reasons: Sequence[Mapping[str, Any]] = response.get("CancellationReasons", [])
    if any(reason["Code"] == "ValidationError" for reason in reasons):
        return "ValidationException", None
    shown = [(reason["Code"], _plain(reason.get("Item"))) for reason in reasons]
    return code, *shown, _plain(response.get("Item"))


def _plain(value: Any) -> Any:
    """With numbers compared by what they are: DynamoDB Local gives those of an UpdateItem back as they were sent."""
    if isinstance(value, Mapping):
        if value.keys() == {"N"}:
            return {"N": Decimal(value["N"])}
        if value.keys() == {"NS"}:
            return {"NS": sorted(map(Decimal, value["NS"]))}
        return {name: _plain(value[name]) for name in sorted(value)}
    return [_plain(member) for member in value] if isinstance(value, list) else value
