"""The report of a supplier's day: both sides read, compared, written down.

::

    our orders of the day and its margin      page by page, to disk
    the supplier's list of the same time      page by page, to disk
    our orders that ended on the day          page by page; those of earlier days asked for by their key
    what either lacks, asked for by its key   a few; further days of ours where it may be
    compared in the order of the keys         lines to a file, differences to work items
    the files, then the report                the report says that all of it is there

Made again, a report takes the place of the one before. Nothing of an order, a run or a redemption is changed: a difference
is a work item for a person.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.files import Files
from loyalty.core.money import Money
from loyalty.fulfillment.orders import Order, OrderStore
from loyalty.reconciliation.files import CsvReport, differences_file, key, write_report
from loyalty.reconciliation.matching import MARGIN, Line, compared, period
from loyalty.reconciliation.model import Difference, DifferenceKind, Report
from loyalty.reconciliation.spill import Spill
from loyalty.reconciliation.store import ReportStore
from loyalty.suppliers.model import Supplier

MOST_ITEMS: Final = 1000
"""Differences of a report that become work items, beside those that are; the files have all of them."""
MOST_ASKED: Final = 200
"""Orders that the list lacks and the supplier is asked for by their key; and of those that ended on the day, as many again."""
MOST_SOUGHT: Final = 1000
"""Orders of the supplier's whose ours is sought on earlier days."""
LOOKED_BACK: Final = 7
"""Days before the margin on which it is sought."""
_A_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Tally:
    """What the report says of the lines, added up as they go by."""

    supplier: str
    day: date
    matched: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    ours: dict[str, Money] = field(default_factory=dict)
    theirs: dict[str, Money] = field(default_factory=dict)
    differences: Counter[str] = field(default_factory=Counter)
    items: list[Difference] = field(default_factory=list)
    known: frozenset[str] = frozenset()
    """Names of differences that are work items already: they stay ones behind any number of others."""

    def add(self, line: Line) -> Difference | None:
        """Counts a line; its difference, where there is one."""
        self.matched += line.agreed
        # An order of ours is in its first line; each further one is another of the supplier's under the same key.
        if line.our_worth is not None and line.kind is not DifferenceKind.DUPLICATE:
            self.counts["ours"] += 1
            _add(self.ours, line.our_worth)
        if line.stands_there and line.theirs is not None:
            self.counts["theirs"] += 1
            _add(self.theirs, line.theirs.value)
        one = line.difference(self.supplier, self.day)
        if one is not None:
            self.differences[one.kind] += 1
            self.items += [one] if len(self.items) < MOST_ITEMS or one.id in self.known else []
        return one


def _add(totals: dict[str, Money], money: Money | None) -> None:
    if money is None:
        return
    so_far = totals.get(money.currency)
    totals[money.currency] = money if so_far is None else Money(so_far.amount + money.amount, money.currency)


class Reconciliation:
    """Makes reports.

    Args:
        orders: ours.
        suppliers: gives a supplier by its name.
        reports: keeps reports and differences.
        files: the bucket for reports.
        clock: gives the present moment.
        folder: for what is spilled, the system's own where None.
    """

    def __init__(
        self,
        *,
        orders: OrderStore,
        suppliers: Callable[[str], Supplier],
        reports: ReportStore,
        files: Files,
        clock: Clock,
        folder: Path | None = None,
    ) -> None:
        self._orders = orders
        self._suppliers = suppliers
        self._reports = reports
        self._files = files
        self._clock = clock
        self._folder = folder

    def make(self, supplier: str, day: date) -> tuple[Report, int]:
        """Makes the report of a day (UTC), or makes it again; it, and how many of its work items are open.

        Raises:
            SupplierError: the supplier's list is not whole. Nothing is written.
            LookupError: there is no such supplier.
        """
        made_at = self._clock()
        with Spill() as spill, TemporaryDirectory(dir=self._folder) as folder:
            self._read(spill, supplier, day)
            csv_path, lines_path, json_path = (Path(folder) / name for name in ("lines.csv", "items", "report.json"))
            tally = Tally(supplier, day, known=self._reports.known(supplier, day))
            with csv_path.open("w", encoding="utf-8", newline="") as file, differences_file(lines_path) as found:
                table = CsvReport(file)
                for line in compared(spill.ours(), spill.theirs(), day):
                    one = tally.add(line)
                    table.add(line)
                    if one is not None:
                        found.add(one)
            report = Report(
                supplier=supplier,
                day=day,
                made_at=made_at,
                matched=tally.matched,
                ours=tally.ours,
                theirs=tally.theirs,
                ours_count=tally.counts["ours"],
                theirs_count=tally.counts["theirs"],
                differences=dict(tally.differences),
                csv_key=key(supplier, day, "csv"),
                json_key=key(supplier, day, "json"),
            )
            write_report(json_path, report, lines_path)
            self._files.put(report.csv_key, csv_path, "text/csv; charset=utf-8")
            self._files.put(report.json_key, json_path, "application/json")
        still_open = self._reports.save_differences(supplier, day, tally.items)
        self._reports.save_report(report)
        return report, still_open

    def _read(self, spill: Spill, name: str, day: date) -> None:
        supplier = self._suppliers(name)
        start, end = period(day)
        # Theirs first: an order that is made meanwhile is then one of ours, and asked for by its key.
        spill.add_theirs(supplier.orders(start - MARGIN, end + MARGIN))
        for distance in range(-MARGIN.days, MARGIN.days + 1):
            spill.add_ours(self._orders.of_day(name, day + distance * _A_DAY))
        spill.add_ours(self._orders.ended_on(name, day))
        _ask(spill, supplier, spill.unlisted(day, MOST_ASKED))
        _look_again(spill, supplier, day)
        self._seek(spill, name, day)

    def _seek(self, spill: Spill, name: str, day: date) -> None:
        """Ours of earlier days that the supplier made on this one: after an outage, or when a person tried again."""
        sought = spill.unknown(day, MOST_SOUGHT)
        for distance in range(MARGIN.days + 1, MARGIN.days + 1 + LOOKED_BACK):
            if not sought:
                return
            spill.add_ours(self._sought(name, day - distance * _A_DAY, sought))

    def _sought(self, name: str, day: date, sought: set[str]) -> Iterator[Order]:
        for order in self._orders.of_day(name, day):
            if order.external_id in sought:
                sought.discard(order.external_id)
                yield order


def _ask(spill: Spill, supplier: Supplier, keys: list[str]) -> None:
    spill.add_theirs(found for one in keys if (found := supplier.find(one)) is not None)


def _look_again(spill: Spill, supplier: Supplier, day: date) -> None:
    """What the supplier has by now of orders of other days that ended on this one.

    Each is asked for. Where they are too many, as when a whole campaign was cancelled, the lists of their own days are read
    first, and what those lack is asked for as far as it goes: the rest is not listed, which for a dead order is as it should be.
    """
    ended = spill.ended(day)
    if len(ended) > MOST_ASKED:
        for start, end in map(period, sorted(set(ended.values()))):
            spill.add_theirs(one for one in supplier.orders(start, end + MARGIN) if one.external_id in ended)
        ended = spill.ended(day)
    _ask(spill, supplier, list(ended)[:MOST_ASKED])
