"""What one fulfilled card costs: write units, by the rules, and transitions of the state machine."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.local.supplier.server import SandboxSupplier
from tests.bench import sizes
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.meter import BY_DUE, BY_MEMBER, BY_SEQ
from tests.unit.fulfillment.rig import Rig

MOST_UNITS, MOST_TRANSITIONS = 45, 8
TRANSACTION = "TransactWriteItems"
WAYS: dict[str, list[dict[str, Any]]] = {
    "plain": [],
    "pending": [{"fault": "pending", "settle_after": 0}],
    "refused": [{"fault": "refuse"}],
    "waiting": [],
}


def figures(running: Running) -> Iterator[Figure]:
    """Of a card that is issued at once, one that its supplier settles later, one that it refuses, one behind thousands."""
    for name, faults in WAYS.items():
        table = running.table(f"fulfillment-{name}")
        with SandboxSupplier() as supplier:
            rig = Rig(table, supplier)
            rig.faults(*faults)
            if name == "waiting":
                rig.wait_behind(hours=9)
            with _counted(running, rig) as units:
                trail = rig.execute().trail
        running.drop(table)
        plain = name == "plain"
        transitions = len(trail) + 1  # the start is one, too
        yield Figure(f"fulfillment.{name}.write_units", sum(units), "units", MOST_UNITS if plain else None)
        yield Figure(f"fulfillment.{name}.writes", len(units), "calls")
        yield Figure(f"fulfillment.{name}.transitions", transitions, "transitions", MOST_TRANSITIONS if plain else None)


@contextmanager
def _counted(running: Running, rig: Rig) -> Iterator[list[int]]:
    """The units of each write: each of its items as it was before, and as it is after."""
    units: list[int] = []
    waiting: list[tuple[Any, Any]] = []

    def look(key: Any) -> Any:
        return running.look(rig.table.name, key)

    def before(params: dict[str, Any], **_: Any) -> None:
        keys = map(_key, params["TransactItems"]) if "TransactItems" in params else [params["Key"]]
        waiting[:] = [(key, look(key)) for key in keys]

    def after(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if "Error" not in parsed:
            whole, indexes = model.name == TRANSACTION, {"local": [BY_SEQ], "global_": [BY_DUE, BY_MEMBER]}
            each = [sizes.write_units(was, look(key), transactional=whole, **indexes) for key, was in waiting]
            units.append(math.ceil(sum(part.total for part in each)))

    events = rig.table.client.meta.events
    for name in (TRANSACTION, "UpdateItem"):
        events.register(f"provide-client-params.dynamodb.{name}", before)
        events.register(f"after-call.dynamodb.{name}", after)
    try:
        yield units
    finally:
        for name in (TRANSACTION, "UpdateItem"):
            events.unregister(f"provide-client-params.dynamodb.{name}", before)
            events.unregister(f"after-call.dynamodb.{name}", after)


def _key(part: dict[str, Any]) -> dict[str, Any]:
    ((_, request),) = part.items()
    keys = request.get("Key") or request["Item"]
    return {name: keys[name] for name in ("pk", "sk")}
