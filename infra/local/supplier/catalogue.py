"""The gift cards that the sandbox supplier sells, in the shape of its ``GET /products``."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final


@dataclass(frozen=True)
class Product:
    """A gift card: what it is called, in which currency it comes and how much it may hold."""

    id: str
    name: str
    currency: str
    countries: tuple[str, ...]
    least: Decimal
    most: Decimal

    def document(self) -> dict[str, Any]:
        """The product as the API shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "description": f"A gift card for {self.name}",
            "category": "merchant_cards",
            "disclosure": "",
            "skus": [{"min": self.least, "max": self.most}],
            "currency_codes": [self.currency],
            "countries": [{"abbr": country} for country in self.countries],
            "images": [],
        }


PRODUCTS: Final = {
    product.id: product
    for product in (
        Product("OKMHM2X2OHYV", "Corner Bookshop", "USD", ("US",), Decimal(1), Decimal(2000)),
        Product("Q24BD9EZ332J", "Libreria del Borgo", "EUR", ("IT", "DE", "FR"), Decimal(1), Decimal(1000)),
        Product("8MNTPBUXHIKR", "Souk Market", "AED", ("AE",), Decimal(10), Decimal(5000)),
        Product("7ZYHGP0QJX4D", "Kopi Nusantara", "IDR", ("ID",), Decimal(10000), Decimal(10000000)),
    )
}

DOLLARS_PER: Final = {
    "USD": Decimal(1),
    "EUR": Decimal("1.10"),
    "AED": Decimal("0.27"),
    "IDR": Decimal("0.00006"),
}
"""What one unit of a currency costs: the account is kept in US dollars."""

FUNDING_SOURCE: Final = "balance"
"""Means the account's own balance, as in the real API, where upper case is accepted too."""
