"""What a simulation found, in tables for people, readable at 100 columns."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table as Grid

from loyalty.cli.charts import bars_of, terminal_lines
from loyalty.programs.model import ProgramDocument
from loyalty.simulating.model import Both
from loyalty.simulating.report import BothCosts, Report, TierRow
from loyalty.simulating.views import percent

_WIDTH = 100
_COMPARED = ("now", "draft", "difference", "%")
Costs = Mapping[str, BothCosts]


def told(report: Report, draft: ProgramDocument) -> Iterator[Grid | str]:
    """Everything that is to be printed, in its order."""
    zone = draft.zone
    since = f"{report.period.start.astimezone(zone):%Y-%m-%d %H:%M}" if report.period.start else "the first entry"
    until = f"{report.period.end.astimezone(zone):%Y-%m-%d %H:%M}"
    yield f"[bold]{escape(draft.name)}[/] ('{report.program}'): version {report.now} (now) and {escape(report.draft)} (draft)"
    yield f"From {since} until {until}, {draft.time_zone}: {report.activities:,} activities, {report.members:,} members."
    yield _points(report, draft)
    yield "Tiers are those of the draft, at the moment of the activity; points are less what was taken back."
    yield ""
    yield from map(escape, terminal_lines(bars_of(report)))
    yield ""
    yield _ladders(report)
    yield _rules(report)
    if report.budgets:
        yield _budgets(report)
    yield _liability(report, draft)
    yield from _notes(report)


def _points(report: Report, draft: ProgramDocument) -> Grid:
    grid = _grid("Points by tier", ("tier", ""), ("activities", "members", "posted", *_COMPARED))
    for row in (*report.tiers, report.total):
        name = row.tier or "[bold]all[/]"
        for wallet, one in row.points.items():
            numbers = [f"{one.posted:,}", f"{one.both.now:,}", *_changed(one.both)]
            grid.add_row(name, _unit(draft, wallet), *_counts(row, shown=bool(name)), *numbers)
            name = ""
        for currency, cost in row.costs.items():
            grid.add_row(
                name, f"cost, {currency}", "", "", "", f"{cost.now:,}", f"{cost.draft:,}", _signed(cost.difference), ""
            )
            name = ""
        if row.tier is not None:
            grid.add_section()
    return grid


def _ladders(report: Report) -> Grid:
    grid = _grid("Members on each tier at the end", ("ladder", "tier"), _COMPARED)
    for row in report.ladders:
        name = row.ladder
        for tier, both in row.tiers.items():
            grid.add_row(name, tier, f"{both.now:,}", *_changed(both))
            name = ""
        grid.add_row("", "", "", "", f"{row.up:,} higher", f"{row.down:,} lower")
        grid.add_section()
    return grid


def _rules(report: Report) -> Grid:
    grid = _grid("Points by rule, before anything was taken back", ("wallet", "rule"), _COMPARED)
    for row in report.rules:
        grid.add_row(row.wallet, row.rule, f"{row.both.now:,}", *_changed(row.both))
    return grid


def _budgets(report: Report) -> Grid:
    grid = _grid("Budgets used at the end", ("campaign",), ("used now", "of", "used draft", "of"))
    for row in report.budgets:
        grid.add_row(
            row.campaign, f"{row.used.now:,}", _budget(row.budget_now), f"{row.used.draft:,}", _budget(row.budget_draft)
        )
    return grid


def _liability(report: Report, draft: ProgramDocument) -> Grid:
    grid = _grid("Liability: given in this time, not taken back, not expired at its end", ("",), _COMPARED)
    for wallet, both in report.liability.items():
        grid.add_row(_unit(draft, wallet), f"{both.now:,}", *_changed(both))
    for currency, cost in report.liability_costs.items():
        grid.add_row(f"cost, {currency}", f"{cost.now:,}", f"{cost.draft:,}", _signed(cost.difference), "")
    return grid


def _notes(report: Report) -> Iterator[str]:
    yield "What members spent, were given by hand, or moved to each other is as it was, the same for both."
    if not report.costs_known:
        yield (
            "[bold yellow]![/] What a point costs is not known: add point_cost to the program, such as "
            '{"amount": "0.005", "currency": "EUR"}, or say --point-cost 0.005EUR.'
        )
    for code, both in report.refused.items():
        yield f"[bold yellow]![/] {code}: refuses {both.now:,} activities now, {both.draft:,} under the draft."
    if report.partly_known:
        yield (
            f"[bold yellow]![/] Of {report.partly_known:,} activities the entries do not have all that rules ask for (they "
            "are from before entries kept it, or very large): they were replayed with what there is."
        )
    if report.unreadable:
        yield f"[bold red]✗[/] {report.unreadable:,} items could not be read; loyalty verify names them."


def _grid(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Grid:
    grid = Grid(title=title, title_justify="left", box=SIMPLE_HEAD, width=_WIDTH, pad_edge=False)
    for name in texts:
        grid.add_column(name, overflow="fold")
    for name in numbers:
        grid.add_column(name, justify="right")
    return grid


def _counts(row: TierRow, *, shown: bool) -> tuple[str, str]:
    return (f"{row.activities:,}", f"{row.members:,}") if shown else ("", "")


def _changed(both: Both) -> tuple[str, str, str]:
    return f"{both.draft:,}", _signed(both.difference), percent(both) or ""


def _signed(number: int | Decimal) -> str:
    return f"{number:+,}" if number else "0"


def _unit(draft: ProgramDocument, wallet: str) -> str:
    currency = draft.currency_of(wallet)
    return f"{wallet}, minor units of {currency}" if currency else wallet


def _budget(points: int | None) -> str:
    return "no budget" if points is None else f"{points:,}"
