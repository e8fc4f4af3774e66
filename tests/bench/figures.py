"""A figure with its bound, and how figures are shown and written."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One number. ``sense`` says whether ``bound`` is the most or the least that it may be; None is no bound."""

    name: str
    value: float
    unit: str
    bound: float | None = None
    sense: Literal["max", "min"] = "max"

    @property
    def kept(self) -> bool:
        if self.bound is None:
            return True
        return self.value <= self.bound if self.sense == "max" else self.value >= self.bound


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines of text, a missed bound marked."""
    width = max(len(figure.name) for figure in figures)
    lines = []
    for figure in figures:
        value = f"{figure.value:,.3f}".rstrip("0").rstrip(".")
        bound = "" if figure.bound is None else f"{'<=' if figure.sense == 'max' else '>='} {figure.bound:g}"
        mark = "" if figure.bound is None else ("ok" if figure.kept else "MISSED")
        lines.append(f"  {figure.name:<{width}}  {value:>14} {figure.unit:<12} {bound:<8} {mark}".rstrip())
    return "\n".join(lines)


def write(figures: Sequence[Figure], path: Path) -> None:
    """Writes the figures as a JSON list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
