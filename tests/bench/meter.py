"""What a client's requests cost: round trips, and capacity units counted twice.

The units are counted from the bytes of the items, by the service's rules (:mod:`tests.bench.sizes`), and compared with
what the engine says. DynamoDB Local says it with peculiarities of its own (:class:`Engine`), seen with plain items of
known sizes; the comparison allows for exactly those and for nothing else. What is reported is the count by the rules.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import loyalty_contract as contract
from tests.bench import sizes
from tests.bench.sizes import Index, WriteUnits
from tests.simulation.dynamodb.syntax import Scope
from tests.simulation.dynamodb.updates import parse_update

WRITES = {"TransactWriteItems", "PutItem", "UpdateItem"}
READS = {"GetItem", "BatchGetItem", "TransactGetItems"}
PAGES = {"Query"}

_DUE: Final = (contract.DUE_INDEX_KEY, contract.DUE_AT)
BY_SEQ: Final = Index((contract.ENTRY_INDEX_KEY,))
BY_DUE: Final = Index(_DUE, frozenset({contract.PARTITION_KEY, contract.SORT_KEY, *_DUE}))
BY_MEMBER: Final = Index(
    (contract.MEMBER_INDEX_KEY,),
    frozenset({contract.PARTITION_KEY, contract.SORT_KEY, contract.MEMBER_INDEX_KEY, *contract.MEMBER_INDEX_HAS}),
)
_BY_SEQ_OF_DYNAMODB_LOCAL: Final = replace(BY_SEQ, overhead=100)

Look = Callable[[str, Any], sizes.Item | None]
"""Reads an item (table, key) by a client that is not metered."""


@dataclass(frozen=True)
class Part:
    """One item of a write: what is done to it, and the item before and after it."""

    kind: str
    before: sizes.Item | None
    after: sizes.Item | None
    transactional: bool = True

    def units(self, by_seq: Index = BY_SEQ) -> WriteUnits:
        """What it costs by the rules. A check costs what writing the stored item again would."""
        return sizes.write_units(
            self.before, self.after, local=[by_seq], global_=[BY_DUE, BY_MEMBER], transactional=self.transactional
        )


class Engine(StrEnum):
    """Who executes the requests, and how it adds up what they consumed."""

    DYNAMODB_LOCAL = "DynamoDB Local"
    """In a transaction it doubles indexes too, has every check cost two units and the deletion of nothing one, and adds
    up *different* costs only: five items that cost the same are one. In a local index it adds the 100 bytes that the
    guide counts for storage to an item's size; in a global one it does not, as the service does not. In a batch of
    reads, nothing found is free; so is an empty page."""
    MINISTACK = "ministack"
    """By the rules; but it says nothing of a batch of reads, and the same of every page."""

    def says(self, parts: list[Part]) -> int:
        """The figure of this engine for a write of these parts."""
        if self is Engine.MINISTACK:
            return sum(part.units().total for part in parts)
        return sum(map(sum, {_of_dynamodb_local(part) for part in parts}))


def _of_dynamodb_local(part: Part) -> tuple[int, int, int]:
    """Units of the table, of its local and of its global index."""
    if part.transactional and part.kind == "ConditionCheck":
        return sizes.TRANSACTIONAL, 0, 0
    if part.transactional and part.kind == "Delete" and part.before is None:
        return 1, 0, 0
    units, factor = part.units(_BY_SEQ_OF_DYNAMODB_LOCAL), sizes.TRANSACTIONAL if part.transactional else 1
    return units.table, factor * units.local, factor * units.global_


class CountsDisagree(AssertionError):
    """The engine's figure is not that of the bytes: one of the two is wrong, and no figure is worth printing."""


@dataclass
class Cost:
    """Of everything sent within one measurement."""

    round_trips: int = 0
    write_units: int = 0
    read_units: float = 0
    operations: list[str] = field(default_factory=list)


class _Hooks:
    """What the client's events add to a cost."""

    def __init__(self, cost: Cost, look: Look, engine: Engine) -> None:
        self._cost, self._look, self._engine = cost, look, engine
        self._due: float = 0
        self._parts: list[Part] = []
        self._consistent = False

    def before(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name not in WRITES | READS | PAGES:
            raise CountsDisagree(f"no rule here says what a {model.name} costs")
        params["ReturnConsumedCapacity"] = "INDEXES"
        self._parts = []
        if model.name in READS:
            self._read(model.name, params)
        elif model.name in PAGES:
            self._consistent = bool(params.get("ConsistentRead"))
        else:
            self._parts = _writes(model.name, params, self._look)
            self._due = self._engine.says(self._parts)

    def sent(self, event_name: str, **_: Any) -> None:
        self._cost.round_trips += 1
        self._cost.operations.append(event_name.rpartition(".")[2])

    def after(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if "Error" in parsed:
            # What is refused was prepared, or would have been: the items cost all the same, and no index is written.
            self._cost.write_units += sum(part.units().table for part in self._parts)
            return
        self._cost.write_units += sum(part.units().total for part in self._parts)
        if model.name in PAGES:
            units = sizes.query_units(parsed["Items"], consistent=self._consistent)
            self._cost.read_units += units
            self._due = units if parsed["Items"] else 0
        if self._engine is Engine.MINISTACK and model.name in {"BatchGetItem", "Query"}:
            return
        said = parsed.get("ConsumedCapacity", [])
        units = sum(part["CapacityUnits"] for part in (said if isinstance(said, list) else [said]))
        if units != self._due:
            raise CountsDisagree(
                f"{model.name}: {self._engine} says {units} units; the bytes of the items make {self._due}"
            )

    def _read(self, operation: str, params: dict[str, Any]) -> None:
        factor = sizes.TRANSACTIONAL if operation == "TransactGetItems" else 1
        wanted = _reads(operation, params, self._look)
        self._cost.read_units += factor * sum(map(sizes.read_units, wanted))
        free = operation == "BatchGetItem" and self._engine is Engine.DYNAMODB_LOCAL
        said = [item for item in wanted if item is not None] if free else wanted
        self._due = factor * sum(map(sizes.read_units, said))


@contextmanager
def metered(client: Any, look: Look, engine: Engine) -> Iterator[Cost]:
    """The cost of what ``client`` sends in the block, from one thread.

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


def _writes(operation: str, params: dict[str, Any], look: Look) -> list[Part]:
    if operation == "TransactWriteItems":
        return [_part(part, look) for part in params["TransactItems"]]
    if operation == "PutItem":
        return [_put(params, look, transactional=False)]
    # The one update, the peer's, sets attributes and nothing else.
    stored = look(params["TableName"], params["Key"])
    names, values = params["ExpressionAttributeNames"], params["ExpressionAttributeValues"]
    sets = [part.split("=") for part in params["UpdateExpression"].removeprefix("SET ").split(",")]
    changed = {names[name.strip()]: values[value.strip()] for name, value in sets}
    return [Part("Update", stored, {**(stored or {}), **changed}, transactional=False)]


def _part(part: dict[str, Any], look: Look) -> Part:
    ((kind, request),) = part.items()
    if kind == "Put":
        return _put(request, look, transactional=True)
    stored = look(request["TableName"], request["Key"])
    if kind == "Update":
        before: Any = stored or request["Key"]
        after = parse_update(request["UpdateExpression"]).applied(before, Scope(request))
        return Part(kind, stored, after)
    return Part(kind, stored, stored if kind == "ConditionCheck" else None)


def _put(put: dict[str, Any], look: Look, *, transactional: bool) -> Part:
    key = {name: put["Item"][name] for name in ("pk", "sk", "id") if name in put["Item"]}
    return Part("Put", look(put["TableName"], key), put["Item"], transactional)


def _reads(operation: str, params: dict[str, Any], look: Look) -> list[sizes.Item | None]:
    if operation == "GetItem":
        return [look(params["TableName"], params["Key"])]
    if operation == "TransactGetItems":
        return [look(part["Get"]["TableName"], part["Get"]["Key"]) for part in params["TransactItems"]]
    return [look(table, key) for table, part in params["RequestItems"].items() for key in part["Keys"]]
