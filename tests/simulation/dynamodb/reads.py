"""Query and Scan: which entries a request asks for, page by page."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.simulation.dynamodb.conditions import parse_condition
from tests.simulation.dynamodb.errors import invalid
from tests.simulation.dynamodb.predicates import All, BeginsWith, Between, Compare, Condition
from tests.simulation.dynamodb.schema import Position
from tests.simulation.dynamodb.storage import Entry, IndexRows, Rows, StoredTable
from tests.simulation.dynamodb.syntax import Literal, Path, Scope
from tests.simulation.dynamodb.values import Item, Orderable, Value, copied_item, item_size, normal_item, ordered


class Reader:
    """One Query or Scan of a table or of one of its indexes. A page ends when it has read more than ``page_bytes``."""

    def __init__(self, table: StoredTable, request: Mapping[str, Any], page_bytes: int) -> None:
        self._request = request
        self._page_bytes = page_bytes
        self._schema = table.schema
        self._scope = Scope(request)
        self._rows: Rows | IndexRows = table.rows
        self._index = None
        if (name := request.get("IndexName")) is not None:
            if name not in table.indexes:
                raise invalid(f"The table does not have the specified index: {name}")
            self._rows = table.indexes[name]
            self._index = self._rows.index
            if request.get("ConsistentRead") and not self._index.local:
                raise invalid("Consistent reads are not supported on global secondary indexes")

    def query(self) -> dict[str, Any]:
        """The answer to a Query."""
        parsed = parse_condition(self._request["KeyConditionExpression"])
        wanted = self._filter(parsed.placeholders, self._keys)
        parsed.condition.check(self._scope)
        partition, within = self._range(parsed.condition)
        entries = self._rows.entries(partition)
        if within is not None:
            entries = (entry for entry in entries if within.holds(entry[1], self._scope))
        forward = self._request.get("ScanIndexForward", True)
        if not forward:
            entries = reversed(list(entries))
        if (start := self._start()) is not None:
            item, place = start
            if place[0] != partition or (within is not None and not within.holds(item, self._scope)):
                raise invalid("The provided starting key is outside query boundaries based on provided conditions")
            entries = (entry for entry in entries if (entry[0] > place[1] if forward else entry[0] < place[1]))
        return self._page(entries, wanted)

    def scan(self) -> dict[str, Any]:
        """The answer to a Scan: partition after partition, each in order."""
        wanted = self._filter(frozenset(), ())
        start = self._start()
        place = None if start is None else start[1]
        entries = (
            entry
            for partition in self._rows.partitions(None if place is None else place[0])
            for entry in self._rows.entries(partition)
            if place is None or partition != place[0] or entry[0] > place[1]
        )
        return self._page(entries, wanted)

    @property
    def _keys(self) -> tuple[str, ...]:
        return self._schema.keys if self._index is None else self._index.keys

    def _filter(self, others: frozenset[str], keys: tuple[str, ...]) -> Condition | None:
        """The filter; checks that each of the request's placeholders is used, by it or by another expression."""
        used = others | projection_placeholders(self._request)
        if "FilterExpression" not in self._request:
            self._scope.require_used(used)
            return None
        parsed = parse_condition(self._request["FilterExpression"])
        self._scope.require_used(used | parsed.placeholders)
        if any(self._scope.names.get(name, name) in keys for name in parsed.attributes):
            raise invalid("Filter Expression can only contain non-primary key attributes")
        parsed.condition.check(self._scope)
        return parsed.condition

    def _range(self, condition: Condition) -> tuple[Orderable, Condition | None]:
        """The partition, and the condition on the sort key if there is one."""
        pk, *sk = self._keys
        conditions = _by_name(condition, self._scope)
        of_pk = conditions.pop(pk, None)
        of_sk = conditions.pop(sk[0], None) if sk else None
        if of_pk is None or conditions:
            raise invalid("Query condition missed key schema element")
        if not isinstance(of_pk, Compare) or of_pk.sign != "=":
            raise invalid("Query key condition not supported")
        (value,) = self._literals(of_pk, pk)
        if of_sk is not None:
            self._literals(of_sk, sk[0])
        return ordered(value), of_sk

    def _literals(self, part: Condition, name: str) -> list[Value]:
        """What a condition compares the key attribute ``name`` with."""
        if isinstance(part, Compare) and part.sign != "<>":
            operands = [part.left if isinstance(part.left, Literal) else part.right]
        elif isinstance(part, BeginsWith):
            operands = [part.prefix]
        elif isinstance(part, Between):
            operands = [part.lower, part.upper]
        else:
            raise invalid("Invalid operator used in KeyConditionExpression")
        values = [self._scope.values[operand.placeholder] for operand in operands if isinstance(operand, Literal)]
        if len(values) < len(operands):
            raise invalid("Invalid condition in KeyConditionExpression: a key is compared with a value")
        for value in values:
            self._schema.check_value(name, value)
        return values

    def _start(self) -> tuple[Item, tuple[Orderable, Position]] | None:
        """The ExclusiveStartKey and its place. There need not be an entry any more."""
        if "ExclusiveStartKey" not in self._request:
            return None
        item = normal_item(self._request["ExclusiveStartKey"])
        if item.keys() != self._schema.start_keys(self._index):
            raise invalid("The provided starting key is invalid: it must have the same size as the key schema")
        self._schema.check_item(item)
        place = self._schema.place(item, self._index)
        return None if place is None else (item, place)

    def _page(self, entries: Iterable[Entry], wanted: Condition | None) -> dict[str, Any]:
        limit = self._request.get("Limit")
        if limit is not None and limit < 1:
            raise invalid("Limit must be greater than or equal to 1")
        items, scanned, read, last = [], 0, 0, None
        for _, item in entries:
            scanned += 1
            if wanted is None or wanted.holds(item, self._scope):
                items.append(projection(item, self._request, self._scope))
            read += item_size(item)
            if scanned == limit or read > self._page_bytes:
                last = item
                break
        answer: dict[str, Any] = {"Count": len(items), "ScannedCount": scanned}
        if self._request.get("Select") != "COUNT":
            answer["Items"] = items
        if last is not None:
            names = sorted(self._schema.start_keys(self._index))
            answer["LastEvaluatedKey"] = copied_item({name: last[name] for name in names})
        return answer


def projection_placeholders(request: Mapping[str, Any]) -> frozenset[str]:
    """Those of the ProjectionExpression."""
    return frozenset(name for name in _projected(request) if name[0] == "#")


def projection(item: Item, request: Mapping[str, Any], scope: Scope) -> Item:
    """A copy of the attributes that the request asks for: all, unless it has a ProjectionExpression."""
    names = [scope.names.get(name, name) for name in _projected(request)]
    return copied_item({name: item[name] for name in names if name in item} if names else item)


def _projected(request: Mapping[str, Any]) -> list[str]:
    text: str = request.get("ProjectionExpression", "")
    if "." in text or "[" in text:
        raise NotImplementedError("a projection of a part of an attribute")
    return [name.strip() for name in text.split(",") if name.strip()]


def _by_name(condition: Condition, scope: Scope) -> dict[str, Condition]:
    """The key conditions by the attribute that each is about."""
    found: dict[str, Condition] = {}
    waiting = [condition]
    while waiting:
        part = waiting.pop()
        if isinstance(part, All):
            waiting.extend(part.parts)
            continue
        operand = None
        if isinstance(part, Compare):
            operand = part.right if isinstance(part.left, Literal) else part.left
        elif isinstance(part, Between | BeginsWith):
            operand = part.operand
        if not isinstance(operand, Path) or len(operand.elements) != 1:
            raise invalid("Invalid operator used in KeyConditionExpression")
        name = str(operand.resolved(scope)[0])
        if name in found:
            raise invalid("KeyConditionExpressions must only contain one condition per key")
        found[name] = part
    return found
