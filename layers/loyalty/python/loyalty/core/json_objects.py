"""JSON that everybody reads alike: one object, no name twice, nothing that is no JSON number, and not too deep."""

import json
from typing import Any, Final, NoReturn

from loyalty.core.errors import Invalid, JsonTooDeep, MalformedJson

MAX_DEPTH: Final = 32
"""Objects and lists of a body inside each other. Of all that is sent, a program's document goes deepest, to 20 at most."""


def parse_object(text: str) -> dict[str, Any]:
    """The JSON object that a body is.

    Raises:
        MalformedJson: not JSON, or JSON that two readers may understand in two ways (a name twice, NaN).
        JsonTooDeep: objects and lists inside each other beyond :data:`MAX_DEPTH`.
        Invalid: JSON, but not an object.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unambiguous, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise MalformedJson(f"The body is not valid JSON at character {error.pos}.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        # int() refuses numbers of thousands of digits
        raise MalformedJson("The body is not valid JSON: a number in it is too long.") from None
    _require_shallow(value)
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object.", pointer="")
    return value


def _require_shallow(value: object) -> None:
    """Level by level, so that no depth is too much for looking at it."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner = [part for part in level if isinstance(part, dict | list)]
        if not inner:
            return
        level = [child for part in inner for child in (part.values() if isinstance(part, dict) else part)]
    raise _too_deep()


def _too_deep() -> JsonTooDeep:
    return JsonTooDeep(f"The body has more than {MAX_DEPTH} objects and lists inside each other; send a flatter one.")


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedJson("The body is ambiguous: an object in it has two fields of one name.")
    return fields


def _no_constant(_name: str) -> NoReturn:
    raise MalformedJson("The body is not valid JSON: NaN and Infinity are no JSON numbers.")
