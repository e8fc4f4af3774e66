"""The grammar of condition, filter and key expressions."""

from dataclasses import dataclass
from functools import lru_cache

from tests.simulation.dynamodb.errors import invalid
from tests.simulation.dynamodb.predicates import (
    SIGNS,
    All,
    BeginsWith,
    Between,
    Compare,
    Condition,
    Contains,
    Exists,
    In,
    Not,
    OfType,
    Operand,
    Size,
    Some,
)
from tests.simulation.dynamodb.syntax import Literal, Parser


@dataclass(frozen=True, slots=True)
class Parsed:
    """A condition, the placeholders in it, and the attributes (or their placeholders) that it is about."""

    condition: Condition
    placeholders: frozenset[str]
    attributes: frozenset[str]


@lru_cache(maxsize=4096)
def parse_condition(text: str) -> Parsed:
    """The meaning of a condition, filter or key condition expression.

    Raises:
        Refused: DynamoDB would not take it either.
    """
    parser = _ConditionParser(text)
    condition = parser.some()
    parser.end()
    return Parsed(condition, frozenset(parser.placeholders), frozenset(parser.attributes))


class _ConditionParser(Parser):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._parentheses = (-1, -1)
        """Where the last pair opened and closed."""

    def some(self) -> Condition:
        parts = [self._all()]
        while self.accept("OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._negated()]
        while self.accept("AND"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _negated(self) -> Condition:
        return Not(self._negated()) if self.accept("NOT") else self._single()

    def _single(self) -> Condition:
        opened = self.place
        if self.accept("("):
            inner = self.some()
            if self._parentheses == (opened + 1, self.place):
                raise invalid("Invalid expression: The expression has redundant parentheses;")
            self.expect(")")
            self._parentheses = (opened, self.place)
            return inner
        if self.at_function() and self.token.text != "size":
            return self._function()
        return self._comparison()

    def _function(self) -> Condition:
        name = self.advance().text
        self.expect("(")
        if name in {"attribute_exists", "attribute_not_exists"}:
            made: Condition = Exists(self.path(), name == "attribute_exists")
        else:
            first = self._operand()
            self.expect(",")
            second = self._distinct(first)
            if name == "begins_with":
                made = BeginsWith(first, second)
            elif name == "contains":
                made = Contains(first, second)
            elif name == "attribute_type" and isinstance(second, Literal):
                made = OfType(first, second)
            else:
                raise invalid(f"Invalid expression: Invalid function name; function: {name}")
        self.expect(")")
        return made

    def _comparison(self) -> Condition:
        left = self._operand()
        if self.accept("BETWEEN"):
            lower = self._distinct(left)
            self.expect("AND")
            return Between(left, lower, self._distinct(left))
        if self.accept("IN"):
            self.expect("(")
            choices = [self._distinct(left)]
            while self.accept(","):
                choices.append(self._distinct(left))
            self.expect(")")
            return In(left, tuple(choices))
        if self.token.text not in {"=", "<>", *SIGNS}:
            raise self.error()
        return Compare(self.advance().text, left, self._distinct(left))

    def _operand(self) -> Operand:
        if self.at_literal():
            return self.literal()
        if self.at_function():
            self.expect("SIZE")
            self.expect("(")
            size = Size(self.path())
            self.expect(")")
            return size
        return self.path()

    def _distinct(self, first: Operand) -> Operand:
        operand = self._operand()
        if operand == first and not isinstance(operand, Literal):
            raise invalid("Invalid expression: The first operand must be distinct from the remaining operands")
        return operand
