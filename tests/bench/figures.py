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

    @property
    def limit(self) -> str:
        """The bound as it is shown."""
        return "" if self.bound is None else f"{'<=' if self.sense == 'max' else '>='} {self.bound:g}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines of text, a missed bound marked."""
    width = max(len(figure.name) for figure in figures)
    lines = []
    for figure in figures:
        mark = "" if figure.bound is None else ("ok" if figure.kept else "MISSED")
        lines.append(
            f"  {figure.name:<{width}}  {_shown(figure.value):>14} {figure.unit:<12} {figure.limit:<8} {mark}".rstrip()
        )
    return "\n".join(lines)


def matrix(figures: Sequence[Figure], measures: Sequence[str]) -> str:
    """Figures called ``{what}.{measure}`` as one line for each ``what``, those that have all the measures."""
    rows: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        what, _, measure = figure.name.rpartition(".")
        rows.setdefault(what, {})[measure] = figure
    width = max(map(len, rows))
    lines = [f"  {'':<{width}}" + "".join(f"  {measure.replace('_', ' '):>13}" for measure in measures)]
    for what, row in rows.items():
        shown = "".join(f"  {f'{_shown(row[name].value)} {row[name].limit}':>13}" for name in measures)
        missed = [name for name in measures if not row[name].kept]
        lines.append(f"  {what:<{width}}{shown}" + (f"  MISSED: {', '.join(missed)}" if missed else ""))
    return "\n".join(lines)


def write(figures: Sequence[Figure], path: Path) -> None:
    """Writes the figures as a JSON list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) | {"kept": figure.kept} for figure in figures], indent=2) + "\n")


def _shown(value: float) -> str:
    return f"{value:,.3f}".rstrip("0").rstrip(".")
