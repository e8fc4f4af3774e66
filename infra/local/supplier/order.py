"""One order at the sandbox supplier, as it is kept and as the API shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from infra.local.supplier.account import cents_of


class NotFound(LookupError):
    """No order or reward has this id."""


class NotCancelable(RuntimeError):
    """The reward's link was used or it is canceled already."""


@dataclass
class Order:
    """An order of one reward. Its link is shown once, when it is made, and never kept."""

    id: str
    external_id: str | None
    created_at: str
    status: str
    request: Mapping[str, Any]
    reward_id: str
    asks_until_settled: int = 0
    asks_until_seen: int = 0
    seen_from: datetime | None = None
    """By the book's clock; the order is shown to nobody before."""
    redeemed: bool = False

    @property
    def denomination(self) -> Decimal:
        """What the reward is worth, in its own currency."""
        return Decimal(self.request["reward"]["value"]["denomination"])

    @property
    def currency(self) -> str:
        """The reward's own."""
        return str(self.request["reward"]["value"].get("currency_code", "USD"))

    @property
    def cents(self) -> int:
        """What it costs, in US cents."""
        return cents_of(self.denomination, self.currency)

    def document(self, link: str | None = None, amount: Decimal | None = None) -> dict[str, Any]:
        """The order as the API shows it; with the link only in the answer to its making, with an ``amount`` as a wrong one."""
        shown = {
            "id": self.id,
            "external_id": self.external_id,
            "campaign_id": self.request["reward"].get("campaign_id"),
            "created_at": self.created_at,
            "status": self.status,
            "channel": "API",
            "rewards": [self.reward(link, amount)],
        }
        paid = Decimal(self.cents).scaleb(-2)
        if self.status == "EXECUTED":
            shown["payment"] = {"subtotal": paid, "total": paid, "fees": Decimal(0)}
        if self.status == "CANCELED":
            shown["payment"] = {"subtotal": paid, "total": paid, "fees": Decimal(0), "refund": {"total": paid}}
        return shown

    def reward(self, link: str | None = None, amount: Decimal | None = None) -> dict[str, Any]:
        """The order's reward as the API shows it."""
        asked = self.request["reward"]
        delivery: dict[str, Any] = {
            "method": asked["delivery"]["method"],
            "status": "SUCCEEDED" if self.status == "EXECUTED" else "SCHEDULED",
        }
        if link is not None:
            delivery["link"] = link
        return {
            "id": self.reward_id,
            "order_id": self.id,
            "created_at": self.created_at,
            "expires_at": None,
            "value": dict(asked["value"]) | ({} if amount is None else {"denomination": amount}),
            "products": list(asked.get("products", [])),
            "recipient": dict(asked.get("recipient", {})),
            "delivery": delivery,
        }


@dataclass(frozen=True)
class Making:
    """How an order is made that is not simply executed.

    Args:
        open_for: questions for which it stays open.
        hidden_for: questions that it is hidden from.
        seconds: the same in seconds, whatever is asked.
        double: another one with the same ``external_id`` may exist.
    """

    open_for: int = 0
    hidden_for: int = 0
    seconds: float | None = None
    double: bool = False
