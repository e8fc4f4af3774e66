"""Cards as the table holds them: ``F#{program}#{redemption_id}`` / ``CARD``, beside the run and never part of it."""

from datetime import datetime
from typing import Final

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from loyalty.core.clock import to_text
from loyalty.core.pii import Sealed, Vault, gift_card_of
from loyalty.core.table import IntegerAttribute, Item, Put
from loyalty.suppliers.model import GiftCard

CARD_SK: Final = "CARD"


class CardItem(Item):
    """Sealed for the member who redeemed; ``number`` is that of the order that gave it."""

    member_id = UnicodeAttribute()
    number = IntegerAttribute()
    key = BinaryAttribute(legacy_encoding=False)
    nonce = BinaryAttribute(legacy_encoding=False)
    data = BinaryAttribute(legacy_encoding=False)
    stored_at = UnicodeAttribute()


def card_pk(program: str, redemption_id: str) -> str:
    """The partition of a card: that of its run."""
    return f"F#{program}#{redemption_id}"


class CardVault:
    """Seals cards: one call to KMS each."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def put(
        self, program: str, member_id: str, redemption_id: str, card: GiftCard, *, now: datetime, number: int = 1
    ) -> Put:
        """The card as an operation of the caller's transaction, which fails where this order's card, or a later one, is stored.

        Args:
            program: of the redemption.
            member_id: who redeemed; nobody else's card opens under this context.
            redemption_id: of the redemption.
            card: what the supplier, or a pool, gave.
            now: UTC.
            number: which of the redemption's orders gave it.
        """
        sealed: Sealed = self._vault.seal(gift_card_of(program, member_id, redemption_id), card_document(card))
        item = CardItem(
            card_pk(program, redemption_id),
            CARD_SK,
            member_id=member_id,
            number=number,
            key=sealed.key,
            nonce=sealed.nonce,
            data=sealed.ciphertext,
            stored_at=to_text(now),
        )
        return Put(item, CardItem.pk.does_not_exist() | (CardItem.number < number))


def card_document(card: GiftCard) -> dict[str, str]:
    """The card as the vault seals it: what it has of a link, a code, a PIN and an end."""
    parts = {"link": card.link, "code": card.code, "pin": card.pin, "expires_on": card.expires_on}
    return {name: part for name, part in parts.items() if part is not None}


def card_in(document: dict[str, str]) -> GiftCard:
    """The card that :func:`card_document` wrote."""
    return GiftCard(**document)
