"""What one program document says otherwise than another: by path, and in words for people. Pure.

Lists whose parts have an id (rules, tiers, rewards, wallets) or a currency (rates) are compared part by part under it,
wherever each stands; another order of the same parts is a change of its own. Other lists are compared whole. A field
that is null and one that is not there are the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from pydantic_core import to_jsonable_python

from loyalty.programs.model import ProgramDocument

MOST_TOLD: Final = 3
"""Changes that a summary spells out."""
_TEXT_LIMIT: Final = 160
_KEYS: Final = ("id", "currency")
"""Fields by which a part of a list may be told from the others; the first one that all parts have."""
_NOUNS: Final[Mapping[str, str]] = {"rates": "rate for"}
"""What a part of a list is called, where it is not the list's name without its ``s``."""


class ChangeKind(StrEnum):
    """What happened at a path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class Part:
    """A step of a path: the part of a list that has this id."""

    id: str


Path = tuple[str | Part, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``before`` and ``after`` are JSON values.

    There is none on one side where something was added or removed; they are the ids in their order where a list was
    reordered.
    """

    path: Path
    kind: ChangeKind
    before: Any = None
    after: Any = None
    said: Any = None
    """What was added or removed without what is at its default, where it is an object: for words."""

    @property
    def where(self) -> str:
        """The path as text, parts of lists by their id: ``tiers.gold.threshold``."""
        return ".".join(step.id if isinstance(step, Part) else step for step in self.path)

    @property
    def text(self) -> str:
        """The change in words, e.g. ``tier 'gold': threshold 2000 → 1500``."""
        *parts, last = _in_words(self.path)
        where = f"{', '.join(parts)}: " if parts else ""
        match self.kind:
            case ChangeKind.ADDED:
                return _short(f"{where}{last} added: {_value(self.said or self.after)}")
            case ChangeKind.REMOVED:
                return _short(f"{where}{last} removed: {_value(self.said or self.before)}")
            case ChangeKind.REORDERED:
                return _short(f"{where}order of {last}: {_value(self.before)} → {_value(self.after)}")
            case _:
                return _short(f"{where}{last} {_value(self.before)} → {_value(self.after)}")


def diff(before: ProgramDocument, after: ProgramDocument) -> tuple[Change, ...]:
    """Every difference, in the order of the document's fields; none where both say the same."""
    said = _content(before, defaults=False), _content(after, defaults=False)
    return tuple(_without_defaults(change, *said) for change in _objects((), _content(before), _content(after)))


def summary(changes: Sequence[Change]) -> str:
    """The changes in a line or two: the first few, and how many more there are."""
    if not changes:
        return "no change"
    told = "; ".join(change.text for change in changes[:MOST_TOLD])
    more = len(changes) - MOST_TOLD
    return told if more <= 0 else f"{told}; and {more} more"


def _content(document: ProgramDocument, *, defaults: bool = True) -> dict[str, Any]:
    """The document without what is null. Decimals stay decimals: 1.5 and 1.50 are the same."""
    return document.model_dump(exclude_none=True, exclude_defaults=not defaults)


def _without_defaults(change: Change, before: Any, after: Any) -> Change:
    """What was added or removed, in words without its fields that are as they would be if nobody said anything."""
    if change.kind is ChangeKind.ADDED and isinstance(change.after, dict):
        return replace(change, said=to_jsonable_python(_at(after, change.path)))
    if change.kind is ChangeKind.REMOVED and isinstance(change.before, dict):
        return replace(change, said=to_jsonable_python(_at(before, change.path)))
    return change


def _at(content: Any, path: Path) -> Any:
    """What is at a path of a document."""
    for step in path:
        if isinstance(step, Part):
            key = next(key for key in _KEYS if any(part.get(key) == step.id for part in content))
            (part,) = (part for part in content if part.get(key) == step.id)
            content = {name: value for name, value in part.items() if name != key}
        else:
            content = content[step]
    return content


def _objects(
    path: Path, before: Mapping[str, Any], after: Mapping[str, Any], *, parts: bool = False
) -> Iterator[Change]:
    for name in (*before, *(name for name in after if name not in before)):
        here = (*path, Part(name) if parts else name)
        if name not in after:
            yield _change(here, ChangeKind.REMOVED, before=before[name])
        elif name not in before:
            yield _change(here, ChangeKind.ADDED, after=after[name])
        else:
            yield from _values(here, before[name], after[name])


def _values(path: Path, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    key = _key_of(before, after)
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _objects(path, before, after)
    elif key is not None:
        yield from _parts(path, _by(key, before), _by(key, after))
    else:
        yield _change(path, ChangeKind.CHANGED, before, after)


def _parts(path: Path, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    yield from _objects(path, before, after, parts=True)
    kept = [name for name in before if name in after]
    added = [name for name in after if name not in before]
    if list(after) != kept + added:
        yield _change(path, ChangeKind.REORDERED, list(before), list(after))


def _change(path: Path, kind: ChangeKind, before: Any = None, after: Any = None) -> Change:
    return Change(path, kind, to_jsonable_python(before), to_jsonable_python(after))


def _key_of(before: Any, after: Any) -> str | None:
    """The field that tells the parts of two lists from each other; None where there is none."""
    if not isinstance(before, tuple | list) or not isinstance(after, tuple | list):
        return None
    if not all(isinstance(part, dict) for part in (*before, *after)):
        return None
    return next((key for key in _KEYS if _tells_apart(key, before) and _tells_apart(key, after)), None)


def _tells_apart(key: str, parts: Sequence[dict[str, Any]]) -> bool:
    names = [part.get(key) for part in parts]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _by(key: str, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {part[key]: {name: value for name, value in part.items() if name != key} for part in parts}


def _in_words(path: Path) -> list[str]:
    """``earn_rules``, part ``shop``, ``rates``, part ``EUR``, ``points``: earn rule 'shop', rate for 'EUR', points."""
    words: list[str] = []
    collection = ""
    for step in path:
        if isinstance(step, Part):
            noun = _NOUNS.get(collection) or collection.replace("_", " ").removesuffix("s")
            words[-1] = f"{noun} '{step.id}'"
        else:
            collection = step
            words.append(step.replace("_", " "))
    return words


def _value(value: Any) -> str:
    """A JSON value as somebody would say it."""
    if isinstance(value, dict):
        said = {name: part for name, part in value.items() if part != []}
        return ", ".join(f"{name.replace('_', ' ')} {_value(part)}" for name, part in said.items())
    if isinstance(value, list):
        parts = [f"({_value(part)})" if isinstance(part, dict) else _value(part) for part in value]
        return ", ".join(parts) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _short(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 1]}…"
