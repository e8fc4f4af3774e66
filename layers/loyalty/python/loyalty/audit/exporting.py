"""Exports chains into the archive: heads every few minutes, days once they are over."""

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from loyalty.audit.archive import Archive, day_key, head_key
from loyalty.audit.chain import Head, Link
from loyalty.audit.links import LINK_PREFIX, ChainStore, link_of
from loyalty.audit.store import trail
from loyalty.core.clock import Clock, to_text
from loyalty.core.table import RawItem, Table

LATE: Final = timedelta(hours=1)
"""After the end of a day: until then its last lines are linked, unless the stream is late."""
LOOKS_BACK: Final = 3
"""Days that were exported and are looked at again: a late line makes another file of its day."""
_AT_ONCE: Final = 100


@dataclass(slots=True)
class Export:
    """What a run did: heads that are in the archive now, and how many of these it put there; days that it wrote."""

    heads: int = 0
    new_heads: int = 0
    days: int = 0


class Exporter:
    """Safe at any time, and beside another one: both write the same files."""

    def __init__(self, table: Table, archive: Archive, clock: Clock) -> None:
        self._table = table
        self._chains = ChainStore(table)
        self._archive = archive
        self._clock = clock

    def run(self) -> Export:
        """Brings the archive up to date."""
        done = Export()
        for scope in self._chains.scopes():
            self._scope(scope, done)
        return done

    def again(self, scope: str, day: date) -> Export:
        """Exports one day as it is now: for one that was caught up so late that :meth:`run` does not look at it any more."""
        done, head = Export(), self._chains.head(scope, day)
        if head is not None:
            self._head(head, done)
            if self._is_over(day):
                self._day(head)
                done.days += 1
        return done

    def _is_over(self, day: date) -> bool:
        return self._clock() >= datetime.combine(day, time(), UTC) + timedelta(days=1) + LATE

    def _scope(self, scope: str, done: Export) -> None:
        looked, waiting = 0, list[Head]()
        for head in self._chains.days(scope):
            over = self._is_over(head.day)
            if over and self._archive.has(day_key(head)):
                looked += 1
                if looked >= LOOKS_BACK:
                    break
                continue
            self._head(head, done)
            if over:
                waiting.append(head)
        # The oldest first: whatever cuts it off, the next run finds the others before the first that is there.
        for head in reversed(waiting):
            self._day(head)
            done.days += 1

    def _head(self, head: Head, done: Export) -> None:
        done.heads += 1
        if self._archive.has(head_key(head)):
            return
        said = {**_said(head), "exported_at": to_text(self._clock())}
        with TemporaryDirectory() as folder:
            path = Path(folder) / "head.json"
            path.write_text(json.dumps(said), encoding="utf-8")
            self._archive.put(head_key(head), path, "application/json")
        done.new_heads += 1

    def _day(self, head: Head) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "day.jsonl.gz"
            with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as file:
                file.write(_row({"head": _said(head)}))
                for link, line in self._linked(head):
                    file.write(_row({"link": _link(link), "line": line}))
            self._archive.put(day_key(head), path, "application/gzip")

    def _linked(self, head: Head) -> Any:
        """Each link up to the head with its line as it is stored; None where somebody removed it."""
        pk = trail(head.scope, head.day)
        batch: list[Link] = []
        for raw in self._chains.stored(head.scope, head.day):
            if raw["sk"]["S"].startswith(LINK_PREFIX) and (link := link_of(raw)).number <= head.number:
                batch.append(link)
            if len(batch) == _AT_ONCE:
                yield from self._with_lines(pk, batch)
                batch = []
        yield from self._with_lines(pk, batch)

    def _with_lines(self, pk: str, links: list[Link]) -> list[tuple[Link, RawItem | None]]:
        lines = self._table.get_many([(pk, line) for line in {link.line for link in links}])
        return [(link, lines.get((pk, link.line))) for link in links]


def _said(head: Head) -> dict[str, Any]:
    follows = head.follows
    return {
        "scope": head.scope,
        "day": head.day.isoformat(),
        "number": head.number,
        "hash": head.hash,
        "follows": None
        if follows is None
        else {"day": follows.day.isoformat(), "number": follows.number, "hash": follows.hash},
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "number": link.number,
        "line": link.line,
        "digest": link.digest,
        "previous": link.previous,
        "hash": link.hash,
    }


def _row(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
