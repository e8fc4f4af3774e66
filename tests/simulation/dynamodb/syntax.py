"""What every expression of DynamoDB is made of: tokens, document paths, placeholders, and the scope that fills them.

moto has parsers for the same expressions. They bind the values while they parse, which costs some 150 microseconds each
time; these parse each text once, and what it means is looked up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from tests.simulation.dynamodb.errors import Refused, invalid
from tests.simulation.dynamodb.values import Item, Value, normal

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<placeholder>[#:][A-Za-z0-9_]+)|(?P<word>[A-Za-z][A-Za-z0-9_]*)|(?P<number>[0-9]+)"
    r"|(?P<sign><=|>=|<>|[=<>(),.\[\]+-]))"
)
_RESERVED: Final = frozenset(ReservedKeywords.get_reserved_keywords())
_NAME: Final = re.compile(r"#[A-Za-z0-9_]+")
Element = str | int
"""One step into a document: a name (or its placeholder), or a place in a list."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str

    @property
    def keyword(self) -> str:
        """The word in upper case: keywords may be written in either, functions may not."""
        return self.text.upper() if self.kind == "word" else ""


_END: Final = Token("end", "<EOF>")


class Scope:
    """The names and values that a request gives for the placeholders of its expressions."""

    __slots__ = ("names", "values")

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.names: Mapping[str, str] = request.get("ExpressionAttributeNames", {})
        given: Mapping[str, Mapping[str, Any]] = request.get("ExpressionAttributeValues", {})
        self.values: dict[str, Value] = {name: normal(value) for name, value in given.items()}

    def require_used(self, placeholders: frozenset[str]) -> None:
        """Every placeholder of the expressions is given, and none beside them."""
        given = {*self.names, *self.values}
        if missing := placeholders - given:
            raise invalid(f"An expression attribute used in expression is not defined; {sorted(missing)}")
        if unused := given - placeholders:
            raise invalid(f"Value provided in expression attributes unused in expressions: keys: {sorted(unused)}")
        if any(not _NAME.fullmatch(name) for name in self.names):
            raise invalid("ExpressionAttributeNames contains invalid key: Syntax error")


@dataclass(frozen=True, slots=True)
class Path:
    """A document path such as ``#0.#1[2]``."""

    elements: tuple[Element, ...]

    def resolved(self, scope: Scope) -> tuple[Element, ...]:
        """With names in the place of their placeholders."""
        names = scope.names
        return tuple(
            names[element] if isinstance(element, str) and element[0] == "#" else element for element in self.elements
        )

    def find(self, item: Item, scope: Scope) -> Value | None:
        """The value there, or None."""
        return found(item, self.resolved(scope))


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that the request gives, such as ``:0``."""

    placeholder: str

    def find(self, item: Item, scope: Scope) -> Value | None:  # noqa: ARG002 -- as every operand
        """The value."""
        return scope.values[self.placeholder]


def found(item: Item, path: tuple[Element, ...]) -> Value | None:
    """The value at the end of a resolved path, or None."""
    value: Value | None = {"M": item}
    for element in path:
        if isinstance(element, str):
            value = None if value is None else value.get("M", {}).get(element)
        else:
            members = [] if value is None else value.get("L", [])
            value = members[element] if element < len(members) else None
        if value is None:
            return None
    return value


class Parser:
    """Reads tokens from the left; what the expressions have in common."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.place = 0
        self.placeholders: set[str] = set()
        self.attributes: set[str] = set()
        """The attributes, or their placeholders, that paths begin with."""

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def at_function(self) -> bool:
        """Whether a name and an opening parenthesis come next."""
        return self.token.kind == "word" and self.tokens[self.place + 1].text == "("

    def advance(self) -> Token:
        token = self.token
        self.place += 1
        return token

    def accept(self, text: str) -> bool:
        """Goes past the sign or keyword, if it is the next token."""
        if text in {self.token.text, self.token.keyword}:
            self.place += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.error()

    def error(self) -> Refused:
        return invalid(f'Invalid expression: Syntax error; token: "{self.token.text}"')

    def end(self) -> None:
        if self.token is not _END:
            raise self.error()

    def literal(self) -> Literal:
        token = self.advance()
        self.placeholders.add(token.text)
        return Literal(token.text)

    def at_literal(self) -> bool:
        return self.token.text[0] == ":"

    def path(self) -> Path:
        """``name``, ``#0``, ``#0.name[3]`` and so on."""
        elements: list[Element] = [self._name()]
        self.attributes.add(str(elements[0]))
        while True:
            if self.accept("."):
                elements.append(self._name())
            elif self.accept("["):
                if self.token.kind != "number":
                    raise self.error()
                elements.append(int(self.advance().text))
                self.expect("]")
            else:
                return Path(tuple(elements))

    def _name(self) -> str:
        if self.token.text[0] == "#":
            self.placeholders.add(self.token.text)
        elif self.token.kind != "word":
            raise self.error()
        elif self.token.keyword in _RESERVED:
            raise invalid(
                f"Invalid expression: Attribute name is a reserved keyword; reserved keyword: {self.token.text}"
            )
        return self.advance().text


def _tokens(text: str) -> list[Token]:
    tokens, place, text = [], 0, text.rstrip()
    if not text:
        raise invalid("Invalid expression: The expression can not be empty;")
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise invalid(f'Invalid expression: Syntax error; near: "{text[place : place + 10]}"')
        tokens.append(Token(match.lastgroup or "", match[match.lastgroup or 0]))
        place = match.end()
    return [*tokens, _END]
