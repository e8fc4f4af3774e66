"""Watching: each event is noted once, and what the notes show is flagged in the same transaction.

::

    read watch and case                                          1 round trip
    note the doing, look for signals                             pure
    write watch (+ case, hold and a line of the trail) (+ count of the client)       1 round trip
        something moved       → read again
        the member is merged  → flag whom they were merged into, then write the watch
        the member is erased  → nobody is left to be flagged; the doing is noted, and goes with its time to live
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.abuse.cases import ATTEMPTS, CaseWriter
from loyalty.abuse.clients import ClientCounts, ClientSignal, Window, one_more, window_of
from loyalty.abuse.model import Case, raised
from loyalty.abuse.store import RiskStore, watch_put
from loyalty.abuse.watch import Evidence, Note
from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import MemberErased, MemberMerged
from loyalty.core.table import Operation, Put, Table, TransactionRefused
from loyalty.programs.store import ProgramStore

_ACTION: Final = "risk.flagged"


@dataclass(frozen=True, slots=True)
class Doing:
    """What was done by, or in the name of, a member; ``client_id`` where the client's doings are counted too."""

    program: str
    member_id: str
    note: Note
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a doing: ``counted`` is False where it was known or came too late. ``case``: as it was flagged just now."""

    counted: bool
    case: Case | None = None
    suspected: bool = False


class Watcher:
    """Turns doings into cases. Safe to be told of one again, and of many in any order."""

    def __init__(
        self, table: Table, programs: ProgramStore, clock: Clock, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._table = table
        self._programs = programs
        self._store = RiskStore(table)
        self._writer = CaseWriter(table, sleep=sleep)
        self._clients = ClientCounts(table)
        self._clock = clock

    def see(self, doing: Doing) -> Seen:
        """Notes what was done.

        Raises:
            ProgramNotFound: nothing was ever published under that id.
            MemberNotFound: a signal of a member who has no book.
            WalletBusy: other writers got in first every time; the same event may be delivered again.
        """
        rules = self._programs.current(doing.program).document.abuse
        window = None
        if doing.client_id is not None:
            window = window_of(rules, doing.program, doing.client_id, ClientSignal.REVEALS, doing.note.at)
        for attempt in range(ATTEMPTS):
            now = self._now()
            watch, case = self._store.watched(doing.program, doing.member_id)
            noted = watch.noted(doing.note, rules, now)
            if noted is None:
                # A delivery before this one may have been cut off between its write and this.
                return Seen(counted=False, suspected=self._suspected(window, now))
            beside: list[Operation] = [watch_put(doing.program, doing.member_id, watch, noted, now)]
            beside += [] if window is None else [one_more(window, f"{doing.member_id}/{doing.note.reference}")]
            evidence = noted.evidence(rules, cleared_at=None if case is None else case.cleared_at)
            flagged = raised(case, evidence, doing.program, doing.member_id, now)
            try:
                done = self._write(case, flagged, beside)
            except MemberMerged as merged:
                flagged = self._flag(doing.program, merged.into, evidence)
                done = self._write(None, None, beside)
            except MemberErased:
                flagged, done = None, self._write(None, None, beside)
            if done:
                return Seen(counted=True, case=flagged, suspected=self._suspected(window, now))
            self._writer.pause(attempt)
        raise AssertionError("the last pause raises")

    def _write(self, before: Case | None, after: Case | None, beside: Sequence[Operation]) -> bool:
        if after is not None:
            return self._writer.write(before, after, *beside, _line(before, after))
        try:
            self._table.write(beside)
        except TransactionRefused:
            return False
        return True

    def _flag(self, program: str, member_id: str, evidence: Sequence[Evidence]) -> Case | None:
        """Flags whom a member was merged into for what that member did."""
        for attempt in range(ATTEMPTS):
            before = self._store.case(program, member_id)
            cleared = None if before is None else before.cleared_at
            new = [one for one in evidence if cleared is None or one.until > cleared]
            after = raised(before, new, program, member_id, self._now())
            try:
                if after is None or self._writer.write(before, after, _line(before, after)):
                    return after
            except MemberMerged as merged:
                return self._flag(program, merged.into, evidence)
            except MemberErased:
                return None
            self._writer.pause(attempt)
        raise AssertionError("the last pause raises")

    def _suspected(self, window: Window | None, now: datetime) -> bool:
        return window is not None and self._clients.suspect(window, now)

    def _now(self) -> datetime:
        return from_text(to_text(self._clock()))


def _line(before: Case | None, after: Case) -> Put:
    line = Line(
        scope=after.program,
        action=_ACTION,
        target=f"members/{after.member_id}/risk",
        at=after.updated_at,
        before={} if before is None else {"state": before.state.value, "on_hold": before.on_hold},
        after={
            "state": after.state.value,
            "on_hold": after.on_hold,
            "signals": ",".join(one.signal for one in after.evidence),
        },
    )
    return line_put(line)
