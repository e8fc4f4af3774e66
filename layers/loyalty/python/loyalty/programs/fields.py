"""What the parts of a program document are made of."""

import re
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NaiveDatetime,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from loyalty.core.money import MINOR_UNITS

MAX_POINTS: Final = 1_000_000_000
"""Points in one posting, and in one reward's price."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is not an IANA time zone; name one such as Europe/Rome") from error
    return name


def _known_currency(code: str) -> str:
    if code not in MINOR_UNITS:
        raise ValueError(f"'{code}' is not an ISO 4217 currency; name one such as USD")
    return code


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
CurrencyCode = Annotated[str, AfterValidator(_known_currency)]
ShopDomain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com$")]
PositivePoints = Annotated[int, Field(strict=True, gt=0, le=MAX_POINTS)]
PointsOrZero = Annotated[int, Field(strict=True, ge=0, le=MAX_POINTS)]


Period = Literal["day", "week", "month", "year", "ever"]

_LOCAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")


def _local_text(value: Any) -> Any:
    if isinstance(value, str) and not _LOCAL.fullmatch(value):
        raise ValueError("give a date and time by the program's own clocks, without an offset: 2026-11-27T00:00")
    return value


LocalDatetime = Annotated[
    NaiveDatetime,
    BeforeValidator(_local_text),
    WithJsonSchema({"type": "string", "pattern": f"^{_LOCAL.pattern}$", "examples": ["2026-11-27T00:00"]}),
]
"""A date and time as clocks in the program's zone show it."""


class DocumentPart(BaseModel):
    """A part of a program document: immutable, and without fields that nobody knows.

    Its validator is built when it is first used by itself, which is rare: the whole document has one of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class WrongPart(ValueError):
    """A mistake in one part of a list. ``place`` leads from the list to what is wrong."""

    def __init__(self, message: str, *place: str | int) -> None:
        super().__init__(message)
        self.place = place


def repeated(values: list[str]) -> int | None:
    """The place of the first value that was there before, or None."""
    return next((place for place, value in enumerate(values) if value in values[:place]), None)


def twice(values: list[str]) -> str | None:
    """The first value that was there before, or None."""
    place = repeated(values)
    return None if place is None else values[place]


def mistakes(error: ValidationError) -> list[ErrorDetails]:
    """What is wrong with a document, without what only follows from it: a list is not too short for its bad items."""
    found = error.errors()
    return [
        one
        for one in found
        if one["type"] != "too_short" or not any(other["loc"][:-1][: len(one["loc"])] == one["loc"] for other in found)
    ]
