"""An audit trail for tests: lines, what the table's stream tells of them, and an archive in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from loyalty.audit.archive import Exported, exported
from loyalty.audit.exporting import Exporter
from loyalty.audit.linking import Linked, link_records
from loyalty.audit.links import ChainStore
from loyalty.audit.model import Line
from loyalty.audit.store import LINE_PREFIX, Trail, trail
from loyalty.audit.verify import Proof, Verifier
from loyalty.core.clock import Clock
from loyalty.core.origin import Origin
from loyalty.core.table import RawItem, Table
from tests.ledgerkit.clock import SettableClock

ACME = "acme"
YEAR: Final = timedelta(days=366)
"""How long the archive locks its files."""


def lines(table: Table, scope: str = ACME) -> list[dict[str, str]]:
    """Every line of a scope, whatever its day."""
    return [
        {name: value["S"] for name, value in raw.items()}
        for raw in table.scan()
        if raw["pk"]["S"].startswith(f"A#{scope}#") and raw["sk"]["S"].startswith(LINE_PREFIX)
    ]


class MemoryArchive:
    """A bucket: every version of every file, each locked for a year since it was put."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.stored: dict[str, list[bytes]] = {}
        self.put_at: dict[str, datetime] = {}
        self.hidden: dict[str, datetime] = {}

    def has(self, key: str) -> bool:
        return key in self.stored and key not in self.hidden

    def put(self, key: str, path: Path, content_type: str) -> None:
        assert content_type
        self.hidden.pop(key, None)
        self.put_at[key] = self._clock()
        self.stored.setdefault(key, []).append(path.read_bytes())

    def files(self, prefix: str) -> Iterator[Exported]:
        for key, versions in sorted(self.stored.items()):
            for number in range(len(versions)):
                file = exported(key, str(number)) if key.startswith(prefix) else None
                if file is not None:
                    yield replace(file, hidden_at=self.hidden.get(key))

    def read(self, file: Exported) -> Iterator[bytes]:
        yield self.stored[file.key][int(file.version or 0)]

    def locked_until(self, file: Exported) -> datetime | None:
        return self.put_at[file.key] + YEAR

    def retention(self) -> timedelta | None:
        return YEAR

    def let_go(self) -> None:
        """What the bucket's own rule does on a day: files whose lock was over a day ago are hidden."""
        for key, put_at in self.put_at.items():
            if key not in self.hidden and put_at + YEAR + timedelta(days=1) <= self._clock():
                self.hidden[key] = self._clock()

    def empty(self) -> None:
        """Takes away for good what is hidden, as the rule does ninety days later."""
        for key in self.hidden:
            del self.stored[key], self.put_at[key]
        self.hidden.clear()


@dataclass(frozen=True)
class Snapshot:
    """A trail as it was: items of the table, files of the bucket, the stream's last number."""

    items: tuple[RawItem, ...]
    stored: dict[str, tuple[bytes, ...]]
    put_at: dict[str, datetime]
    sequence: int


class Trails:
    """A scope's trail: lines are written, linked, exported and verified by hand, at the moment of the clock."""

    def __init__(self, table: Table, now: datetime) -> None:
        self.table = table
        self.clock = SettableClock(now)
        self.archive = MemoryArchive(self.clock)
        self.chains = ChainStore(table, sleep=lambda _: None)
        self.sequence = 0

    def snapshot(self) -> Snapshot:
        stored = {key: tuple(versions) for key, versions in self.archive.stored.items()}
        return Snapshot(tuple(self.table.scan()), stored, dict(self.archive.put_at), self.sequence)

    def restore(self, kept: Snapshot) -> None:
        for item in kept.items:
            self.put(item)
        self.archive.stored = {key: list(versions) for key, versions in kept.stored.items()}
        self.archive.put_at = dict(kept.put_at)
        self.sequence = kept.sequence

    def write(self, *targets: str, scope: str = ACME) -> list[dict[str, Any]]:
        """Writes a line on each target; what the stream tells of them."""
        return [self._written(target, scope) for target in targets]

    def _written(self, target: str, scope: str) -> dict[str, Any]:
        known = {raw["sk"]["S"] for raw in self.lines(scope)}
        now = self.clock()
        origin = Origin("client:desk", "192.0.2.7", "req-1")
        Trail(self.table).record(Line(scope, "member.greeted", target, now, "ann", origin, {"was": 1}, {"is": 2}))
        (image,) = (raw for raw in self.lines(scope) if raw["sk"]["S"] not in known)
        return self.told(image)

    def told(self, image: RawItem, change: str = "INSERT") -> dict[str, Any]:
        """A record of the stream."""
        self.sequence += 1
        keys = {name: image[name] for name in ("pk", "sk")}
        said = {"Keys": keys, "NewImage": image, "SequenceNumber": str(self.sequence)}
        return {"eventName": change, "dynamodb": said}

    def link(self, *records: dict[str, Any]) -> Linked:
        return link_records(self.chains, records)

    def grow(self, *targets: str, scope: str = ACME) -> None:
        """Writes lines and links them."""
        self.link(*self.write(*targets, scope=scope))

    def export(self) -> Any:
        return Exporter(self.table, self.archive, self.clock).run()

    def verify(self, *, bucket: bool = True, **only: Any) -> Proof:
        return Verifier(self.table, self.clock, self.archive if bucket else None).verify(**only)

    def found(self, *, bucket: bool = True, **only: Any) -> set[str]:
        """The kinds of what verify finds."""
        return {one.kind.value for one in self.verify(bucket=bucket, **only).findings}

    def lines(self, scope: str = ACME) -> list[RawItem]:
        """Of the day of the clock."""
        found = self.table.query_all(trail(scope, self.clock().date()))
        return [raw for raw in found if raw["sk"]["S"].startswith(LINE_PREFIX)]

    # --- what somebody with the keys of the table might do --------------------------------------

    def remove(self, pk: str, sk: str) -> None:
        self.table.client.delete_item(TableName=self.table.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    def put(self, item: RawItem) -> None:
        self.table.client.put_item(TableName=self.table.name, Item=item)

    def items(self, pk: str) -> list[RawItem]:
        return list(self.table.query_all(pk))
