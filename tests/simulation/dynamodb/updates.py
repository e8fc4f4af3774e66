"""Update expressions: SET, REMOVE, ADD and DELETE. Every operand is read from the item as it was before."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from tests.simulation.dynamodb.errors import Refused, invalid
from tests.simulation.dynamodb.syntax import Element, Literal, Parser, Path, Scope, found
from tests.simulation.dynamodb.values import SETS, Item, Value, added, copied, copied_item, kind_of, normal

_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_WRONG_PATH = "The document path provided in the update expression is invalid for update"


class Term(Protocol):
    """What SET assigns."""

    def value(self, before: Item, scope: Scope) -> Value: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """An attribute or a literal."""

    operand: Path | Literal

    def value(self, before: Item, scope: Scope) -> Value:
        value = self.operand.find(before, scope)
        if value is None:
            raise invalid("The provided expression refers to an attribute that does not exist in the item")
        return copied(value)


@dataclass(frozen=True, slots=True)
class IfNotExists:
    path: Path
    default: Term

    def value(self, before: Item, scope: Scope) -> Value:
        value, default = self.path.find(before, scope), self.default.value(before, scope)
        return default if value is None else copied(value)


@dataclass(frozen=True, slots=True)
class Sum:
    left: Term
    sign: int
    right: Term

    def value(self, before: Item, scope: Scope) -> Value:
        left, right = self.left.value(before, scope), self.right.value(before, scope)
        if kind_of(left) != "N" or kind_of(right) != "N":
            raise invalid(_WRONG_TYPE)
        return {"N": added(left["N"], right["N"], self.sign)}


@dataclass(frozen=True, slots=True)
class ListAppend:
    first: Term
    second: Term

    def value(self, before: Item, scope: Scope) -> Value:
        first, second = self.first.value(before, scope), self.second.value(before, scope)
        if kind_of(first) != "L" or kind_of(second) != "L":
            raise invalid(_WRONG_TYPE)
        return {"L": first["L"] + second["L"]}


@dataclass(frozen=True, slots=True)
class Update:
    """One parsed update expression; the clauses are disjoint, so their order does not matter."""

    assigned: tuple[tuple[Path, Term], ...] = ()
    removed: tuple[Path, ...] = ()
    increased: tuple[tuple[Path, Literal], ...] = ()
    reduced: tuple[tuple[Path, Literal], ...] = ()
    placeholders: frozenset[str] = frozenset()

    def check(self, scope: Scope, keys: tuple[str, ...]) -> None:
        """Refuses what no item could take: overlapping paths, the item's key, a literal of a wrong type."""
        paths = [path.resolved(scope) for path in self._paths()]
        for place, path in enumerate(paths):
            if path[0] in keys:
                message = f"Cannot update attribute {path[0]}. This attribute is part of the key"
                raise invalid(f"One or more parameter values were invalid: {message}")
            if any(path[: len(other)] == other[: len(path)] for other in paths[:place]):
                raise invalid("Invalid UpdateExpression: Two document paths overlap with each other")
        for literals, kinds in ((self.increased, SETS | {"N"}), (self.reduced, SETS)):
            if any(kind_of(scope.values[literal.placeholder]) not in kinds for _, literal in literals):
                raise invalid("Invalid UpdateExpression: Incorrect operand type for operator or function")

    def applied(self, before: Item, scope: Scope) -> Item:
        """The item after the update; ``before`` is left as it was."""
        after = copied_item(before)
        values = [(path.resolved(scope), term.value(before, scope)) for path, term in self.assigned]
        # Places beyond the end of a list append to it in the order of their numbers.
        for path, value in sorted(values, key=lambda pair: _list_place(pair[0])):
            _assign(after, path, value)
        for path, literal in ((path.resolved(scope), literal) for path, literal in self.increased):
            _assign(after, path, _increased(found(before, path), scope.values[literal.placeholder]))
        for path, literal in ((path.resolved(scope), literal) for path, literal in self.reduced):
            left = _reduced(found(before, path), scope.values[literal.placeholder])
            if left is None:
                _remove(after, path)
            else:
                _assign(after, path, left)
        # From the end, so that what is removed does not move what is still to be removed.
        for path in sorted((path.resolved(scope) for path in self.removed), key=_list_place, reverse=True):
            _remove(after, path)
        return after

    def _paths(self) -> list[Path]:
        pairs = [*self.assigned, *self.increased, *self.reduced]
        return [*(path for path, _ in pairs), *self.removed]


@lru_cache(maxsize=4096)
def parse_update(text: str) -> Update:
    """The meaning of an update expression.

    Raises:
        Refused: DynamoDB would not take it either.
    """
    return _UpdateParser(text).update()


class _UpdateParser(Parser):
    def update(self) -> Update:
        assigned: list[tuple[Path, Term]] = []
        removed: list[Path] = []
        changed: dict[str, list[tuple[Path, Literal]]] = {"ADD": [], "DELETE": []}
        seen: set[str] = set()
        while (clause := self.token.keyword) in {"SET", "REMOVE", *changed} and clause not in seen:
            seen.add(self.advance().keyword)
            while True:
                path = self.path()
                if clause == "SET":
                    self.expect("=")
                    assigned.append((path, self._value()))
                elif clause == "REMOVE":
                    removed.append(path)
                else:
                    changed[clause].append((path, self._literal()))
                if not self.accept(","):
                    break
        self.end()
        return Update(
            tuple(assigned),
            tuple(removed),
            tuple(changed["ADD"]),
            tuple(changed["DELETE"]),
            frozenset(self.placeholders),
        )

    def _value(self) -> Term:
        if self.accept("("):
            value = self._value()
            self.expect(")")
            return value
        left = self._term()
        if self.token.text in {"+", "-"}:
            sign = 1 if self.advance().text == "+" else -1
            return Sum(left, sign, self._term())
        return left

    def _term(self) -> Term:
        if self.at_literal():
            return Reading(self.literal())
        if not self.at_function():
            return Reading(self.path())
        function = self.advance().text
        self.expect("(")
        if function == "if_not_exists":
            path = self.path()
            self.expect(",")
            made: Term = IfNotExists(path, self._term())
        elif function == "list_append":
            first = self._term()
            self.expect(",")
            made = ListAppend(first, self._term())
        else:
            raise invalid(f"Invalid UpdateExpression: Invalid function name; function: {function}")
        self.expect(")")
        return made

    def _literal(self) -> Literal:
        if not self.at_literal():
            raise self.error()
        return self.literal()


def _list_place(path: tuple[Element, ...]) -> int:
    return path[-1] if isinstance(path[-1], int) else -1


def _increased(before: Value | None, by: Value) -> Value:
    if before is None:
        return copied(by)
    kind = kind_of(before)
    if kind != kind_of(by):
        raise invalid(_WRONG_TYPE)
    if kind == "N":
        return {"N": added(before["N"], by["N"])}
    return normal({kind: list({*before[kind], *by[kind]})})


def _reduced(before: Value | None, by: Value) -> Value | None:
    if before is None:
        return None
    kind = kind_of(before)
    if kind != kind_of(by):
        raise invalid(_WRONG_TYPE)
    left = [member for member in before[kind] if member not in by[kind]]
    return {kind: left} if left else None


def _parent(item: Item, path: tuple[Element, ...]) -> Value:
    parent = found(item, path[:-1])
    if parent is None or ("L" if isinstance(path[-1], int) else "M") not in parent:
        raise _wrong_path()
    return parent


def _assign(item: Item, path: tuple[Element, ...], value: Value) -> None:
    last, parent = path[-1], _parent(item, path)
    if isinstance(last, str):
        parent["M"][last] = value
    elif last < len(parent["L"]):
        parent["L"][last] = value
    else:
        parent["L"].append(value)


def _remove(item: Item, path: tuple[Element, ...]) -> None:
    last, parent = path[-1], _parent(item, path)
    if isinstance(last, str):
        parent["M"].pop(last, None)
    elif last < len(parent["L"]):
        del parent["L"][last]


def _wrong_path() -> Refused:
    return invalid(_WRONG_PATH)
