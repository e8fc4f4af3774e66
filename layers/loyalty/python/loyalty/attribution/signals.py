"""What an app may send of how somebody came. Bounded, hashed at once, neither logged nor stored nor told again."""

import ipaddress
import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from loyalty.attribution.likenesses import Signals
from loyalty.core.fields import RequestBody

_CARD_NUMBER: Final = re.compile(r"[0-9]{13,19}")
_BETWEEN: Final = re.compile(r"[ -]")


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise ValueError("Send an IPv4 or IPv6 address, without a port") from None


def _no_card_number(text: str) -> str:
    digits = _BETWEEN.sub("", text)
    if _CARD_NUMBER.fullmatch(digits) and _adds_up(digits):
        raise ValueError("Send your payment provider's fingerprint of the card, never its number")
    return text


def _adds_up(digits: str) -> bool:
    """Whether the last digit is the check digit of a card number, by Luhn's formula."""
    doubled = [int(one) * (2 - place % 2) for place, one in enumerate(reversed(digits), start=1)]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


_Id = Annotated[str, StringConstraints(pattern=r"^[!-~]{8,128}$")]


class SignalsBody(RequestBody):
    """What the app knows. Each can be left out; without them less speaks against somebody, and nothing for them."""

    device: Annotated[_Id | None, Field(description="The app's id of the device or browser.")] = None
    ip: Annotated[
        Annotated[str, StringConstraints(max_length=45), AfterValidator(_ip)] | None,
        Field(description="The person's own, as your front end saw it; its network is what counts."),
    ] = None
    payment: Annotated[
        Annotated[_Id, AfterValidator(_no_card_number)] | None,
        Field(description="The payment provider's fingerprint of the card or account. Never a card number."),
    ] = None
    address: Annotated[
        Annotated[str, StringConstraints(min_length=5, max_length=300)] | None,
        Field(description="Postal, in one line; order of words, accents and signs do not matter."),
    ] = None

    def to_signals(self) -> Signals:
        """The same as a value that no ``repr`` tells of."""
        return Signals(self.device, self.ip, self.payment, self.address)
