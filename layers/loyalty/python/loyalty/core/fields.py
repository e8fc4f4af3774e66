"""Field types of request and response bodies, each with its limits. None of them ever accepts a float for an amount."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from loyalty.core.contacts import accepted_email, accepted_name, accepted_phone
from loyalty.core.errors import TooManyDecimals, UnknownCurrency
from loyalty.core.money import Money
from loyalty.core.pii import MAX_EMAIL

_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})\Z"
)
_YEARS: Final = range(1970, 9999)


def _rfc3339_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.match(value):
        raise ValueError("Send an RFC 3339 time with its offset, such as 2026-11-22T09:30:00Z")
    return value


def _to_utc(moment: datetime) -> datetime:
    # Near either end of the calendar a shift of zone overflows.
    if moment.year not in _YEARS:
        raise ValueError("Send a time from the year 1970 on")
    return moment.astimezone(UTC)


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("Send text without control characters")
    return text


Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=MAX_EMAIL),
    AfterValidator(accepted_email),
    Field(json_schema_extra={"format": "email"}, examples=["ada@example.com"]),
]
"""An e-mail address as a person wrote it; :func:`loyalty.core.pii.normal_email` gives the one spelling."""

Phone = Annotated[
    str,
    StringConstraints(max_length=32),
    AfterValidator(accepted_phone),
    Field(description="E.164; spaces, dashes, dots and parentheses are left out.", examples=["+393331234567"]),
]
"""A phone number that somebody can have. One spelling of it goes in."""

Locale = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$"),
    Field(description="BCP 47: language, script and region.", examples=["it-IT"]),
]

UtcDatetime = Annotated[
    AwareDatetime,
    BeforeValidator(_rfc3339_text),
    AfterValidator(_to_utc),
    Field(description="RFC 3339, with an offset.", examples=["2026-11-22T09:30:00Z"]),
]
"""A moment. Aware, and in UTC whatever the offset it came with."""

Source = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
"""The system that something comes from."""

SourceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/-]{1,128}$")]
"""That system's own identifier. Neither '@' nor '#': it is part of a key, which never carries an address."""

ExternalId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
"""A commerce platform's id of a customer. It may be personal: it is hashed before it becomes part of a key."""

ProgramId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,31}$")]
MemberId = Annotated[str, StringConstraints(pattern=r"^mbr_[0-9a-z]{26}$")]
RedemptionId = Annotated[str, StringConstraints(pattern=r"^rdm_[0-9a-z]{26}$")]
AdjustmentId = Annotated[str, StringConstraints(pattern=r"^adj_[0-9a-z]{26}$")]
ExportId = Annotated[str, StringConstraints(pattern=r"^exp_[0-9a-z]{26}$")]
HouseholdId = Annotated[str, StringConstraints(pattern=r"^hsh_[0-9a-z]{26}$")]

Actor = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:|/-]{0,63}$"),
    Field(description="Staff id of who asks, for whom the calling client vouches. No address.", examples=["staff-17"]),
]
"""A person on the business's side. It stays in the ledger for ever, so it is an id and never a name or an address."""

WholePoints = Annotated[int, Field(strict=True, description="A whole number.")]
"""Points that a rule of the program bounds: what is out of its bounds has a name of its own."""

OneLine = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_one_line)
]
"""Text that a person gave, such as a note."""


PersonName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(accepted_name),
    Field(examples=["Ada"]),
]
"""A name as a person writes it, in whatever script."""


class RequestBody(BaseModel):
    """Base of request bodies: unknown fields are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseBody(BaseModel):
    """Base of response bodies."""

    model_config = ConfigDict(frozen=True)


class MoneyBody(RequestBody):
    """An amount of money. ``value`` is text, since a JSON number would pass through a float somewhere."""

    value: Annotated[
        str,
        StringConstraints(pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"),
        Field(description="Decimal, in major units.", examples=["105.00"]),
    ]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217.", examples=["USD"])]

    def to_money(self, pointer: str = "/amount") -> Money:
        """The exact amount; ``pointer`` is where this object stands in the request.

        Raises:
            UnknownCurrency: not an ISO 4217 code.
            TooManyDecimals: finer than the currency's minor unit.
        """
        try:
            return Money.of(self.value, self.currency)
        except UnknownCurrency as refusal:
            raise UnknownCurrency(refusal.detail, pointer=f"{pointer}/currency") from None
        except TooManyDecimals as refusal:
            raise TooManyDecimals(refusal.detail, pointer=f"{pointer}/value") from None

    @classmethod
    def of(cls, money: Money) -> "MoneyBody":
        """The body that shows ``money``."""
        return cls(value=str(money.amount), currency=money.currency)
