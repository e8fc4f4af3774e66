"""Cards are shown once they are paid for, to who asks in the name of their member, and never before that is written down."""

import pytest
from cryptography.exceptions import InvalidTag

from loyalty.core.errors import RedemptionNotFound
from loyalty.core.table import Put, Table, TransactionRefused
from loyalty.rewards.model import Party
from loyalty.suppliers.model import GiftCard
from loyalty.vault.errors import CardNotDelivered, NothingToReveal
from loyalty.vault.store import Access, AccessKind
from tests.apikit.vaulted import CARD, MEMBER, Vaulted


@pytest.fixture
def vaulted(table: Table) -> Vaulted:
    return Vaulted(table)


def test_a_card_is_shown_once_it_is_paid_for(vaulted: Vaulted) -> None:
    with pytest.raises(CardNotDelivered, match="can be read once it is captured"):
        vaulted.reveal()
    vaulted.deliver()
    with pytest.raises(CardNotDelivered):
        vaulted.reveal()
    vaulted.capture()
    assert vaulted.reveal() == CARD
    assert vaulted.reveal() == CARD


def test_a_card_whose_points_went_back_is_not_shown(vaulted: Vaulted) -> None:
    vaulted.world.release(vaulted.held.redemption_id, member=MEMBER, by=Party.FULFILLMENT)
    with pytest.raises(CardNotDelivered, match="is released; its points are back"):
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
