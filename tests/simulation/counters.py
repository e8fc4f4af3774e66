"""The smallest programs that a simulator must tell apart: one that loses updates, and one that does not."""

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.table import IntegerAttribute, Item, Put, TransactionRefused
from tests.simulation.simulation import Process, Simulation

PK = "counter"


class Counter(Item):
    total = IntegerAttribute()
    holder = UnicodeAttribute(null=True)


def counter(sk: str, total: int, holder: str | None = None) -> Counter:
    return Counter(PK, sk, total=total, holder=holder)


def count(simulation: Simulation, sk: str = "1") -> int | None:
    """What the counter stands at, or None where there is none."""
    found = simulation.direct.get(Counter, PK, sk)
    return None if found is None else found.total


def increment_carelessly(process: Process) -> None:
    """Reads, adds, writes: whoever wrote in between is forgotten."""
    found = process.table.get(Counter, PK, "1")
    assert found is not None
    process.table.write([Put(counter("1", found.total + 1))])


def increment(process: Process) -> None:
    """Writes only what it read, and tries again until it can."""
    while True:
        found = process.table.get(Counter, PK, "1")
        assert found is not None
        try:
            process.table.write([Put(counter("1", found.total + 1), Counter.total == found.total)])
        except TransactionRefused:
            process.sleep(0.01)
        else:
            return
