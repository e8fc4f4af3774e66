"""Showing a delivered gift card to whoever may see it."""

from loyalty.core.errors import GiftCardNotDelivered, GiftCardNotFound
from loyalty.core.pii import Sealed, Vault, gift_card_of
from loyalty.ledger.store import parse_partition
from loyalty.programs.model import RewardType
from loyalty.rewards.model import RedemptionStatus
from loyalty.rewards.store import RedemptionStore
from loyalty.suppliers.model import GiftCard
from loyalty.vault.store import CARD_SK, CardItem, card_in, card_pk


class GiftCardService:
    """Opens the vaulted card. The caller sees to it that the client is bound to the program."""

    def __init__(self, store: RedemptionStore, vault: Vault) -> None:
        self._table = store.table
        self._store = store
        self._vault = vault

    def reveal(self, program: str, member_id: str, redemption_id: str) -> GiftCard:
        """The card of a captured redemption: two reads and one call to KMS.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            GiftCardNotFound: it is for another type of reward.
            GiftCardNotDelivered: it is being fulfilled, or its points were given back.
        """
        item = self._store.item(program, member_id, redemption_id)
        if item.reward_type != RewardType.GIFT_CARD.value:
            raise GiftCardNotFound(
                f"'{redemption_id}' is a redemption of type '{item.reward_type}'; it has no gift card."
            )
        captured = item.status == RedemptionStatus.CAPTURED.value
        card = self._table.get(CardItem, card_pk(program, redemption_id), CARD_SK) if captured else None
        if card is None:
            raise GiftCardNotDelivered(
                f"'{redemption_id}' is {item.status}; its gift card can be read once it is captured."
            )
        sealed = Sealed(card.key, card.nonce, card.data)
        # Sealed for whoever redeemed it, even where another has absorbed that member since.
        _, owner = parse_partition(item.pk)
        return card_in(self._vault.open(gift_card_of(program, owner, redemption_id), sealed))
