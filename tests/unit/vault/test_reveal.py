"""Cards are shown once they are paid for, to who asks in the name of their member, and never before that is written down."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from loyalty.core.errors import RedemptionNotFound
from loyalty.core.pii import Vault
from loyalty.core.table import Put, Table, TransactionRefused
from loyalty.rewards.model import Party, Redemption
from loyalty.rewards.store import RedemptionStore
from loyalty.suppliers.model import GiftCard
from loyalty.vault.errors import CardChanged, CardNotDelivered, NothingToReveal
from loyalty.vault.service import CardService
from loyalty.vault.store import Access, AccessKind, CardStore, CardVault
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


@pytest.fixture
def vaulted(table: Table) -> Vaulted:
    return Vaulted(table)


def test_a_card_is_shown_once_it_is_paid_for(vaulted: Vaulted) -> None:
    with pytest.raises(CardNotDelivered):
        vaulted.reveal()
    vaulted.deliver()
    with pytest.raises(CardNotDelivered):
        vaulted.reveal()
    vaulted.capture()
    assert vaulted.reveal() == CARD
    assert vaulted.reveal() == CARD


def test_a_card_whose_points_went_back_is_not_shown(vaulted: Vaulted) -> None:
    vaulted.world.release(vaulted.held.redemption_id, member=MEMBER, by=Party.FULFILLMENT)
    with pytest.raises(CardNotDelivered):
        vaulted.reveal()
    assert vaulted.register() == []


@pytest.mark.parametrize("reward", ["coffee", "trees"])
def test_what_comes_without_a_card_has_nothing_to_reveal(vaulted: Vaulted, reward: str) -> None:
    held = vaulted.hold("k-2", reward)
    if reward == "trees":
        vaulted.capture(held)
    with pytest.raises(NothingToReveal):
        vaulted.reveal(held)


def test_a_card_is_shown_in_the_name_of_its_own_member_alone(vaulted: Vaulted) -> None:
    vaulted.deliver()
    vaulted.capture()
    with pytest.raises(RedemptionNotFound):
        vaulted.cards.reveal("acme", "mbr_2", vaulted.held.redemption_id, client_id="app")


def test_each_reading_is_in_the_register_with_who_and_when(vaulted: Vaulted) -> None:
    vaulted.deliver()
    vaulted.capture()
    vaulted.reveal()
    now = vaulted.world.clock()
    vaulted.cards.resend("acme", MEMBER, vaulted.held.redemption_id, client_id="desk")
    vaulted.deliver(card=GiftCard(code="NEW"), number=2)
    assert vaulted.reveal() == GiftCard(code="NEW")
    assert vaulted.register() == [
        Access(1, now, AccessKind.REVEALED, "app", 1),
        Access(2, now, AccessKind.RESENT, "desk", 1),
        Access(3, now, AccessKind.REVEALED, "app", 2),
    ]


def test_of_readings_at_the_same_moment_each_has_a_line_of_its_own(vaulted: Vaulted) -> None:
    vaulted.deliver()
    vaulted.capture()

    def read(_: int) -> int:
        try:
            return vaulted.cards.reveal("acme", MEMBER, vaulted.held.redemption_id, client_id="app").access
        except CardChanged:
            return 0

    with ThreadPoolExecutor(8) as threads:
        lines = sorted(line for line in threads.map(read, range(24)) if line)
    assert lines == [access.number for access in vaulted.register()]
    assert lines == list(range(1, len(lines) + 1))


def test_an_unopened_card_is_in_the_register_and_nobody_saw_it(vaulted: Vaulted) -> None:
    vaulted.deliver()
    vaulted.capture()
    vaulted.keys.unavailable = True
    with pytest.raises(ConnectionError):
        vaulted.reveal()
    assert [access.kind for access in vaulted.register()] == [AccessKind.REVEALED]


def test_an_order_s_card_is_stored_once_and_a_later_one_takes_its_place(vaulted: Vaulted) -> None:
    vaulted.deliver()
    for number in (1, 0):
        with pytest.raises(TransactionRefused):
            vaulted.deliver(card=GiftCard(code="OTHER"), number=number)
    vaulted.deliver(card=GiftCard(code="NEW"), number=2)
    vaulted.capture()
    assert vaulted.reveal() == GiftCard(code="NEW")


def test_nothing_of_a_card_is_in_the_table_or_in_a_representation(vaulted: Vaulted) -> None:
    vaulted.deliver()
    vaulted.capture()
    revealed = vaulted.cards.reveal("acme", MEMBER, vaulted.held.redemption_id, client_id="app")
    for planted in ("planted", "PLANTED", "7788"):
        assert planted not in str(vaulted.world.dump())
        assert planted not in repr(revealed)
    assert vaulted.keys.contexts == [
        {"program": "acme", "member": MEMBER, "purpose": "gift_card", "redemption": vaulted.held.redemption_id}
    ]


def test_a_card_moved_to_another_redemption_does_not_open(vaulted: Vaulted) -> None:
    other = vaulted.hold("k-2")
    for redemption in (vaulted.held, other):
        vaulted.deliver(redemption)
        vaulted.capture(redemption)
    item, others = (vaulted.store.get("acme", each.redemption_id) for each in (vaulted.held, other))
    assert item is not None
    assert others is not None
    item.key, item.nonce, item.data = others.key, others.nonce, others.data
    vaulted.world.table.write([Put(item)])
    with pytest.raises(PermissionError, match="InvalidCiphertext"):
        vaulted.reveal()


def test_a_card_that_was_changed_does_not_open(vaulted: Vaulted) -> None:
    vaulted.deliver()
    vaulted.capture()
    item = vaulted.store.get("acme", vaulted.held.redemption_id)
    assert item is not None
    item.data = item.data[:-1] + bytes([item.data[-1] ^ 1])
    vaulted.world.table.write([Put(item)])
    with pytest.raises(InvalidTag):
        vaulted.reveal()
