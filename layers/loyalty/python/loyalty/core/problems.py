"""The one map from what can go wrong to RFC 9457 problem details.

``type`` is a stable URN, ``code`` its last part; ``title`` never changes for a code, ``detail`` says what to do now.
No problem repeats what the caller sent, be it a value or the name of a field that is none: it may be an address. The
mistakes of a program document do: it is the business's own text, and names nobody.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected
from pydantic import BaseModel, Field

from loyalty.core import errors
from loyalty.core.table import TransactionRefused

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:problem-type:loyalty:"

INTERNAL: Final = "internal_error"
RETRY_AFTER_SECONDS: Final = 1
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
"""What a declared field or a platform is called. Whatever else stands for a name is not repeated."""

MAX_FIELDS: Final = 20
"""Invalid fields named in one answer."""

STATUS: Final[Mapping[type[errors.LoyaltyError], int]] = {
    errors.LoyaltyError: 422,
    errors.MalformedJson: 400,
    errors.InvalidHeader: 400,
    errors.IdempotencyKeyRequired: 400,
    errors.InvalidCursor: 400,
    errors.Unauthenticated: 401,
    errors.Missing: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.Stale: 412,
    errors.BodyTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.Invalid: 422,
    errors.Unacceptable: 422,
    errors.PreconditionRequired: 428,
    errors.Unavailable: 503,
}
"""The status of a class of errors, unless a subclass has its own."""

_RETRYABLE: Final = frozenset({errors.Unavailable.code, errors.WalletBusy.code})
"""Codes after which the very same request may be sent again."""

_THROTTLED: Final = frozenset(
    {
        "InternalServerError",
        "KMSInternalException",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""Codes of AWS services that pass by themselves."""

_MISSING_BY_PATH: Final[Mapping[str, type[errors.Missing]]] = {
    "program": errors.ProgramNotFound,
    "member_id": errors.MemberNotFound,
    "redemption_id": errors.RedemptionNotFound,
    "reward_id": errors.RewardNotFound,
    "adjustment_id": errors.AdjustmentNotFound,
    "household_id": errors.HouseholdNotFound,
    "version": errors.VersionNotFound,
}
"""An identifier in the path that cannot be one names nothing: 404, as for one that could."""


class FieldProblem(BaseModel):
    """One thing that is wrong with the request, and where: a pointer into the body, a query parameter or a header."""

    pointer: str | None = Field(default=None, description="JSON pointer (RFC 6901) into the request body.")
    parameter: str | None = Field(default=None, description="Name of the query parameter.")
    header: str | None = Field(default=None, description="Name of the header.")
    code: str = Field(description="What is wrong, for programs.")
    detail: str = Field(description="What to send instead, for people.")


class ProblemBody(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Names the kind of problem for ever.", examples=[f"{TYPE_PREFIX}member_not_found"])
    title: str = Field(description="The kind of problem in a few words; the same for every occurrence.")
    status: int = Field(description="The HTTP status code.")
    detail: str = Field(description="What went wrong this time, and what to do.")
    code: str = Field(description="The last part of `type`, for programs to compare.")
    instance: str = Field(description="This occurrence: the request's id, to quote when asking for help.")
    errors: list[FieldProblem] | None = Field(default=None, description="Each invalid field.")


@dataclass(frozen=True, slots=True)
class Problem:
    """What to answer: an RFC 9457 body without its ``instance``, and headers."""

    status: int
    code: str
    detail: str
    fields: Sequence[FieldProblem] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON object to send."""
        return ProblemBody(
            type=TYPE_PREFIX + self.code,
            title=title(self.code),
            status=self.status,
            detail=self.detail,
            code=self.code,
            instance=f"urn:request:{request_id}",
            errors=list(self.fields) or None,
        ).model_dump(exclude_none=True)


def title(code: str) -> str:
    """The title of a code: ``member_not_found`` → ``Member not found``."""
    return code.replace("_", " ").capitalize().replace(" json", " JSON")


def status_of(kind: type[errors.LoyaltyError]) -> int:
    """The HTTP status of an error class: its own, or that of the nearest class above it."""
    return next(STATUS[base] for base in kind.__mro__ if base in STATUS)


def of(error: Exception) -> Problem:
    """The problem that an exception is; 500 ``internal_error`` for one that nobody foresaw."""
    if isinstance(error, errors.LoyaltyError):
        return _named(error)
    if _is_unavailable(error):
        return _named(errors.Unavailable("A service that this one needs is busy; send the same request again."))
    return Problem(500, INTERNAL, "This is our fault. It was logged under the request's id; try again later.")


def of_validation(found: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem of a request that does not fit its schema, from pydantic's errors (``loc``, ``type``, ``msg``).

    A path that names nothing comes first (404), then a bad header (400), then every invalid field at once (422).
    """
    by_place: dict[str, list[Mapping[str, Any]]] = {"path": [], "header": []}
    for one in found:
        by_place.setdefault(str(one["loc"][0]), []).append(one)
    for name, missing in _MISSING_BY_PATH.items():
        if any(one["loc"][1] == name for one in by_place["path"]):
            return _named(missing(f"The {name} in the path names nothing that this client may see."))
    for one in by_place["path"]:
        return _named(errors.RouteNotFound(f"The {one['loc'][1]} in the path names nothing that there could be."))
    for one in by_place["header"]:
        return _header_problem(one)
    fields = _distinct(map(_field_problem, found))[:MAX_FIELDS]
    places = ", ".join(sorted({one.pointer or one.parameter or "the body" for one in fields}))
    return Problem(status_of(errors.Invalid), errors.Invalid.code, f"Correct {places} and send it again.", fields)


def _named(error: errors.LoyaltyError) -> Problem:
    status = status_of(type(error))
    places = [] if error.pointer is None else [(error.pointer, error.detail)]
    if isinstance(error, errors.DocumentInvalid):
        places += error.mistakes
    fields = [FieldProblem(pointer=pointer, code=error.code, detail=detail) for pointer, detail in places]
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if error.code in _RETRYABLE else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Problem(status, error.code, error.detail, fields, headers)


def _header_problem(error: Mapping[str, Any]) -> Problem:
    name = "-".join(part.capitalize() for part in str(error["loc"][1]).split("-"))
    absent = error["type"] == "missing"
    if name == "Idempotency-Key" and absent:
        kind: type[errors.Invalid] = errors.IdempotencyKeyRequired
        detail = "Send an Idempotency-Key header: a value of your own, new for each operation, the same for a retry."
    else:
        kind = errors.InvalidHeader
        detail = f"Send the header {name}." if absent else f"The header {name} is not valid: {_advice(error)}"
    return Problem(status_of(kind), kind.code, detail, (FieldProblem(header=name, code=error["type"], detail=detail),))


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    place, *path = error["loc"]
    if place == "query":
        return FieldProblem(parameter=str(path[0]), code=error["type"], detail=_advice(error))
    pointer = "".join(f"/{part}" for part in _sayable(path, error["type"]))
    return FieldProblem(pointer=pointer, code=error["type"], detail=_advice(error))


def _sayable(path: Sequence[str | int], kind: str) -> Sequence[str | int]:
    """The path, or the nearest one above it that has no name in it which the caller made up."""
    if kind == "extra_forbidden":
        path = path[:-1]
    elif path and path[-1] == "[key]":  # pydantic's mark for the name of a field, where its value is not what is wrong
        path = path[:-2]
    return list(takewhile(lambda part: isinstance(part, int) or _NAME.fullmatch(part) is not None, path))


def _distinct(fields: Iterable[FieldProblem]) -> tuple[FieldProblem, ...]:
    """Without repetitions: of two made-up names the problem is the same."""
    return tuple({(one.pointer, one.parameter, one.code): one for one in fields}.values())


_ADVICE: Final[Mapping[str, str]] = {
    "missing": "This is required.",
    "extra_forbidden": "It has a field that is none of the request's; leave that out. docs/openapi.json lists those that are.",
    "model_attributes_type": "Send a JSON object.",
    "model_type": "Send a JSON object.",
    "int_from_float": "Send a whole number.",
    "string_type": "Send a string.",
    "union_tag_invalid": "Send one of the documented kinds.",
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "Send a day as year-month-day, such as 2026-11-22.",
    ),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"),
        "Send a moment with its offset (RFC 3339), such as 2026-11-22T09:30:00Z.",
    ),
    "string_unicode": "Send valid Unicode: an unpaired surrogate is none.",
}


def _advice(error: Mapping[str, Any]) -> str:
    """What to send instead. Pydantic's messages name the rule; the rare ones that repeat the input are not used."""
    kind = str(error["type"])
    if kind in _ADVICE:
        return _ADVICE[kind]
    message = str(error["msg"]).removeprefix("Value error, ")
    given = error.get("input")
    repeats = isinstance(given, str) and len(given) > 3 and given in message
    return "Send a valid value." if repeats else message.rstrip(".") + "."


def _is_unavailable(error: BaseException | None) -> bool:
    """Whether this is AWS being throttled, busy or out of reach. pynamodb keeps botocore's error in ``cause``."""
    if isinstance(error, TransactionRefused):
        return error.contended
    if isinstance(error, ClientError):
        reasons = [reason for reason in getattr(error, "cancellation_reasons", ()) if reason is not None]
        codes = {reason.code for reason in reasons} | {error.response["Error"].get("Code", "")}
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or bool(codes & _THROTTLED)
    if isinstance(error, HTTPClientError | NotConnected):
        return True
    cause = getattr(error, "cause", None)
    return isinstance(cause, Exception) and _is_unavailable(cause)
