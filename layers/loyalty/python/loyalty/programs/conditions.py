"""Conditions: expressions of the Common Expression Language over what was done, when, and by whom.

They are checked against these types before they are published, so that none asks for what there is not. What only an
evaluation can find (a key that a map does not have, a loop that takes too long) makes a condition not met, and is told.

The library is loaded, and an expression compiled, when the first one is needed: a program without conditions never
pays for them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from loyalty.programs.deeds import BoughtLine, Deed, Earner

OF_ACTIVITY: Final[Mapping[str, str]] = {
    "activity": "string",
    "channel": "string",
    "store": "string",
    "currency": "string",
    "amount": "double",
    "quantity": "int",
    "skus": "list(string)",
    "products": "list(string)",
    "categories": "list(string)",
    "attributes": "map(string, string)",
    "local.date": "string",
    "local.time": "string",
    "local.weekday": "string",
    "local.hour": "int",
    "local.day": "int",
    "local.month": "int",
    "local.year": "int",
    "member.tier": "string",
    "member.tiers": "map(string, string)",
    "member.first": "bool",
    "member.segments": "list(string)",
}
"""What every condition may ask, by name, and its type. What an activity does not have is empty, or zero."""

OF_LINE: Final[Mapping[str, str]] = {
    "line.sku": "string",
    "line.product": "string",
    "line.category": "string",
    "line.quantity": "int",
    "line.amount": "double",
    "line.gift_card": "bool",
    "line.discounted": "bool",
}
"""What the conditions of lines may ask beside that."""

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_COMPILED: Final = 1000
"""Expressions that a function keeps: those of ten programs with a hundred rules."""
_POSITION: Final = re.compile(r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): (?P<message>.*)")
_CONTAINER: Final = " (in container '')"
_MIXED: Final = re.compile(r"\((double, int|int, double)\)")
_ASKS_FIRST: Final = re.compile(r"\bmember\s*\.\s*first\b")
_MAY_ASK_SEGMENTS: Final = re.compile(r"\bsegments\b")
"""However the name is written, with spaces or a comment in it: a read too many does no harm, one too few would."""


class ConditionInvalid(ValueError):
    """An expression that cannot be published: what is wrong with it, and where."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition is met. ``error`` is why that could not be found out; it is not met then."""

    met: bool
    error: str | None = None


_MET: Final = Verdict(met=True)
_NOT_MET: Final = Verdict(met=False)


def require_valid(condition: str, *, of_lines: bool = False) -> None:
    """Checks an expression against the types of what it may ask.

    Raises:
        ConditionInvalid: it does not parse, asks for what there is not, compares what cannot be compared, or is
            neither true nor false.
    """
    _compiled(condition, of_lines=of_lines)


def asks_first(condition: str | None) -> bool:
    """Whether a condition asks for ``member.first``."""
    return condition is not None and _ASKS_FIRST.search(condition) is not None


def asks_segments(condition: str | None) -> bool:
    """Whether a condition may ask for ``member.segments``; True also where it says that word for something else."""
    return condition is not None and _MAY_ASK_SEGMENTS.search(condition) is not None


def evaluate(condition: str, values: Mapping[str, Any], *, of_lines: bool = False) -> Verdict:
    """Whether a condition is met by these values, one for each name that it may ask."""
    return _evaluated(condition, _activation(values, of_lines=of_lines), of_lines=of_lines)


class Conditions:
    """The conditions of one activity of one member."""

    def __init__(self, deed: Deed, earner: Earner, zone: ZoneInfo) -> None:
        self._deed = deed
        self._earner = earner
        self._zone = zone
        self._whole: Any = None
        self._lines: Sequence[Any] | None = None

    def met(self, condition: str) -> Verdict:
        """Whether the activity meets it."""
        if self._whole is None:
            self._whole = _activation(values_of(self._deed, self._earner, self._zone), of_lines=False)
        return _evaluated(condition, self._whole, of_lines=False)

    def lines_met(self, condition: str) -> list[Verdict]:
        """Whether each line of it does."""
        if self._lines is None:
            common = values_of(self._deed, self._earner, self._zone)
            self._lines = [_activation(common | values_of_line(line), of_lines=True) for line in self._deed.lines]
        return [_evaluated(condition, line, of_lines=True) for line in self._lines]


def values_of(deed: Deed, earner: Earner, zone: ZoneInfo) -> dict[str, Any]:
    """The values of :data:`OF_ACTIVITY`.

    Amounts are doubles, for comparisons alone: with at most 15 digits they are ordered as the decimals are, and equal
    where these are. No points are computed with them.
    """
    local = deed.occurred_at.astimezone(zone)
    return {
        "activity": deed.activity,
        "channel": deed.channel or "",
        "store": deed.store or "",
        "currency": deed.amount.currency if deed.amount else "",
        "amount": float(deed.amount.amount) if deed.amount else 0.0,
        "quantity": sum(line.quantity for line in deed.lines),
        "skus": [line.sku for line in deed.lines if line.sku],
        "products": [line.product for line in deed.lines if line.product],
        "categories": [line.category for line in deed.lines if line.category],
        "attributes": dict(deed.attributes),
        "local.date": local.date().isoformat(),
        "local.time": f"{local:%H:%M}",
        "local.weekday": WEEKDAYS[local.weekday()],
        "local.hour": local.hour,
        "local.day": local.day,
        "local.month": local.month,
        "local.year": local.year,
        "member.tier": earner.tier,
        "member.tiers": earner.tiers,
        "member.first": earner.first,
        "member.segments": list(earner.segments),
    }


def values_of_line(line: BoughtLine) -> dict[str, Any]:
    """The values of :data:`OF_LINE`."""
    return {
        "line.sku": line.sku or "",
        "line.product": line.product or "",
        "line.category": line.category or "",
        "line.quantity": line.quantity,
        "line.amount": float(line.amount.amount),
        "line.gift_card": line.gift_card,
        "line.discounted": line.discounted,
    }


@lru_cache(maxsize=2)
def _environment(*, of_lines: bool) -> Any:
    # Fifteen megabytes of shared library, which most requests need not load.
    from cel_expr_python import cel  # noqa: PLC0415

    kinds = {
        "string": cel.Type.STRING,
        "int": cel.Type.INT,
        "double": cel.Type.DOUBLE,
        "bool": cel.Type.BOOL,
        "list(string)": cel.Type.List(cel.Type.STRING),
        "map(string, string)": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
    }
    names = {**OF_ACTIVITY, **OF_LINE} if of_lines else OF_ACTIVITY
    return cel.NewEnv(variables={name: kinds[kind] for name, kind in names.items()})


@lru_cache(maxsize=_COMPILED)
def _compiled(condition: str, *, of_lines: bool) -> Any:
    try:
        expression = _environment(of_lines=of_lines).compile(condition)
    except RuntimeError as error:
        raise ConditionInvalid(_said(str(error))) from None
    kind = expression.return_type().name()
    if kind.lower() != "bool":
        raise ConditionInvalid(f"it gives a {kind.lower()}; a condition is true or false: compare it with something")
    return expression


def _activation(values: Mapping[str, Any], *, of_lines: bool) -> Any:
    return _environment(of_lines=of_lines).Activation(dict(values))


def _evaluated(condition: str, activation: Any, *, of_lines: bool) -> Verdict:
    try:
        value = _compiled(condition, of_lines=of_lines).eval(activation).value()
    except (ConditionInvalid, RuntimeError) as error:  # published before it was checked; more steps than are allowed
        return Verdict(met=False, error=str(error))
    if isinstance(value, bool):
        return _MET if value else _NOT_MET
    return Verdict(met=False, error=str(value))


def _said(error: str) -> str:
    """The library's words, without what is for its own developers: the first thing that is wrong, and the column."""
    match = _POSITION.search(error)
    if match is None:
        return error
    line = f"line {match['line']}, " if match["line"] != "1" else ""
    message = match["message"].removesuffix(_CONTAINER)
    hint = "; an amount is compared with a number that has decimals: 20.0" if _MIXED.search(message) else ""
    return f"{message} ({line}column {match['column']}){hint}"
