"""Program documents in files, as people write them: YAML or JSON, with the line on which each part stands.

No decimal passes through a float, and nothing is taken for what it only looks like: of YAML, plain ``true``, ``false``,
``null`` and whole numbers are what they say, as in its version 1.2; ``yes``, ``12:30`` and dates are text. A field that an
object has twice is refused: one of the two would be lost.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from rich.markup import escape

from loyalty.cli.console import fail

Place = tuple[str | int, ...]
Lines = dict[Place, int]

_MOST_PLACES: Final = 100_000
_PIECE: Final = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\],:]|\n|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class Source:
    """What a file says. ``lines``: the line, from 1, on which each part begins."""

    path: Path
    content: object
    lines: Mapping[Place, int]

    def line(self, path: str) -> int | None:
        """The line of a part, or of the nearest one around it, by a path such as ``earn_rules.0.rates``."""
        place: Place = tuple(int(step) if step.isdigit() else step for step in path.split(".") if step)
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


def read_source(path: Path) -> Source:
    """What a file says; ends the command where that cannot be read, or can be read in two ways."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        fail(f"{path} is not UTF-8; save it as that.")
    return _from_json(path, text) if path.suffix == ".json" else _from_yaml(path, text)


class _Loader(yaml.SafeLoader):
    """Knows the types of YAML 1.2's JSON schema, but for decimals, which stay text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as the base class declares it


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])


def _from_yaml(path: Path, text: str) -> Source:
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines: Lines = {}
        for place, line in _yaml_places(node, ()) if node else ():
            _note(path, lines, place, line)
        return Source(path, loader.construct_document(node) if node else None, lines)
    except yaml.YAMLError as error:
        fail(f"{path} is not YAML: {escape(str(error))}")
    except RecursionError:
        fail(f"{path} has parts within parts without end.")


def _yaml_places(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*place, str(key.value)), key.start_mark.line + 1
            yield from _yaml_places(value, (*place, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*place, number), value.start_mark.line + 1
            yield from _yaml_places(value, (*place, number))


def _from_json(path: Path, text: str) -> Source:
    try:
        content = json.loads(text, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        fail(f"{path} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.")
    except (RecursionError, ValueError):
        fail(f"{path} has parts within parts without end, or a number of thousands of digits.")
    lines: Lines = {}
    for place, line in _json_places(text):
        _note(path, lines, place, line)
    return Source(path, content, lines)


def _json_places(text: str) -> Iterator[tuple[Place, int]]:
    """Every place in a text that is valid JSON, and its line."""
    line, word = 1, ""
    place: list[str | int] = []
    for piece in _PIECE.findall(text):
        if piece == "\n":
            line += 1
            continue
        if place and isinstance(place[-1], int) and piece not in ",]" and word in "[,":
            yield tuple(place), line
        match piece:
            case "{":
                place.append("")
            case "[":
                place.append(0)
            case "}" | "]":
                place.pop()
            case "," if isinstance(place[-1], int):
                place[-1] += 1
            case ":":
                place[-1] = json.loads(word)
                yield tuple(place), line
        word = piece


def _note(path: Path, lines: Lines, place: Place, line: int) -> None:
    if len(lines) > _MOST_PLACES:
        fail(f"{path} has more than {_MOST_PLACES:,} parts; no program needs so many.")
    if place in lines:
        fail(
            f"{path} has the field '{escape(str(place[-1]))}' twice in one object, on lines {lines[place]} and {line}; "
            "leave one of the two out."
        )
    lines[place] = line
