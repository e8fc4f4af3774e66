"""The keys of a table and of its indexes, and what DynamoDB asks of the attributes that are part of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.simulation.dynamodb.errors import invalid
from tests.simulation.dynamodb.values import (
    ITEM_BYTES,
    Item,
    Orderable,
    Value,
    item_size,
    kind_of,
    normal_item,
    ordered,
    size,
)

Key = tuple[Orderable, Orderable]
"""Partition and sort key of an item in its table."""
Position = tuple[Orderable, ...]
"""What orders the entries of one partition."""
_KEY_BYTES: Final = (2048, 1024)


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index; items without one of its keys are not in it. ``projected`` is None where it holds all of an item."""

    name: str
    pk: str
    sk: str | None
    local: bool
    projected: frozenset[str] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.pk,) if self.sk is None else (self.pk, self.sk)


@dataclass(frozen=True, slots=True)
class Schema:
    """A table with a partition and a sort key, the types of all key attributes, and its indexes by name."""

    table: str
    pk: str
    sk: str
    types: Mapping[str, str]
    indexes: Mapping[str, Index]

    @classmethod
    def of_request(cls, request: Mapping[str, Any]) -> "Schema":
        """What a CreateTable request declares."""
        pk, sk = _key_names(request["KeySchema"])
        if sk is None:
            raise NotImplementedError("a table without a sort key")
        indexes = {}
        for member, local in (("LocalSecondaryIndexes", True), ("GlobalSecondaryIndexes", False)):
            for declared in request.get(member, []):
                index_pk, index_sk = _key_names(declared["KeySchema"])
                projection = declared["Projection"]
                projected = None
                if projection["ProjectionType"] != "ALL":
                    keys = {pk, sk, index_pk, *([] if index_sk is None else [index_sk])}
                    projected = frozenset({*keys, *projection.get("NonKeyAttributes", [])})
                indexes[declared["IndexName"]] = Index(declared["IndexName"], index_pk, index_sk, local, projected)
        types = {declared["AttributeName"]: declared["AttributeType"] for declared in request["AttributeDefinitions"]}
        return cls(request["TableName"], pk, sk, types, indexes)

    @property
    def keys(self) -> tuple[str, str]:
        return self.pk, self.sk

    def key(self, given: Mapping[str, Mapping[str, Any]]) -> Key:
        """The key that a request gives, which is that and nothing else."""
        if given.keys() != {self.pk, self.sk}:
            raise invalid("The number of conditions on the keys is invalid")
        return self.key_of(normal_item(given))

    def key_of(self, item: Item) -> Key:
        """The key of an item that is to be stored."""
        if self.pk not in item or self.sk not in item:
            raise invalid("One of the required keys was not given a value")
        return self._part(item, self.pk, _KEY_BYTES[0]), self._part(item, self.sk, _KEY_BYTES[1])

    def _part(self, item: Item, name: str, most: int) -> Orderable:
        value = item[name]
        self.check_value(name, value)
        if size(value) > most:
            raise invalid(
                "Hash primary key values must be under 2048 bytes, and range primary key values under 1024 bytes"
            )
        return ordered(value)

    def check_value(self, name: str, value: Value) -> None:
        """A key attribute has the declared type and is not empty."""
        if kind_of(value) != self.types[name]:
            raise invalid(f"One or more parameter values were invalid: Type mismatch for key {name}")
        if value in ({"S": ""}, {"B": b""}):
            raise invalid(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                f"empty string value. Key: {name}"
            )

    def check_item(self, item: Item) -> int:
        """An item that is to be stored fits the indexes and the limit of size; returns its size."""
        for name in self.types:
            if name in item:
                self.check_value(name, item[name])
        if (bytes_ := item_size(item)) > ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        return bytes_

    def place(self, item: Item, index: Index | None) -> tuple[Orderable, Position] | None:
        """The partition and position of an item in its table or an index, or None where the index does not hold it."""
        sort = ordered(item[self.sk])
        if index is None:
            return ordered(item[self.pk]), (sort,)
        if any(name not in item for name in index.keys):
            return None
        # Entries that share the index's keys need some order; DynamoDB promises none.
        of_index = () if index.sk is None else (ordered(item[index.sk]),)
        return ordered(item[index.pk]), (*of_index, ordered(item[self.pk]), sort)

    def start_keys(self, index: Index | None) -> frozenset[str]:
        """The attributes of a LastEvaluatedKey."""
        return frozenset(self.keys if index is None else (*self.keys, *index.keys))


def _key_names(declared: Sequence[Mapping[str, str]]) -> tuple[str, str | None]:
    names = {key["KeyType"]: key["AttributeName"] for key in declared}
    return names["HASH"], names.get("RANGE")
