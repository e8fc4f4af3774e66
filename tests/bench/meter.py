"""What a client's requests cost: round trips, and capacity units counted twice.

The units are counted from the bytes of the items, by the service's rules, and compared with what the engine says. Both
engines say it with a peculiarity of their own (:class:`Engine`), seen with plain items of known sizes; the comparison
allows for exactly that and for nothing else. What is reported is the count by the rules: never less than the engine's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import loyalty_contract as contract
from tests.bench import sizes
from tests.bench.sizes import WriteUnits

WRITES = {"TransactWriteItems", "PutItem", "UpdateItem"}
READS = {"GetItem", "BatchGetItem"}

Look = Callable[[str, Any], sizes.Item | None]
"""Reads an item (table, key) by a client that is not metered."""


class Engine(StrEnum):
    """Who executes the requests, and how it adds up what a transaction consumed."""

    DYNAMODB_LOCAL = "DynamoDB Local"
    """Adds up *different* figures only: five items of two units each are two units. In a batch, nothing found is free."""
    MINISTACK = "ministack"
    """Does not double the write of an index; says nothing of a batch of reads."""

    def says(self, items: list[WriteUnits]) -> int:
        """The figure of this engine for a transaction that writes ``items``."""
        if self is Engine.DYNAMODB_LOCAL:
            return sum({item.table + item.index: item.table + item.index for item in items})
        return sum(item.table + item.index // sizes.TRANSACTIONAL for item in items)


class CountsDisagree(AssertionError):
    """The engine's figure is not that of the bytes: one of the two is wrong, and no figure is worth printing."""


@dataclass
class Cost:
    """Of everything sent within one measurement."""

    round_trips: int = 0
    write_units: int = 0
    read_units: int = 0
    operations: list[str] = field(default_factory=list)


class _Hooks:
    """What the client's events add to a cost."""

    def __init__(self, cost: Cost, look: Look, engine: Engine) -> None:
        self._cost, self._look, self._engine = cost, look, engine
        self._due = 0

    def before(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name not in WRITES | READS:
            raise CountsDisagree(f"no rule here says what a {model.name} costs")
        params["ReturnConsumedCapacity"] = "INDEXES"
        if model.name in READS:
            wanted = _reads(model.name, params, self._look)
            self._cost.read_units += sum(map(sizes.read_units, wanted))
            said = [item for item in wanted if item is not None] if model.name == "BatchGetItem" else wanted
            self._due = sum(map(sizes.read_units, said))
        else:
            items = _writes(model.name, params, self._look)
            self._cost.write_units += _sum(items)
            self._due = self._engine.says(items) if model.name == "TransactWriteItems" else _sum(items)

    def sent(self, event_name: str, **_: Any) -> None:
        self._cost.round_trips += 1
        self._cost.operations.append(event_name.rpartition(".")[2])

    def after(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if "ConsumedCapacity" not in parsed and (self._engine, model.name) == (Engine.MINISTACK, "BatchGetItem"):
            return
        said = parsed.get("ConsumedCapacity", [])
        units = sum(part["CapacityUnits"] for part in (said if isinstance(said, list) else [said]))
        if units != self._due:
            raise CountsDisagree(
                f"{model.name}: {self._engine} says {units} units; the bytes of the items make {self._due}"
            )


@contextmanager
def metered(client: Any, look: Look, engine: Engine) -> Iterator[Cost]:
    """The cost of what ``client`` sends in the block.

    Raises:
        CountsDisagree: see there.
    """
    cost = Cost()
    hooks = _Hooks(cost, look, engine)
    listening = (
        ("provide-client-params.dynamodb", hooks.before),
        ("before-send.dynamodb", hooks.sent),
        ("after-call.dynamodb", hooks.after),
    )
    for event, hook in listening:
        client.meta.events.register(event, hook)
    try:
        yield cost
    finally:
        for event, hook in listening:
            client.meta.events.unregister(event, hook)


def _sum(items: list[WriteUnits]) -> int:
    return sum(item.table + item.index for item in items)


def _writes(operation: str, params: dict[str, Any], look: Look) -> list[WriteUnits]:
    if operation == "TransactWriteItems":
        return [_part(part, look) for part in params["TransactItems"]]
    if operation == "PutItem":
        return [_put(params, look, transactional=False)]
    # The one update, the peer's, sets attributes and nothing else.
    stored = look(params["TableName"], params["Key"])
    names, values = params["ExpressionAttributeNames"], params["ExpressionAttributeValues"]
    sets = [part.split("=") for part in params["UpdateExpression"].removeprefix("SET ").split(",")]
    changed = {names[name.strip()]: values[value.strip()] for name, value in sets}
    return [_units(stored, {**(stored or {}), **changed}, transactional=False)]


def _part(part: dict[str, Any], look: Look) -> WriteUnits:
    ((kind, request),) = part.items()
    if kind == "Put":
        return _put(request, look, transactional=True)
    # A check and a delete cost what writing the stored item would.
    stored = look(request["TableName"], request["Key"]) or request["Key"]
    return _units(stored, stored, transactional=True)


def _put(put: dict[str, Any], look: Look, *, transactional: bool) -> WriteUnits:
    key = {name: put["Item"][name] for name in ("pk", "sk", "id") if name in put["Item"]}
    return _units(look(put["TableName"], key), put["Item"], transactional=transactional)


def _units(stored: sizes.Item | None, item: sizes.Item, *, transactional: bool) -> WriteUnits:
    due = (contract.DUE_INDEX_KEY, contract.DUE_AT)
    return sizes.write_units(
        stored, item, index_key=contract.ENTRY_INDEX_KEY, keys_index=due, transactional=transactional
    )


def _reads(operation: str, params: dict[str, Any], look: Look) -> list[sizes.Item | None]:
    if operation == "GetItem":
        return [look(params["TableName"], params["Key"])]
    return [look(table, key) for table, part in params["RequestItems"].items() for key in part["Keys"]]
