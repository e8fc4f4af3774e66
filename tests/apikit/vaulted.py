"""A member with a held gift card, and the vault over the same table."""

from typing import Any

from loyalty.core.pii import Vault
from loyalty.core.table import Table
from loyalty.rewards.model import Party, Redemption
from loyalty.rewards.store import RedemptionStore
from loyalty.suppliers.model import GiftCard
from loyalty.vault.service import CardService
from loyalty.vault.store import Access, CardStore, CardVault
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

MEMBER = "mbr_" + "0" * 26
CARD = GiftCard(link="https://cards.example.com/planted", code="PLANTED-1", pin="7788", expires_on="2027-12-31")
GIFT_CARD = {
    "id": "card", "name": "Gift card", "type": "gift_card", "points": 200,
    "gift_card": {"product": "P", "denomination": "10.00", "currency": "USD"},
}  # fmt: skip
REWARDS: list[dict[str, Any]] = [
    GIFT_CARD,
    {"id": "coffee", "name": "Coffee", "type": "perk", "points": 50},
    {
        "id": "trees", "name": "Trees", "type": "donation", "points": 50,
        "value": {"value": "1.00", "currency": "USD"}, "charity": {"id": "forest", "name": "Forest"},
    },
]  # fmt: skip


class Vaulted:
    """A member with a held gift card, and the vault over the same table."""

    def __init__(self, table: Table) -> None:
        self.world = World(table, of=program(rewards=REWARDS)).enroll(MEMBER)
        self.world.accrue("R-1", "1000", member=MEMBER)
        self.keys = FakeKeys()
        self.vault = CardVault(Vault(self.keys))
        self.store = CardStore(table)
        self.cards = CardService(self.store, RedemptionStore(table), Vault(self.keys), self.world.clock)
        self.held = self.hold("k-1")

    def hold(self, key: str, reward: str = "card") -> Redemption:
        return self.world.hold(key, reward, member=MEMBER)[0]

    def deliver(self, redemption: Redemption | None = None, card: GiftCard = CARD, number: int = 1) -> None:
        of = redemption or self.held
        put = self.vault.put("acme", MEMBER, of.redemption_id, card, now=self.world.clock(), number=number)
        self.world.table.write([put])

    def capture(self, redemption: Redemption | None = None) -> None:
        self.world.capture((redemption or self.held).redemption_id, member=MEMBER, by=Party.FULFILLMENT)

    def reveal(self, redemption: Redemption | None = None, **more: Any) -> GiftCard:
        of = redemption or self.held
        return self.cards.reveal("acme", MEMBER, of.redemption_id, client_id="app", **more).card

    def register(self) -> list[Access]:
        return list(self.store.accesses("acme", self.held.redemption_id))
