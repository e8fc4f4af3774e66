"""Commands and counts as a person reads them in a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from math import ceil
from typing import Any


def shown(value: Any) -> str:
    """A command in short: what it has beyond the defaults of its kind, moments as on the wire."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, tuple):
        return f"({', '.join(shown(member) for member in value)})"
    if not is_dataclass(value):
        return str(value)
    parts = [
        shown(member) if field.default is MISSING else f"{field.name}={shown(member)}"
        for field in fields(value)
        if (member := getattr(value, field.name)) != field.default
    ]
    return f"{type(value).__name__}({', '.join(parts)})"


def columns(counts: Mapping[str, int], width: int) -> Iterator[str]:
    """Names with their numbers, aligned in as many columns as fit, read from top to bottom."""
    if not counts:
        return
    cells = _aligned([(name, f"{number}") for name, number in sorted(counts.items())])
    per_line = max(1, (width + 3) // (len(cells[0]) + 3))
    height = ceil(len(cells) / per_line)
    for line in range(height):
        yield "   ".join(cells[line::height]).rstrip()


def table(rows: Mapping[str, Mapping[str, int]], heads: Sequence[str]) -> Iterator[str]:
    """One line for each row, one column for each of ``heads``; what is not counted is a dot."""
    names = max(len(name) for name in ("", *rows))
    yield " " * names + "".join(f"{head:>12}" for head in heads)
    for name, numbers in rows.items():
        yield f"{name:<{names}}" + "".join(f"{numbers.get(head) or '·':>12}" for head in heads)


def _aligned(pairs: Sequence[tuple[str, str]]) -> list[str]:
    names, numbers = (max(len(pair[place]) for pair in pairs) for place in (0, 1))
    return [f"{name:<{names}} {number:>{numbers}}" for name, number in pairs]
