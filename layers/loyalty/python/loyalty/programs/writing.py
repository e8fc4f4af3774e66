"""How a program document is written down: without what says nothing, so that older functions can read it too.

A command line is often newer than the functions of a stage, and a document is refused whole for one field that its
reader does not know. A field of which the document makes no use is therefore not written: None, or an empty collection,
where that is what the field is without being written. Any other default is written. It may be another in a later
version, and what was published must not change with it.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from loyalty.core.errors import Invalid, MalformedJson

MAX_DEPTH: Final = 20
"""How deep the parts of a draft may lie in each other."""
Unsaid = dict[str | int, Any]
"""What is left out, by name or place, as pydantic takes it: True for the whole of a part, or what of it."""


def as_stored(document: BaseModel) -> str:
    """The document as JSON, without what says nothing. Equal documents are the same text, however they were given."""
    unsaid: Any = _unsaid_of(document)
    return document.model_dump_json(exclude=unsaid)


def _unsaid(value: Any) -> Unsaid:
    if isinstance(value, BaseModel):
        return _unsaid_of(value)
    if isinstance(value, Mapping):
        return _nested(value.items())
    if isinstance(value, tuple | list):
        return _nested(enumerate(value))
    return {}


def _unsaid_of(part: BaseModel) -> Unsaid:
    fields = {name: (getattr(part, name), field) for name, field in type(part).model_fields.items()}
    silent: Unsaid = {name: True for name, (value, field) in fields.items() if _says_nothing(value, field)}
    return silent | _nested((name, value) for name, (value, _) in fields.items() if name not in silent)


def _nested(parts: Any) -> Unsaid:
    found = ((name, _unsaid(value)) for name, value in parts)
    return {name: unsaid for name, unsaid in found if unsaid}


def _says_nothing(value: Any, field: FieldInfo) -> bool:
    nothing = value is None or (isinstance(value, Collection) and not isinstance(value, str) and not value)
    return nothing and not field.is_required() and bool(value == field.get_default(call_default_factory=True))


def draft_text(body: str) -> str:
    """The JSON object of a request's body as it is kept: decimals as text, nothing else changed.

    Raises:
        MalformedJson: it has text that is no Unicode.
        Invalid: its parts lie too deep in each other.
    """
    content = json.loads(body, parse_float=str)
    if _too_deep(content, MAX_DEPTH):
        raise Invalid(f"The document has parts within parts more than {MAX_DEPTH} deep.", pointer="")
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedJson("The document has an unpaired surrogate, which is no Unicode.") from None
    return text


def _too_deep(value: Any, levels: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_too_deep(part, levels - 1) for part in parts)
