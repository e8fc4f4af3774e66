"""Money: an exact decimal amount in an ISO 4217 currency, with that currency's own minor units."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from loyalty.core.errors import TooManyDecimals, UnknownCurrency

_MINOR_UNITS_OTHER_THAN_2: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_UNITS_2: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW "
    "CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER "
    "ZAR ZMW ZWG"
)

MINOR_UNITS: Final[dict[str, int]] = dict.fromkeys(_MINOR_UNITS_2.split(), 2) | {
    code: digits for digits, codes in _MINOR_UNITS_OTHER_THAN_2.items() for code in codes.split()
}
"""Currency code → number of decimals (ISO 4217, list one)."""

_MAX_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Money:
    """A non-negative amount in major units (``Decimal("105.00")``), exact to the currency's minor unit."""

    amount: Decimal
    currency: str

    @classmethod
    def of(cls, amount: str | Decimal, currency: str) -> "Money":
        """The amount, quantized to the currency's minor units.

        Raises:
            UnknownCurrency: not an ISO 4217 code.
            TooManyDecimals: the amount is finer than the currency's minor unit.
            ValueError: negative, no finite number, or one of more than 18 digits before the point.
        """
        decimals = MINOR_UNITS.get(currency)
        if decimals is None:
            raise UnknownCurrency(
                f"'{currency}' is not an ISO 4217 currency code; send one such as USD.", pointer="/amount/currency"
            )
        try:
            value = Decimal(amount)
        except InvalidOperation as error:
            raise ValueError("an amount of money is a decimal number") from error
        # Bounded, so that all arithmetic stays within the 28 digits that Decimal keeps exactly.
        if not value.is_finite() or value < 0 or value.adjusted() >= _MAX_DIGITS:
            raise ValueError(f"an amount of money is a finite number, zero or more, of at most {_MAX_DIGITS} digits")
        exact = value.quantize(Decimal(1).scaleb(-decimals))
        if exact != value:
            raise TooManyDecimals(f"{currency} has {decimals} decimals; the amount has more.", pointer="/amount/value")
        return cls(abs(exact), currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    @classmethod
    def parse(cls, text: str) -> "Money":
        """The money that ``str`` wrote, e.g. ``105.00 USD``."""
        amount, currency = text.split(" ")
        return cls.of(amount, currency)


def minor_units(money: Money) -> int:
    """The amount in whole minor units of its currency: 10.00 EUR are 1000."""
    return int(money.amount.scaleb(MINOR_UNITS[money.currency]))


def money_of(units: int, currency: str) -> Money:
    """So many minor units of a currency."""
    return Money.of(Decimal(units).scaleb(-MINOR_UNITS[currency]), currency)


def spread(total: int, amounts: Sequence[int], quantities: Sequence[int]) -> list[int]:
    """``total`` in whole parts that are as ``amounts`` are; as ``quantities`` where all amounts are zero.

    What is left over goes to the parts that lost the largest fraction, earlier ones first.
    """
    weights = amounts if any(amounts) else quantities
    whole = sum(weights)
    parts = [divmod(total * weight, whole) for weight in weights]
    by_rest = sorted(range(len(parts)), key=lambda place: -parts[place][1])  # stable: earlier ones first
    extra = set(by_rest[: total - sum(part for part, _ in parts)])
    return [part + (place in extra) for place, (part, _) in enumerate(parts)]
