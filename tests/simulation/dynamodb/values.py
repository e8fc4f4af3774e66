"""Attribute values as they are on the wire: their one normal form, their order and their size."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from typing import Any, Final

from tests.simulation.dynamodb.errors import invalid

Value = dict[str, Any]
"""One attribute value, such as ``{"S": "text"}``."""
Item = dict[str, Value]
Orderable = Any
"""A string, a Decimal or bytes: what a key attribute is compared by."""

ITEM_BYTES: Final = 400 * 1024
_DIGITS: Final = 38
_EXACT: Final = Context(prec=400)
"""Wide enough for the sum of the largest and the smallest number."""
_USUAL: Final = re.compile(r"0|-?[1-9][0-9]{0,36}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def number(text: str) -> str:
    """A number as DynamoDB gives it back: no exponent, no sign of zero, no zeros that say nothing."""
    if _USUAL.fullmatch(text):
        return text
    if not _NUMBER.fullmatch(text):
        raise invalid("A value provided cannot be converted into a number")
    value = _EXACT.normalize(Decimal(text))
    if value.is_zero():
        return "0"
    if len(value.as_tuple().digits) > _DIGITS:
        raise invalid(f"DynamoDB only supports precision up to {_DIGITS} digits")
    if not -130 <= value.adjusted() <= 125:
        raise invalid("Number overflow or underflow: magnitude outside the supported range")
    return format(value, "f")


def added(left: str, right: str, sign: int = 1) -> str:
    """The sum of two numbers, or their difference."""
    return number(str(_EXACT.add(Decimal(left), sign * Decimal(right))))


def normal(value: Mapping[str, Any]) -> Value:
    """A copy of ``value`` in the one form that equal values share, so that ``==`` compares them.

    Raises:
        Refused: it is no attribute value.
    """
    if len(value) != 1:
        raise invalid("Supplied AttributeValue must contain exactly one of the supported datatypes")
    ((kind, content),) = value.items()
    if kind == "S":
        return {"S": content}
    if kind == "N":
        return {"N": number(content)}
    form = _FORMS.get(kind)
    if form is None:
        raise invalid(f"Supplied AttributeValue has an unknown datatype {kind}")
    return {kind: form(content)}


def normal_item(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """A copy of ``item`` with every value in its normal form."""
    if "" in item:
        raise invalid("Empty attribute name")
    return {name: normal(value) for name, value in item.items()}


def _set_of(kind: str, order: Callable[[Any], Any]) -> Callable[[Iterable[Any]], list[Any]]:
    def form(members: Iterable[Any]) -> list[Any]:
        listed = [number(member) if kind == "NS" else member for member in members]
        if not listed:
            raise invalid(f"One or more parameter values were invalid: {kind} may not be empty")
        if len(set(listed)) < len(listed):
            raise invalid("One or more parameter values were invalid: Input collection contains duplicates")
        return sorted(listed, key=order)

    return form


def _null(content: bool) -> bool:
    if content is not True:
        raise invalid(
            "One or more parameter values were invalid: Null attribute value types must have the value of true"
        )
    return True


_FORMS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "B": bytes,
    "BOOL": bool,
    "NULL": _null,
    "L": lambda content: [normal(value) for value in content],
    "M": normal_item,
    "SS": _set_of("SS", str),
    "NS": _set_of("NS", Decimal),
    "BS": _set_of("BS", bytes),
}
KINDS: Final = frozenset({"S", "N", *_FORMS})
SETS: Final = frozenset({"SS", "NS", "BS"})
ORDERED: Final = frozenset({"S", "N", "B"})


def copied(value: Value) -> Value:
    """A copy that shares nothing with what is stored."""
    ((kind, content),) = value.items()
    if kind == "M":
        return {"M": {name: copied(member) for name, member in content.items()}}
    if kind == "L":
        return {"L": [copied(member) for member in content]}
    return {kind: list(content) if kind in SETS else content}


def copied_item(item: Item) -> Item:
    """As :func:`copied`, of a whole item."""
    return {name: copied(value) for name, value in item.items()}


def kind_of(value: Value) -> str:
    """``S``, ``N``, ``M`` and so on."""
    return next(iter(value))


def ordered(value: Value) -> Orderable:
    """What a string, number or binary is compared by. UTF-8 sorts as code points do, hence as Python's strings do."""
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


def size(value: Value) -> int:
    """Bytes, as AWS documents them for the 400 KB of an item (numbers: approximately)."""
    ((kind, content),) = value.items()
    return _SIZES[kind](content)


def item_size(item: Item) -> int:
    """Bytes of an item, its attributes' names included."""
    total = 0
    for name, value in item.items():
        total += _text_size(name) + size(value)
    return total


def _text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def _number_size(text: str) -> int:
    digits = text.strip("-0.").replace(".", "")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")


_SIZES: Final[Mapping[str, Callable[[Any], int]]] = {
    "S": _text_size,
    "N": _number_size,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "L": lambda content: 3 + sum(1 + size(value) for value in content),
    "M": lambda content: 3 + len(content) + item_size(content),
    "SS": lambda content: sum(map(_text_size, content)),
    "NS": lambda content: sum(map(_number_size, content)),
    "BS": lambda content: sum(map(len, content)),
}
