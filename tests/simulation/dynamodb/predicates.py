"""What conditions mean for an item; :mod:`tests.simulation.dynamodb.conditions` reads them from text."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tests.simulation.dynamodb.errors import invalid
from tests.simulation.dynamodb.syntax import Literal, Path, Scope
from tests.simulation.dynamodb.values import KINDS, ORDERED, SETS, Item, Value, kind_of, ordered

SIGNS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Operand(Protocol):
    def find(self, item: Item, scope: Scope) -> Value | None: ...


class Condition(Protocol):
    def holds(self, item: Item, scope: Scope) -> bool: ...

    def check(self, scope: Scope) -> None:
        """Refuses literals that can never be meant, whatever the item."""


@dataclass(frozen=True, slots=True)
class Size:
    """``size(path)``: characters, bytes or members."""

    path: Path

    def find(self, item: Item, scope: Scope) -> Value | None:
        value = self.path.find(item, scope)
        if value is None or kind_of(value) in {"N", "BOOL", "NULL"}:
            return None
        (content,) = value.values()
        return {"N": str(len(content.encode() if isinstance(content, str) else content))}


@dataclass(frozen=True, slots=True)
class Compare:
    """``left sign right``; an attribute that is not there equals nothing and is unequal to everything."""

    sign: str
    left: Operand
    right: Operand

    def holds(self, item: Item, scope: Scope) -> bool:
        left, right = self.left.find(item, scope), self.right.find(item, scope)
        if self.sign == "=":
            return left is not None and left == right
        if self.sign == "<>":
            return left is None or left != right
        return _in_order(self.sign, left, right)

    def check(self, scope: Scope) -> None:
        if self.sign in SIGNS:
            _require(self.sign, ORDERED, scope, self.left, self.right)


@dataclass(frozen=True, slots=True)
class Between:
    operand: Operand
    lower: Operand
    upper: Operand

    def holds(self, item: Item, scope: Scope) -> bool:
        value = self.operand.find(item, scope)
        lower, upper = self.lower.find(item, scope), self.upper.find(item, scope)
        return _in_order("<=", lower, value) and _in_order("<=", value, upper)

    def check(self, scope: Scope) -> None:
        _require("BETWEEN", ORDERED, scope, self.operand, self.lower, self.upper)
        if isinstance(self.lower, Literal) and isinstance(self.upper, Literal):
            lower, upper = scope.values[self.lower.placeholder], scope.values[self.upper.placeholder]
            if not _in_order("<=", lower, upper):
                raise invalid("The BETWEEN operator requires bounds of one type, in order")


@dataclass(frozen=True, slots=True)
class In:
    operand: Operand
    choices: tuple[Operand, ...]

    def holds(self, item: Item, scope: Scope) -> bool:
        value = self.operand.find(item, scope)
        return value is not None and any(value == choice.find(item, scope) for choice in self.choices)

    def check(self, scope: Scope) -> None:
        """Any literal may be meant."""


@dataclass(frozen=True, slots=True)
class Exists:
    path: Path
    wanted: bool

    def holds(self, item: Item, scope: Scope) -> bool:
        return (self.path.find(item, scope) is not None) is self.wanted

    def check(self, scope: Scope) -> None:
        """There are no literals."""


@dataclass(frozen=True, slots=True)
class OfType:
    operand: Operand
    kind: Literal

    def holds(self, item: Item, scope: Scope) -> bool:
        value = self.operand.find(item, scope)
        return value is not None and kind_of(value) == scope.values[self.kind.placeholder]["S"]

    def check(self, scope: Scope) -> None:
        if scope.values[self.kind.placeholder].get("S") not in KINDS:
            raise invalid("Invalid attribute type name found")


@dataclass(frozen=True, slots=True)
class BeginsWith:
    operand: Operand
    prefix: Operand

    def holds(self, item: Item, scope: Scope) -> bool:
        value, prefix = self.operand.find(item, scope), self.prefix.find(item, scope)
        if value is None or prefix is None or kind_of(value) != kind_of(prefix) or kind_of(value) not in {"S", "B"}:
            return False
        return bool(ordered(value).startswith(ordered(prefix)))

    def check(self, scope: Scope) -> None:
        _require("begins_with", frozenset({"S", "B"}), scope, self.operand, self.prefix)


@dataclass(frozen=True, slots=True)
class Contains:
    operand: Operand
    member: Operand

    def holds(self, item: Item, scope: Scope) -> bool:
        whole, member = self.operand.find(item, scope), self.member.find(item, scope)
        if whole is None or member is None:
            return False
        ((kind, content),) = whole.items()
        if kind == "L":
            return member in content
        wanted = kind[0] if kind in SETS else kind
        return kind in {"S", "B"} | SETS and kind_of(member) == wanted and member[wanted] in content

    def check(self, scope: Scope) -> None:
        """Any literal may be meant."""


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Condition, ...]

    def holds(self, item: Item, scope: Scope) -> bool:
        return all(part.holds(item, scope) for part in self.parts)

    def check(self, scope: Scope) -> None:
        for part in self.parts:
            part.check(scope)


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple[Condition, ...]

    def holds(self, item: Item, scope: Scope) -> bool:
        return any(part.holds(item, scope) for part in self.parts)

    def check(self, scope: Scope) -> None:
        for part in self.parts:
            part.check(scope)


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition

    def holds(self, item: Item, scope: Scope) -> bool:
        return not self.part.holds(item, scope)

    def check(self, scope: Scope) -> None:
        self.part.check(scope)


def _in_order(sign: str, left: Value | None, right: Value | None) -> bool:
    if left is None or right is None:
        return False
    kind = kind_of(left)
    return kind == kind_of(right) and kind in ORDERED and SIGNS[sign](ordered(left), ordered(right))


def _require(name: str, kinds: frozenset[str], scope: Scope, *operands: Operand) -> None:
    for operand in operands:
        if isinstance(operand, Literal) and (kind := kind_of(scope.values[operand.placeholder])) not in kinds:
            raise invalid(f"Incorrect operand type for operator or function; operator or function: {name}, {kind}")
