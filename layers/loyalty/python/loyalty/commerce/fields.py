"""Strict readers for what other systems send. Pure; refusals quote no values, since values may be personal data."""

import re
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from loyalty.commerce.model import MALFORMED_PAYLOAD
from loyalty.core.errors import Rejected, TooManyDecimals, UnknownCurrency
from loyalty.core.money import Money

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_PROBLEMS_NAMED: Final = 3


def usable_email(value: Any) -> str | None:
    """The address, stripped; None for what cannot be one, since a sender's ``""`` or ``n/a`` must match nobody."""
    text = value.strip() if isinstance(value, str) else ""
    return text if _EMAIL.fullmatch(text) and text.isprintable() else None


def _digits(value: Any) -> Any:
    return str(value) if type(value) is int and 0 < value < 10**20 else value


AmountText = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$")]
"""An amount as platforms write it: a decimal in a string. A JSON number is refused: it was a float on its way."""
SignedAmountText = Annotated[str, StringConstraints(strict=True, pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$")]
CurrencyText = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]{3}$")]
NumericId = Annotated[str, BeforeValidator(_digits), StringConstraints(strict=True, pattern=r"^[1-9][0-9]{0,19}$")]
"""A platform's numeric identifier, sent as a whole number or as text."""
Email = Annotated[str | None, BeforeValidator(usable_email)]


class Payload(BaseModel):
    """What is read of another system's object; what it has beside that is its own business.

    Its validator is built when the first such object comes: most kinds never come to a function in its life.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


PayloadT = TypeVar("PayloadT", bound=BaseModel)


def malformed(detail: str) -> Rejected:
    """The refusal of a body that is not what its sender's documentation promises. ``detail`` quotes no values."""
    return Rejected(MALFORMED_PAYLOAD, detail)


def read(model: type[PayloadT], value: object, what: str) -> PayloadT:
    """``value`` as a ``model``; ``what`` names it in refusals.

    Raises:
        Rejected: ``malformed_payload``, naming up to three fields and what is wrong with each.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = [_problem(found["loc"], found["type"], found["msg"]) for found in error.errors(include_input=False)]
    raise malformed(f"{what}: {'; '.join(problems[:_PROBLEMS_NAMED])}")


def _problem(place: tuple[int | str, ...], kind: str, message: str) -> str:
    if kind == "extra_forbidden":  # the last step is the sender's own word, which may say anything
        return f"{_path(place[:-1])} has a field that is not known here"
    return f"{_path(place)}: {message}"


def _path(place: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in place) or "the object"


def money(amount: str | Decimal, currency: str) -> Money:
    """Money out of a payload.

    Raises:
        Rejected: ``malformed_payload``: negative, finer than the currency's minor unit, or no ISO 4217 currency.
    """
    try:
        return Money.of(amount, currency)
    except UnknownCurrency:
        raise malformed("an amount of money names a currency that ISO 4217 does not have") from None
    except TooManyDecimals:
        raise malformed("an amount of money is finer than its currency's minor unit") from None
    except ValueError:
        raise malformed("an amount of money is negative") from None
