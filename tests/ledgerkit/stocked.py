"""A world whose catalogue has finite stock: rewards that the partner ends, one of them in a program without an end of it."""

from datetime import datetime
from typing import Any

from loyalty.core.table import Table
from loyalty.programs.model import Program
from loyalty.stock.model import Level, Restock
from loyalty.stock.service import StockService
from loyalty.stock.store import StockStore
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

REWARDS: list[dict[str, Any]] = [
    {"id": "mug", "name": "Mug", "type": "product", "points": 1, "limited": True},
    {"id": "ticket", "name": "Ticket", "type": "experience", "points": 2, "limited": True},
    {"id": "coffee", "name": "Coffee", "type": "perk", "points": 1},
]


def stocked_program() -> Program:
    """The plain program with :data:`REWARDS`."""
    return program(rewards=REWARDS, limits={"backdating_days": 36_500, "redemption_quantity": 100})


class Stocked(World):
    """Services over finite stock."""

    def __init__(self, table: Table, *, clock: SettableClock | None = None) -> None:
        super().__init__(table, of=stocked_program(), clock=clock)
        self.stock = StockService(StockStore(table), self.clock)

    def restock(
        self, units: int, *, reward: str = "mug", key: str = "delivery-1", reference: str = "DN-1"
    ) -> tuple[Restock, bool]:
        return self.stock.add(
            self.program,
            reward,
            add=units,
            reference=reference,
            actor="staff-1",
            client_id="back-office",
            idempotency_key=key,
        )

    def level(self, reward: str = "mug") -> Level:
        return self.stock.read(self.program, reward).level

    def fill(self, left: dict[str, int], *, key: str = "delivery-1") -> None:
        """A delivery that is dealt out as ``left`` says, and not evenly."""
        reward = next(iter(left)).split("/")[0]
        delivery = Restock(
            "acme", reward, key, sum(left.values()), "DN-0", "staff-1", "back-office", "-", self.clock(), left
        )
        StockStore(self.table).write("acme", reward, key, lambda _: delivery)

    def at(self, moment: datetime) -> "Stocked":
        """The same table, seen at another moment."""
        return Stocked(self.table, clock=SettableClock(moment))
