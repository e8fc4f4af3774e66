"""A day of the trail, held against what was exported of it.

::

    the day │ an hour │ a quarter │                    retention                    │
    lines   │  (late) │ exported  │  the file is there, and nothing is over it      │  it may go, as the bucket was told
"""

import gzip
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from loyalty.audit.archive import DAYS, Archive, Exported
from loyalty.audit.chain import Link, digest_of
from loyalty.audit.checking import GRACE, Day, Finding, Kind
from loyalty.audit.exporting import LATE
from loyalty.core.clock import Clock


class Comparer:
    """Asks the archive how long it keeps its files, once.

    Args:
        archive: the exported trail.
        clock: the present moment.
    """

    def __init__(self, archive: Archive, clock: Clock) -> None:
        self._archive = archive
        self._retention = archive.retention()
        self._clock = clock

    def findings(self, found: Day, files: Sequence[Exported]) -> Iterator[Finding]:
        """Where the chain has not what was exported of it, or the archive not what it should have."""
        for file in files:
            for kind, detail in self._of_file(found, file):
                yield Finding(kind, found.scope, found.day, file.key, detail)
        if (
            (found.head or found.links)
            and not any(file.kind == DAYS for file in files)
            and self._should_be_there(found)
        ):
            detail = "the day is over, and no file of it is in the bucket"
            yield Finding(Kind.FILE_MISSING, found.scope, found.day, "day", detail)

    def _of_file(self, found: Day, file: Exported) -> Iterator[tuple[Kind, str]]:
        if file.hidden_at is not None and not self._may_go(file, file.hidden_at):
            yield Kind.FILE_HIDDEN, "a mark of deletion was put over it before its lock was over"
        link = found.links.get(file.number)
        if not found.begun:
            yield Kind.DAY_MISSING, "it was exported, and nothing of it is in the table"
        elif link is None:
            yield Kind.CHAIN_REWRITTEN, f"link {file.number} was exported, and the chain does not reach it"
        elif link.hash != file.hash:
            yield Kind.CHAIN_REWRITTEN, f"link {file.number} was exported with another hash"
        if file.kind == DAYS:
            for detail in self._differences(file, found):
                yield Kind.FILE_DIFFERS, detail

    def _may_go(self, file: Exported, hidden_at: datetime) -> bool:
        """Whether the file's own lock was over: then the bucket's rules take it away, first by such a mark."""
        # Its own, and not what the bucket gives today: whoever may change the bucket could give less.
        until = self._archive.locked_until(file)
        return until is not None and until <= hidden_at

    def _should_be_there(self, found: Day) -> bool:
        """Whether the day is exported by now, and its file cannot have gone again."""
        first = datetime.combine(found.day, time(), UTC) + timedelta(days=1) + LATE
        now = self._clock()
        return first + GRACE <= now and (self._retention is None or now < first + self._retention)

    def _differences(self, file: Exported, found: Day) -> Iterator[str]:
        """What an exported day says otherwise than the table. Each of its lines is hashed anew."""
        number = 0
        try:
            for row in _rows(self._archive.read(file)):
                if "link" not in row:
                    continue
                number += 1
                link = Link(**row["link"])
                if link != found.links.get(number):
                    yield f"link {number} is another one in the table"
                line = row["line"]
                if line is None or digest_of(line) != link.digest:
                    yield f"the line of link {number} was {'gone' if line is None else 'changed'} when it was exported"
                elif found.lines.get(link.line) != link.digest:
                    yield f"the line of link {number} is another one in the table, or none"
        except (EOFError, OSError, ValueError, KeyError, TypeError) as error:
            yield f"it cannot be read: {type(error).__name__}"
            return
        if number != file.number:
            yield f"it has {number} links, its name says {file.number}"


def _rows(parts: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of a packed file; it is kept packed in memory, and unpacked line by line."""
    with gzip.GzipFile(fileobj=io.BytesIO(b"".join(parts))) as file:
        for row in file:
            yield json.loads(row)
