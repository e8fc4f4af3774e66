"""A report of referrals in words, bars and tables, 100 columns wide."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table as Grid

from loyalty.attribution.model import ReferralStatus
from loyalty.cli.charts import step_lines
from loyalty.core.clock import to_text
from loyalty.programs.costs import PointCost
from loyalty.referrals.report import Ratio, Report, Tally

_WIDTH: Final = 100
_NOTHING: Final = "—"
_NUMBERS: Final = ("shared", "clicked", "enrolled", "qualified", "rewarded", "customers", "points", "each cost")


def told(report: Report) -> Iterator[RenderableType]:
    """Everything that there is to say, part by part."""
    days, total = report.days, report.total
    yield f"Referrals of {report.program} from {days.first} to {days.last} ({days.zone}), as of {to_text(report.at)}"
    yield ""
    yield from _steps(total)
    yield ""
    yield from _sums(total, report.point)
    yield from _growth(report)
    yield _table("By campaign", "campaign", report.campaigns, report.point)
    yield _table("By channel", "channel", report.channels, report.point)
    if report.leaders:
        yield _leaders(report)
    yield from _notes(report)


def _steps(total: Tally) -> Iterator[str]:
    reversed_ = total.rewarded - total.customers
    yield from step_lines(
        [
            ("shared", total.shared, "links"),
            ("clicked", total.clicked, _of(total.clicked, total.shared, "shared")),
            ("enrolled", total.enrolled, f"{total.linked:,} by a link: {_of(total.linked, total.clicked, 'clicked')}"),
            ("qualified", total.qualified, _of(total.qualified, total.enrolled, "enrolled")),
            ("rewarded", total.rewarded, _of(total.rewarded, total.qualified, "qualified")),
            ("reversed", reversed_, _of(reversed_, total.rewarded, "rewarded")),
        ]
    )
    states = ", ".join(f"{total.statuses[status]:,} {status}" for status in ReferralStatus if total.statuses[status])
    yield f"They are by now: {states or 'nobody'}."


def _sums(total: Tally, point: PointCost | None) -> Iterator[str]:
    yield (
        f"Points: {total.points:,} to who brought, {total.member_points:,} to who was brought, {total.taken_back:,} taken back."
    )
    cost = total.cost(point)
    each = None if cost is None else cost.per_customer
    yield f"{total.customers:,} customers; cost {cost.total if cost else _NOTHING}, of each {each or _NOTHING}."
    yield f"What qualified them: {', '.join(str(one) for one in total.money()) or _NOTHING}."


def _growth(report: Report) -> Iterator[str]:
    growth = report.growth
    yield (
        f"K-factor {growth.k.text(3) or _NOTHING}: of {growth.members:,} who enrolled, {growth.brought:,} were brought "
        f"(i = {growth.invitations.text(3) or _NOTHING} links each, c = {growth.conversion.text(3) or _NOTHING})."
    )


def _table(title: str, of: str, rows: Sequence[tuple[str | None, Tally]], point: PointCost | None) -> Grid:
    grid = _grid(title, (of,), _NUMBERS)
    for name, tally in rows:
        cost = tally.cost(point)
        each = None if cost is None else cost.per_customer
        counts = (
            tally.shared,
            tally.clicked,
            tally.enrolled,
            tally.qualified,
            tally.rewarded,
            tally.customers,
            tally.kept,
        )
        grid.add_row(escape(name or _NOTHING), *(f"{number:,}" for number in counts), str(each or _NOTHING))
    return grid


def _leaders(report: Report) -> Grid:
    grid = _grid("Who brought the most customers", ("member",), ("customers", "points"))
    for one in report.leaders:
        grid.add_row(one.member_id, f"{one.customers:,}", f"{one.points:,}")
    return grid


def _notes(report: Report) -> Iterator[str]:
    if report.leaders_missed:
        yield f"[bold yellow]![/] There are very many referrers: each may have brought up to {report.leaders_missed:,} more."
    if not report.links_known:
        yield f"[bold yellow]![/] Counts of links from before {report.links_since} are kept no more: shared and clicked lack them."
    if report.point is None:
        yield '[bold yellow]![/] What a point costs is not known: add point_cost to the program, such as {"amount": "0.005",'
        yield '  "currency": "EUR"}.'


def _of(part: int, whole: int, name: str) -> str:
    percent = Ratio(part, whole).percent
    return _NOTHING if percent is None else f"{percent}% of {name}"


def _grid(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Grid:
    grid = Grid(title=title, title_justify="left", box=SIMPLE_HEAD, width=_WIDTH, pad_edge=False, padding=(0, 1, 0, 0))
    for name in texts:
        grid.add_column(name, overflow="fold")
    for name in numbers:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid
