"""Whether a condition can be true at all: tried on what its own words and the program suggest. A guess, not a proof."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from math import prod
from typing import Any, Final

from loyalty.programs.conditions import OF_ACTIVITY, OF_LINE, WEEKDAYS, evaluate
from loyalty.programs.model import ProgramDocument

MOST_TRIED: Final = 10_000
"""Combinations of values that are tried; of more, so many are drawn, always the same."""

_TEXT: Final = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_NUMBER: Final = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_KEY: Final = re.compile(
    r"""attributes\s*(?:\.\s*(\w+)|\[\s*['"]([^'"]+)['"]\s*\])|['"]([^'"]+)['"]\s+in\s+attributes"""
)
_TIER: Final = re.compile(
    r"member\.tier\s*[!=]=\s*['\"]([^'\"]*)['\"]|['\"]([^'\"]*)['\"]\s*[!=]=\s*member\.tier\b(?!s)"
)
_TIER_LIST: Final = re.compile(r"member\.tier\s+in\s+\[([^\]]*)\]")
_SEGMENT: Final = re.compile(r"""(?:'([^']*)'|"([^"]*)")\s+in\s+member\.segments\b""")
_MOST_NAMED: Final = 6
"""Segments that a condition names, of which all combinations are tried."""
_NAMES: Final = {**OF_ACTIVITY, **OF_LINE}
_CALENDAR: Final[dict[str, Sequence[Any]]] = {
    "local.weekday": WEEKDAYS,
    "local.hour": range(24),
    "local.day": range(1, 32),
    "local.month": range(1, 13),
}
_Chosen = Callable[[Sequence[Any], Sequence[Any]], list[Any]]
_PLAIN: Final[dict[str, Any]] = {"string": "", "int": 0, "double": 0.0, "bool": False}


def never_true(document: ProgramDocument, condition: str, *, of_lines: bool, most: int = MOST_TRIED) -> bool:
    """Whether a valid condition was true for none of at most so many combinations of values."""
    names = {**OF_ACTIVITY, **OF_LINE} if of_lines else OF_ACTIVITY
    plain = {name: _nothing(kind) for name, kind in names.items()}
    asked = [name for name in names if _asks(condition, name)]
    return not any(
        evaluate(condition, plain | dict(zip(asked, values, strict=True)), of_lines=of_lines).met
        for calendar in (_named, _another)  # "on sundays", and "not on sundays"
        for values in _combinations([_candidates(document, condition, name, calendar) for name in asked], most // 2)
    )


def unknown_tiers(document: ProgramDocument, condition: str) -> list[str]:
    """Texts that a condition compares the member's tier with, and that are no tier of the program."""
    known = {tier.id for tier in document.tiers}
    compared = [one or other for one, other in _TIER.findall(condition)]
    listed = [text for inside in _TIER_LIST.findall(condition) for text in _texts(inside)]
    return list(dict.fromkeys(text for text in (*compared, *listed) if text not in known))


def unknown_segments(document: ProgramDocument, condition: str) -> list[str]:
    """Texts that a condition looks for among the member's segments, and that the program does not declare."""
    known = {segment.id for segment in document.segments}
    wanted = [one or other for one, other in _SEGMENT.findall(condition)]
    return list(dict.fromkeys(text for text in wanted if text not in known))


def _asks(condition: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}\b", condition) is not None


def _candidates(document: ProgramDocument, condition: str, name: str, calendar: "_Chosen") -> Sequence[Any]:
    said = _said_of(condition, name)
    texts, numbers, tiers = _texts(said), _numbers(said), [tier.id for tier in document.tiers]
    by_name: dict[str, Sequence[Any]] = {
        **{key: calendar(values, (*texts, *numbers)) or values for key, values in _CALENDAR.items()},
        "local.date": ["0001-01-01", *texts, *(f"{text}~" for text in texts)],  # and just after each
        "local.time": ["00:00", *texts, *(f"{text}~" for text in texts)],
        "member.tier": tiers,
        "member.tiers": [{"status": tier} for tier in tiers],
        "member.segments": _segments(document, texts),
    }
    by_kind: dict[str, Sequence[Any]] = {
        "bool": [True, False],
        "list(string)": [texts, *([text] for text in texts), *(["something else"] * length for length in range(4))],
        "map(string, string)": _attributes(condition, texts),
        "int": [int(number) for number in numbers],
        "double": numbers,
        "string": [*texts, "something else", ""],
    }
    return by_name.get(name) or by_kind[_NAMES[name]]


def _segments(document: ProgramDocument, texts: Sequence[str]) -> list[list[str]]:
    """What a member may be in: of the declared ones that a condition names, any; of the others one, or all."""
    declared = [segment.id for segment in document.segments]
    named = [segment for segment in declared if segment in texts]
    other = [segment for segment in declared if segment not in texts][:1]
    tried = named[:_MOST_NAMED]
    some = [list(chosen) for size in range(len(tried) + 1) for chosen in combinations(tried, size)]
    return [*some, *([segment] for segment in named[_MOST_NAMED:]), [*named, *other], other, declared]


def _named(values: Sequence[Any], named: Sequence[Any]) -> list[Any]:
    return [value for value in values if value in named]


def _another(values: Sequence[Any], named: Sequence[Any]) -> list[Any]:
    """Some that a condition names, and one that it does not."""
    found = _named(values, named)
    return [*found, *[value for value in values if value not in found][:1]] if found else []


def _said_of(condition: str, name: str) -> str:
    """What a condition compares a value with, or asks of it; all of it, where that is nothing that is seen at once."""
    this = rf"(?<![\w.]){re.escape(name)}\b"
    literal = r"""(?:\[[^\]]*\]|'[^']*'|"[^"]*"|[\d.]+)"""
    found = re.findall(rf"{this}\s*(?:[=!<>]=?|in|\.\w+\()\s*({literal})", condition)
    found += re.findall(rf"({literal})\s*[=!<>]=?\s*{this}", condition)
    return " ".join(found) if _NAMES[name] in {"string", "int", "double"} and found else condition


def _attributes(condition: str, texts: Sequence[str]) -> list[dict[str, str]]:
    keys = list(dict.fromkeys("".join(found) for found in _KEY.findall(condition)))[:3]
    values = [*texts, "something else", *dict.fromkeys(f"{number:g}" for number in _numbers(condition))]
    return [{}, *(dict(zip(keys, chosen, strict=True)) for chosen in _combinations([values] * len(keys), MOST_TRIED))]


def _numbers(condition: str) -> list[float]:
    """Those that it names, and their neighbours."""
    literals = {float(text) for text in _NUMBER.findall(condition)} | {0.0, 1.0, 1_000_000.0}
    return sorted({near for literal in literals for near in (literal - 1, literal, literal + 1) if near >= 0})


def _texts(condition: str) -> list[str]:
    return list(dict.fromkeys(one or other for one, other in _TEXT.findall(condition)))


def _nothing(kind: str) -> Any:
    return [] if kind.startswith("list") else {} if kind.startswith("map") else _PLAIN[kind]


def _combinations(choices: Sequence[Sequence[Any]], most: int) -> Iterator[tuple[Any, ...]]:
    if prod(len(choice) for choice in choices) <= most:
        yield from product(*choices)
        return
    drawn = random.Random(0)  # noqa: S311 - the same guess every time, nothing secret
    for _ in range(most):
        yield tuple(drawn.choice(choice) for choice in choices)
