"""Replays a period under two versions of a program side by side, and tells the difference, which is theirs alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from loyalty.accruals.told import deed_of
from loyalty.core.table import Table
from loyalty.ledger.model import Entry, EntryKind
from loyalty.programs.model import PointCost, Program
from loyalty.simulating.cost import Prices
from loyalty.simulating.model import Period, issued
from loyalty.simulating.replay import Replay
from loyalty.simulating.report import Report
from loyalty.simulating.store import UNREADABLE, History, Journal, is_run, read_history
from loyalty.simulating.tally import Tally, report_of


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of it, and both replays as they ended."""

    report: Report
    now: Replay
    draft: Replay


def simulate(
    table: Table,
    now: Program,
    draft: Program,
    period: Period,
    *,
    named: str = "the draft",
    point_cost: PointCost | None = None,
    reading: Callable[[int], None] = lambda _: None,
    replaying: Callable[[int, int], None] = lambda _done, _of: None,
) -> Simulation:
    """Replays a period under both versions. Reads the table once, and writes nothing to it.

    Args:
        table: the table.
        now: the version in force.
        draft: what to compare with it, of the same program.
        period: of which time.
        named: what to call ``draft``.
        point_cost: what a point costs, instead of what the documents say.
        reading: is told the members read so far.
        replaying: is told the entries replayed so far, and how many there are.
    """
    with Journal() as journal:
        history = read_history(table, now.document.id, period, journal, progress=reading)
        run = _Run(Replay(now, history.opening), Replay(draft, history.opening), history)
        total = len(journal)
        for done, (entry, following) in enumerate(_with_next(journal), start=1):
            run.happen(entry, following)
            replaying(done, total)
    for replay in (run.now, run.draft):
        replay.end(period.end)
    prices = Prices(now.document, draft.document, point_cost)
    return Simulation(
        report_of(run.tally, (run.now, run.draft), prices, named=named, period=period), run.now, run.draft
    )


class _Run:
    """Both replays, one entry after the other."""

    def __init__(self, now: Replay, draft: Replay, history: History) -> None:
        self.now, self.draft, self.history = now, draft, history
        self.tally = Tally(unreadable=history.unreadable)
        self._asking = {
            rule.activity
            for document in (now.program.document, draft.program.document)
            for rule in document.earn_rules
            if rule.when or rule.lines or rule.points_per_line or rule.points_per_item or document.exclusions
        }

    def happen(self, entry: Entry, following: Entry | None) -> None:
        """Does in both what an entry tells; ``following`` is the next one."""
        match entry.key.kind:
            case EntryKind.ACCRUAL:
                self._earned(entry)
            case EntryKind.REVERSAL:
                self._taken_back(entry)
            case EntryKind.MERGE_IN:
                self._each(lambda replay: replay.merge(entry))
            case EntryKind.HOLD:
                self._each(lambda replay: replay.spend(entry))
            case EntryKind.TIER if not is_run(entry):
                self._each(lambda replay: replay.grant(entry))
        earns = entry.key.kind in {EntryKind.ACCRUAL, EntryKind.REVERSAL}
        if (earns and not _is_one_with(entry, following)) or is_run(entry):
            refunded = entry.key.kind is EntryKind.REVERSAL
            self._each(lambda replay: replay.wake(entry.member_id, entry.posted_at, refunded=refunded))

    def _each(self, act: Callable[[Replay], None]) -> None:
        act(self.now)
        act(self.draft)

    def _earned(self, entry: Entry) -> None:
        try:
            deed = deed_of(entry.facts)
        except UNREADABLE:
            self.tally.unreadable += 1
            return
        taken = entry.entry_id in self.history.reversed
        given = self.draft.accrue(entry, deed, may_be_reversed=taken)
        before = self.now.accrue(entry, deed, may_be_reversed=taken)
        self.tally.partly_known += entry.facts.told is None and deed.activity in self._asking
        self.tally.add(entry, before, given, is_taken_back=taken)

    def _taken_back(self, entry: Entry) -> None:
        book, reverses = self.draft.books[entry.member_id], entry.facts.reverses or ""
        homes = [(member_id, reverses) for member_id in (book.member_id, *book.absorbed)]
        now, draft = self.now.reverse(entry), self.draft.reverse(entry)
        self.tally.take_back(homes, issued(entry), now, draft)


def _with_next(journal: Journal) -> Iterator[tuple[Entry, Entry | None]]:
    yield from pairwise(chain(journal, [None]))


def _is_one_with(entry: Entry, following: Entry | None) -> bool:
    """Whether a reversal that waited for an accrual came in its transaction: only after all of it somebody looks at tiers."""
    return (
        following is not None
        and following.member_id == entry.member_id
        and following.posted_at == entry.posted_at
        and following.facts.reverses == (entry.facts.reverses or entry.entry_id)
        and following.seq <= entry.seq + 1 + len(entry.facts.renewed)
    )
