"""A program document as somebody wrote it, and everything that is wrong with it: where, and what to do."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from loyalty.programs.brand import Named, named_parts
from loyalty.programs.checking import Finding, Findings, check
from loyalty.programs.fields import mistakes
from loyalty.programs.model import ProgramDocument

MOST_FINDINGS: Final = 200
"""Errors that are named of one document."""
_SIMPLE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What may be a step of a path. Of a field with another name, the path is that of the object that has it."""

_OWN_WORDS: Final[Mapping[str, str]] = {
    "too_short": "list at least {min_length}",
    "too_long": "list at most {max_length}",
    "tuple_type": "write a list here",
    "model_type": "write an object with fields here",
    "dict_type": "write an object with fields here",
}
"""In place of messages that speak of Python."""

Content = dict[str, Any]
"""A document as it was read: JSON values, decimals as text."""
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a document is worth. ``document`` is None where its shape is wrong, which ``findings.errors`` then say."""

    document: ProgramDocument | None
    findings: Findings

    @property
    def publishable(self) -> ProgramDocument | None:
        """The document, if nothing is wrong with it."""
        return None if self.findings.errors else self.document


def assess(content: object, now: datetime) -> Assessment:
    """The document that ``content`` is, its errors and warnings. Unless its shape is right, nothing else is looked at."""
    try:
        document = ProgramDocument.model_validate(content)
    except ValidationError as error:
        found = tuple(islice(map(_finding, mistakes(error)), MOST_FINDINGS))
        return Assessment(None, Findings(errors=found))
    checked = check(document, now)
    return Assessment(document, Findings(checked.errors, (*checked.warnings, *_missing_translations(document))))


def pointer(finding: Finding) -> str:
    """Where it is, as a JSON pointer into the document."""
    return "".join(f"/{step}" for step in finding.path.split(".") if step)


def _finding(error: ErrorDetails) -> Finding:
    *above, last = error["loc"] or ("",)
    place = getattr(error.get("ctx", {}).get("error"), "place", ())  # of a WrongPart
    path = ".".join(map(str, (*error["loc"], *place)))
    if error["type"] == "extra_forbidden":
        path = path if _SIMPLE.fullmatch(str(last)) else ".".join(map(str, above))
        return Finding(path, _unknown_field(str(last), _fields_at(above)))
    if error["type"] == "missing":
        return Finding(path, f"this is missing; add '{last}'")
    return Finding(path, _said(error))


def _said(error: ErrorDetails) -> str:
    """Pydantic's message, which names the rule, with what was given where that is short."""
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return message
    if error["type"] in _OWN_WORDS:
        return _OWN_WORDS[error["type"]].format(**error.get("ctx", {}))
    given = error["input"]
    shown = repr(given) if isinstance(given, str) else str(given)
    told = "" if isinstance(given, dict | list | tuple) or len(shown) > 40 else f", not {shown}"
    return f"{message[:1].lower()}{message[1:]}{told}"


def _unknown_field(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"unknown field '{name}'; did you mean '{near[0]}'?"
    return f"unknown field '{name}'; there is {', '.join(known)}" if known else f"unknown field '{name}'; leave it out"


def _fields_at(path: Sequence[str | int]) -> list[str]:
    """The fields that an object at a path of the document may have."""
    places = [_schema()]
    for step in path:
        # A step that leads nowhere is a name that pydantic gave to an alternative.
        places = [below for place in places for below in _below(place, step)] or places
    names = [name for place in places for one in _alternatives(place) for name in one.get("properties", {})]
    return list(dict.fromkeys(names))


def _below(place: Schema, step: str | int) -> Iterator[Schema]:
    for one in _alternatives(place):
        if isinstance(step, int) and "items" in one:
            yield one["items"]
        elif step in one.get("properties", {}):
            yield one["properties"][step]


def _alternatives(place: Schema) -> Iterator[Schema]:
    """The schema itself or, where it refers to others, those."""
    if "$ref" in place:
        yield from _alternatives(_schema()["$defs"][place["$ref"].removeprefix("#/$defs/")])
    for one in (*place.get("anyOf", ()), *place.get("oneOf", ())):
        yield from _alternatives(one)
    if "properties" in place or "items" in place:
        yield place


@cache
def _schema() -> Schema:
    return ProgramDocument.model_json_schema()


def _missing_translations(document: ProgramDocument) -> Iterator[Finding]:
    """Names that a member does not see in their language, though the program speaks it."""
    named: list[tuple[str, Named]] = [("", document)]
    named += [
        (f"{field}.{place}", part)
        for field in ("wallets", "campaigns", "earn_rules", "tiers", "ladders", "rewards")
        for place, part in named_parts(getattr(document, field))
        if part.name is not None
    ]
    for prefix, part in named:
        texts = part.translations.languages if part.translations else ()
        missing = [language for language in document.locales[1:] if language not in texts]
        if missing:
            yield Finding(
                f"{prefix}translations",
                f"'{part.name}' has no translation into {', '.join(missing)}; members who read that see '{part.name}'",
            )
