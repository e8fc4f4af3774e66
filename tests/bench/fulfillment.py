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
WAYS: dict[str, list[dict[str, Any]]] = {
    "plain": [],
    "pending": [{"fault": "pending", "settle_after": 0}],
    "refused": [{"fault": "refuse"}],
}


def figures(running: Running) -> Iterator[Figure]:
    """Of a card that is issued at once, of one that its supplier settles later, and of one that it refuses."""
    for name, faults in WAYS.items():
        table = running.table(f"fulfillment-{name}")
        with SandboxSupplier() as supplier:
            rig = Rig(table, supplier)
            rig.faults(*faults)
            with _counted(running, rig) as units:
                trail = rig.execute().trail
        running.drop(table)
        plain = name == "plain"
        transitions = len(trail) + 1  # the start is one, too
        yield Figure(f"fulfillment.{name}.write_units", sum(units), "units", MOST_UNITS if plain else None)
        yield Figure(f"fulfillment.{name}.transactions", len(units), "calls")
        yield Figure(f"fulfillment.{name}.transitions", transitions, "transitions", MOST_TRANSITIONS if plain else None)


@contextmanager
def _counted(running: Running, rig: Rig) -> Iterator[list[int]]:
    """The units of each transaction: each of its items as it was before, and as it is after."""
    units: list[int] = []
    waiting: list[tuple[Any, Any]] = []

    def look(key: Any) -> Any:
        return running.look(rig.table.name, key)

    def before(params: dict[str, Any], **_: Any) -> None:
        waiting[:] = [(key, look(key)) for key in map(_key, params["TransactItems"])]

    def after(parsed: dict[str, Any], **_: Any) -> None:
        if "Error" not in parsed:
            each = [
                sizes.write_units(was, look(key), local=[BY_SEQ], global_=[BY_DUE, BY_MEMBER], transactional=True)
                for key, was in waiting
            ]
            units.append(math.ceil(sum(part.total for part in each)))

    events = rig.table.client.meta.events
    events.register("provide-client-params.dynamodb.TransactWriteItems", before)
    events.register("after-call.dynamodb.TransactWriteItems", after)
    try:
        yield units
    finally:
        events.unregister("provide-client-params.dynamodb.TransactWriteItems", before)
        events.unregister("after-call.dynamodb.TransactWriteItems", after)


def _key(part: dict[str, Any]) -> dict[str, Any]:
    ((_, request),) = part.items()
    keys = request.get("Key") or request["Item"]
    return {name: keys[name] for name in ("pk", "sk")}
