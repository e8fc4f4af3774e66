"""Proves the audit trail: each day by itself, the days with each other, and all of it with what was exported."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from loyalty.audit.archive import DAYS, HEADS, Archive, Exported
from loyalty.audit.checking import Chain, Day, Finding, Kind, check
from loyalty.audit.comparing import Comparer
from loyalty.audit.links import ChainStore
from loyalty.audit.searching import Searched, search
from loyalty.core.clock import Clock
from loyalty.core.table import Table

_LOOKS: Final = 10
"""At the end of a chain that grows; each is short, however long the chain is."""
_A_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Proof:
    """What was looked at, and what is wrong with it. ``scanned``: whether all of the table was."""

    scanned: bool
    scopes: int = 0
    days: int = 0
    lines: int = 0
    waiting: int = 0
    heads: int = 0
    files: int = 0
    findings: list[Finding] = field(default_factory=list)


class Verifier:
    """Reads everything and writes nothing.

    Args:
        table: the table.
        clock: the present moment.
        archive: the exported trail; None: it is not asked.
        progress: is told after every day.
    """

    def __init__(
        self,
        table: Table,
        clock: Clock,
        archive: Archive | None = None,
        progress: Callable[[Proof], None] = lambda _: None,
    ) -> None:
        self._table = table
        self._chains = ChainStore(table)
        self._clock = clock
        self._archive = archive
        self._comparer = None if archive is None else Comparer(archive, clock)
        self._progress = progress

    def verify(
        self,
        scope: str | None = None,
        start: date | None = None,
        end: date | None = None,
        *,
        scan: bool = True,
    ) -> Proof:
        """What is wrong with the days from ``start`` through ``end``: of a scope, or of all that there are.

        Without ``start``, from the first day of which there is anything; without ``end``, through today. Where either is left
        open, all of the table is looked through for lines of which no chain knows, unless ``scan`` is off.
        """
        proof = Proof(scanned=scan and (scope is None or start is None))
        last = end or self._clock().date()
        exported = self._exported(scope, start, last)
        written = search(self._table) if proof.scanned else Searched()
        known = self._chains.scopes().keys() | exported.keys() | written.days.keys()
        for one in [scope] if scope is not None else sorted(known):
            proof.scopes += 1
            self._scope(proof, one, exported.get(one, {}), written.days.get(one, set()), (start, last))
        for pk in written.foreign if scope is None else ():
            proof.findings.append(Finding(Kind.ITEM_FOREIGN, pk, None, "partition", "it is of no day of the trail"))
        return proof

    def _exported(self, scope: str | None, start: date | None, end: date) -> dict[str, dict[date, list[Exported]]]:
        """The archive's files of these days, by scope and day."""
        found: dict[str, dict[date, list[Exported]]] = defaultdict(lambda: defaultdict(list))
        for kind in (HEADS, DAYS) if self._archive else ():
            for file in self._archive.files(f"{kind}/{scope}/" if scope else f"{kind}/"):  # type: ignore[union-attr]
                if (start is None or start <= file.day) and file.day <= end:
                    found[file.scope][file.day].append(file)
        return found

    def _scope(
        self,
        proof: Proof,
        scope: str,
        exported: dict[date, list[Exported]],
        written: set[date],
        span: tuple[date | None, date],
    ) -> None:
        days = self._days(scope, written | exported.keys(), *span)
        read: dict[date, Day] = {}
        last: Day | None = None
        for day in days:
            found = self._read(scope, day)
            read[day] = found
            files = exported.get(day, [])
            if not found.begun and not files:
                continue
            proof.days += 1
            proof.lines += len(found.lines)
            proof.waiting += found.waiting
            proof.findings += found.findings
            self._join(proof, found, read)
            proof.heads += sum(file.kind == HEADS for file in files)
            proof.files += sum(file.kind == DAYS for file in files)
            proof.findings += self._comparer.findings(found, files) if self._comparer else ()
            found.lines = {}  # a year of days is looked at one after the other
            if last is not None:
                last.links = {}
            last = found
            self._progress(proof)
        self._last(proof, scope, read, span[1])

    def _days(self, scope: str, others: set[date], start: date | None, end: date) -> list[date]:
        """Which days to look at, the oldest first: those in the chain, ``others``, and all since the first or ``start``."""
        found = {head.day for head in self._chains.days(scope)} | others
        found |= {head.follows.day for head in self._chains.days(scope) if head.follows}
        first = start or min(found, default=end)
        found |= {first + _A_DAY * number for number in range((end - first).days + 1)}
        return sorted(day for day in found if first <= day <= end)

    def _read(self, scope: str, day: date) -> Day:
        """The day, of a moment at which its head and its last link are of one transaction."""
        chain = Chain(scope, day)
        for raw in self._chains.stored(scope, day):
            chain.add(raw)
        for _ in range(_LOOKS):
            if chain.whole:
                break
            # Not from the start: of a long day there would be new links each time.
            for raw in self._chains.behind(scope, day, max(chain.links, default=0)):
                chain.add(raw)
        return check(chain, self._chains.lines(scope, day), now=self._clock())

    def _join(self, proof: Proof, found: Day, read: dict[date, Day]) -> None:
        """That the link from which the day went on is there, and is the one that it was."""
        follows = found.head.follows if found.head else None
        if follows is None:
            return
        if not follows.number:
            proof.findings.append(
                Finding(Kind.DAY_MISSING, found.scope, follows.day, "day", f"{found.day} found nothing of it to follow")
            )
            return
        before = read.get(follows.day)
        if before is None or not before.links:
            before = self._read(found.scope, follows.day)
        link = before.links.get(follows.number)
        if not before.begun:
            detail = f"{found.day} follows it, and nothing of it is there"
            proof.findings.append(Finding(Kind.DAY_MISSING, found.scope, follows.day, "day", detail))
        elif link is None or link.hash != follows.hash:
            detail = f"link {follows.number} of {follows.day} is not the one that it followed"
            proof.findings.append(Finding(Kind.DAYS_NOT_JOINED, found.scope, found.day, "first link", detail))

    def _last(self, proof: Proof, scope: str, read: dict[date, Day], end: date) -> None:
        """That the day which the table says was begun last is there."""
        # In the order in which days were begun one follows another, and the first one alone follows nothing.
        firsts = [day for day, one in sorted(read.items()) if one.head and one.head.follows is None]
        for day in firsts[1:]:
            detail = f"it follows nothing, as {firsts[0]} does"
            proof.findings.append(Finding(Kind.DAYS_NOT_JOINED, scope, day, "first link", detail))
        last = self._chains.scopes().get(scope)
        if last is None and any(one.head for one in read.values()):
            day = max(day for day, one in read.items() if one.head)
            detail = "the table does not know which day of this scope was begun last"
            proof.findings.append(Finding(Kind.DAY_MISSING, scope, day, "scope", detail))
        elif last is not None and last <= end and last in read and read[last].head is None:
            detail = "it was begun last, and has no head"
            proof.findings.append(Finding(Kind.DAY_MISSING, scope, last, "day", detail))
