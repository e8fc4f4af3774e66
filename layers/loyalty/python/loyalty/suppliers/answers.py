"""From a supplier's answer to what the platform knows of it: strict, and silent about what was received."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Annotated, Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from loyalty.core.errors import LoyaltyError
from loyalty.core.money import MINOR_UNITS, Money
from loyalty.suppliers.model import (
    OrderRefused,
    SupplierAccessDenied,
    SupplierError,
    SupplierOrder,
    SupplierProtocolError,
    SupplierTimeout,
    SupplierUnavailable,
)
from loyalty.suppliers.transport import Answer, failed, is_safe

MAX_LINK: Final = 2048
MAX_FIELDS: Final = 10
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]]{0,79}", re.ASCII)


class Shown(BaseModel):
    """Part of an answer; what an API may add later is ignored, and no error message repeats what was received."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


ShownT = TypeVar("ShownT", bound=Shown)


def _text_of(value: Any) -> Any:
    """Some APIs write a number where another of their pages shows it as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_text_of), StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""A supplier's name for something; safe to put into a path."""


def document(answer: Answer) -> Any:
    """What the answer holds, its numbers exact.

    Raises:
        SupplierProtocolError: it is not JSON, or does not say that it is.
    """
    if not answer.is_json:
        raise failed(SupplierProtocolError("the supplier's answer is not JSON by its own word"), answer)
    try:
        return json.loads(answer.content, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        # Without its cause, whose traceback would show the answer.
        raise failed(SupplierProtocolError("the supplier's answer is not JSON"), answer) from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def parsed(model: type[ShownT], answer: Answer) -> ShownT:
    """The answer as ``model`` describes it.

    Raises:
        SupplierProtocolError: it is another; the message names the fields, never their values.
    """
    try:
        return model.model_validate(document(answer))
    except ValidationError as error:
        where = ", ".join(
            sorted({".".join(map(str, each["loc"])) or "the body" for each in error.errors()})[:MAX_FIELDS]
        )
        raise failed(SupplierProtocolError(f"the supplier's answer is not one of its API: {where}"), answer) from None


def money(amount: Decimal | int, currency: str, answer: Answer) -> Money:
    """The amount, exact.

    Raises:
        SupplierProtocolError: it is negative, finer than the currency, or in none that there is.
    """
    try:
        return Money.of(Decimal(amount), currency)
    except (LoyaltyError, ValueError, ArithmeticError):
        raise failed(SupplierProtocolError("the supplier's answer has an amount that is no money"), answer) from None


def at_least(amount: Decimal, currency: str, answer: Answer) -> Money:
    """A balance: rounded down to the currency's minor unit, and zero where it is negative.

    Raises:
        SupplierProtocolError: see :func:`money`.
    """
    if currency not in MINOR_UNITS or not amount.is_finite() or abs(amount.adjusted()) > 18:
        return money(amount, currency, answer)
    floor = max(amount, Decimal(0)).quantize(Decimal(1).scaleb(-MINOR_UNITS[currency]), rounding=ROUND_FLOOR)
    return money(floor, currency, answer)


def number(amount: Money) -> int | float:
    """The amount as a JSON number, which the APIs want. Exact: at most 15 digits, as many as a double keeps.

    Raises:
        ValueError: it has more.
    """
    value = amount.amount
    if value == value.to_integral_value():
        return int(value)
    double = float(value)
    if Decimal(repr(double)) != value:
        raise ValueError("an amount of more digits than a JSON number keeps")
    return double


def moment(text: str | None, answer: Answer) -> datetime | None:
    """A moment as RFC 3339, in UTC; None where none was given.

    Raises:
        SupplierProtocolError: it is none, or has no time zone.
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise failed(SupplierProtocolError("the supplier's answer has a moment that is none"), answer)
    return at.astimezone(UTC)


def safe_link(link: str, answer: Answer) -> str:
    """The link, if a member may be sent there: over TLS, unless to this machine itself.

    Raises:
        SupplierProtocolError: it may be no link, or lead elsewhere.
    """
    if not is_safe(link) or len(link) > MAX_LINK:
        raise failed(SupplierProtocolError("the supplier's link is not https"), answer)
    return link


def fields(names: Iterable[Any]) -> list[str]:
    """Those that look like names of fields, a few of them: nothing else of an error is repeated."""
    return sorted({name for name in names if isinstance(name, str) and _FIELD.fullmatch(name)})[:MAX_FIELDS]


def within(orders: Iterable[SupplierOrder], start: datetime, end: datetime, answer: Answer) -> Iterator[SupplierOrder]:
    """Those of a listed page that were made from ``start`` to just before ``end``, whatever the supplier took the bounds for.

    Raises:
        SupplierProtocolError: one is listed without its moment.
    """
    for order in orders:
        if order.created_at is None:
            raise failed(SupplierProtocolError("the supplier lists an order without its moment"), answer)
        if start <= order.created_at < end:
            yield order


def undecided(answer: Answer) -> SupplierError | None:
    """What any supplier means by a status that decides nothing about an order; None where it may be a decision.

    401 and 403 are access denied, 408 is a time-out, 429 and 5xx are unavailable.
    """
    status = answer.status
    if status in {401, 403}:
        message = f"the supplier answered {status}: check the credentials and what they may do"
        return failed(SupplierAccessDenied(message), answer)
    if status == 408:
        return failed(SupplierTimeout("the supplier answered 408"), answer)
    if status == 429 or status >= 500:
        return failed(SupplierUnavailable(f"the supplier answered {status}"), answer)
    return None


def failure(answer: Answer, named: Sequence[str] | None, *, out_of_funds: bool = False) -> SupplierError:
    """What an answer means that is not what was asked for.

    Args:
        answer: of the supplier, or of somebody in between.
        named: fields and codes that it names, where it is the supplier's own refusal of an order; None: it is none.
        out_of_funds: the order is refused for want of funds alone.
    """
    if (error := undecided(answer)) is not None:
        return error
    if named is None or not 400 <= answer.status < 500:
        return undocumented(answer)
    refused = OrderRefused(f"the supplier answered {answer.status}" + (f", naming {', '.join(named)}" if named else ""))
    refused.out_of_funds = out_of_funds
    return failed(refused, answer)


def undocumented(answer: Answer) -> SupplierError:
    """An answer that the API does not document here."""
    return failed(
        SupplierProtocolError(f"the supplier answered {answer.status}, which its API does not document here"), answer
    )
