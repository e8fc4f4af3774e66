"""Bars in a terminal, and as an SVG: of points by tier, under the version in force and the other one; of steps of a funnel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from loyalty.ledger.model import POINTS
from loyalty.simulating.model import Both
from loyalty.simulating.report import Report

_WIDTH: Final = 56
"""Characters of the longest bar in a terminal."""
_COLUMNS: Final = 100
_STEP_WIDTH: Final = 40
"""The same, where words stand behind it."""
_COLOURS: Final = ("#8a94a6", "#1f6feb")
_BAR, _GAP, _LEFT, _ACROSS = 18, 22, 150, 520
"""Of the SVG, in pixels: a bar's height, what is between two tiers, what is left of the bars, the longest bar."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Two bars: of one tier, or of all together."""

    name: str
    both: Both


def bars_of(report: Report, wallet: str = POINTS) -> list[Bars]:
    """Those of a simulation, in the order of its tiers."""
    return [Bars(row.tier or "all", row.points[wallet].both) for row in (*report.tiers, report.total)]


def terminal_lines(bars: Sequence[Bars]) -> Iterator[str]:
    """Lines for a terminal, at most 100 columns wide."""
    most = _most(bars)
    for one in bars:
        for name, version, number in ((one.name, "now", one.both.now), ("", "draft", one.both.draft)):
            yield f"{name[:16]:<16}  {version:<5}  {_bar(number, most, _WIDTH)} {number:,}"


def step_lines(steps: Sequence[tuple[str, int, str]]) -> Iterator[str]:
    """Lines for a terminal, at most 100 columns wide: steps of a funnel by name, number and what is said of it."""
    most = max((number for _, number, _ in steps), default=0) or 1
    for name, number, said in steps:
        line = f"{name[:10]:<10} {_bar(number, most, _STEP_WIDTH):<{_STEP_WIDTH}} {number:>10,}  {said}"
        yield line[:_COLUMNS].rstrip()


def svg(bars: Sequence[Bars], title: str) -> str:
    """The same as an SVG document that needs nothing else: no script, no font of its own."""
    most, parts = _most(bars), list[str]()
    y = 70
    for one in bars:
        parts.append(_text(_LEFT - 10, y + _BAR + 5, one.name, anchor="end"))
        for place, number in enumerate((one.both.now, one.both.draft)):
            top, length = y + place * _BAR, max(0, number) * _ACROSS // most
            parts.append(
                f'<rect x="{_LEFT}" y="{top}" width="{max(length, 1)}" height="{_BAR - 2}" fill="{_COLOURS[place]}"/>'
            )
            parts.append(_text(_LEFT + length + 8, top + _BAR - 5, f"{number:,}", size=12))
        y += 2 * _BAR + _GAP
    legend = [
        f'<rect x="{_LEFT + 90 * place}" y="40" width="12" height="12" fill="{_COLOURS[place]}"/>'
        + _text(_LEFT + 90 * place + 18, 51, name, size=12)
        for place, name in enumerate(("now", "draft"))
    ]
    size = f'width="{_LEFT + _ACROSS + 130}" height="{y}" viewBox="0 0 {_LEFT + _ACROSS + 130} {y}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" role="img">'
    white = '<rect width="100%" height="100%" fill="#ffffff"/>'
    lines = [head, f"<title>{escape(title)}</title>", white, _text(20, 26, title, size=16), *legend, *parts, "</svg>"]
    return "\n".join(lines) + "\n"


def _bar(number: int, most: int, width: int) -> str:
    return "█" * (max(0, number) * width // most) or "▏"


def _most(bars: Sequence[Bars]) -> int:
    return max((number for one in bars for number in (one.both.now, one.both.draft)), default=0) or 1


def _text(x: int, y: int, text: str, *, size: int = 14, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'
