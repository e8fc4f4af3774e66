"""Bars of days: issued, and above them what was not. Plain SVG; the table below has the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from loyalty.console.languages import Language
from loyalty.finance.totals import DayTotals

WIDTH: Final = 640
HEIGHT: Final = 220
_LEFT: Final = 64
_BOTTOM: Final = 34
_TOP: Final = 16
_MOST_LABELS: Final = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One day. Heights are in the picture's units."""

    x: float
    width: float
    issued_y: float
    issued_height: float
    not_issued_y: float
    not_issued_height: float
    label: str | None
    label_x: float
    day: date


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across, and its number."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole picture. In a language from right to left the first day is at the right."""

    width: int
    height: int
    axis_x: int
    line_from: int
    line_to: int
    ticks: Sequence[Tick]
    bars: Sequence[Bar]


def draw(days: Sequence[DayTotals], language: Language) -> Chart:
    """The bars of these days, the first day first."""
    most = top_of(max((day.issued + day.not_issued for day in days), default=0))
    room, mirrored = HEIGHT - _TOP - _BOTTOM, language.direction == "rtl"
    slot = (WIDTH - _LEFT) / max(1, len(days))
    every = -(-len(days) // _MOST_LABELS)

    def up(count: int) -> float:
        return round(room * count / most, 2)

    bars = []
    for place, day in enumerate(days):
        begin = WIDTH - _LEFT - slot * (place + 1) if mirrored else _LEFT + slot * place
        base = HEIGHT - _BOTTOM
        bars.append(
            Bar(
                x=round(begin + slot * 0.15, 2),
                width=round(slot * 0.7, 2),
                issued_y=round(base - up(day.issued), 2),
                issued_height=up(day.issued),
                not_issued_y=round(base - up(day.issued) - up(day.not_issued), 2),
                not_issued_height=up(day.not_issued),
                label=language.short_day(day.day) if place % every == 0 else None,
                label_x=round(begin + slot / 2, 2),
                day=day.day,
            )
        )
    ticks = [
        Tick(round(HEIGHT - _BOTTOM - up(most * part // 2), 2), language.number(most * part // 2)) for part in range(3)
    ]
    left, right = (0, WIDTH - _LEFT) if mirrored else (_LEFT, WIDTH)
    axis = WIDTH - _LEFT + 6 if mirrored else _LEFT - 6
    return Chart(WIDTH, HEIGHT, axis, left, right, ticks, bars)


def top_of(most: int) -> int:
    """The top of the axis: an even number, 2, 4 or 10 times a power of ten, that nothing exceeds."""
    scale = 1
    while True:
        for step in (2, 4, 10):
            if most <= step * scale:
                return step * scale
        scale *= 10
