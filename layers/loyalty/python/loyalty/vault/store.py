"""Cards as the table holds them, beside the run and never part of it, and who looked at them.

::

    F#{program}#{redemption_id}   CARD              sealed for the member who redeemed
                                  ACCESS#{nnnnnn}   one reading, or one notice sent anew: gapless from 1, never changed
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.pii import Vault, gift_card_of
from loyalty.core.table import IntegerAttribute, Item, Put, RawItem, Table, TransactionRefused, Update
from loyalty.suppliers.model import GiftCard
from loyalty_contract import ACCESS_PREFIX

CARD_SK: Final = "CARD"


class AccessKind(StrEnum):
    """What was done with a card."""

    REVEALED = "revealed"
    """It was shown to a client."""
    RESENT = "resent"
    """The notice that it is there was sent anew."""


@dataclass(frozen=True, slots=True)
class Access:
    """One line of a card's register. ``client_id`` is who asked; ``card`` is the number of the order that gave the card."""

    number: int
    at: datetime
    kind: AccessKind
    client_id: str
    card: int


class CardItem(Item):
    """``number`` is that of the order that gave it; ``accesses`` counts the lines of its register."""

    member_id = UnicodeAttribute()
    number = IntegerAttribute()
    accesses = IntegerAttribute(null=True)
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
    ) -> Update:
        """The card as an operation of the caller's transaction, which fails where this order's card, or a later one, is stored.

        Args:
            program: of the redemption.
            member_id: who redeemed; nobody else's card opens under this context.
            redemption_id: of the redemption.
            card: what the supplier, or a pool, gave.
            now: UTC.
            number: which of the redemption's orders gave it.
        """
        sealed = self._vault.seal(gift_card_of(program, member_id, redemption_id), card_document(card))
        # The register goes on from card to card, so that its count stays.
        actions = [
            CardItem.member_id.set(member_id),
            CardItem.number.set(number),
            CardItem.key.set(sealed.key),
            CardItem.nonce.set(sealed.nonce),
            CardItem.data.set(sealed.ciphertext),
            CardItem.stored_at.set(to_text(now)),
        ]
        newer = CardItem.pk.does_not_exist() | (CardItem.number < number)
        return Update(CardItem, card_pk(program, redemption_id), CARD_SK, actions, newer)


class AccessItem(Item):
    """``F#{program}#{redemption_id}`` / ``ACCESS#{nnnnnn}``."""

    at = UnicodeAttribute()
    kind = UnicodeAttribute()
    client_id = UnicodeAttribute()
    card = IntegerAttribute()
    member_id = UnicodeAttribute()


class CardStore:
    """Reads of cards, and the register of who did."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, program: str, redemption_id: str) -> CardItem | None:
        """The sealed card, or None where none is stored."""
        return self._table.get(CardItem, card_pk(program, redemption_id), CARD_SK)

    def register(self, item: CardItem, kind: AccessKind, *, client_id: str, now: datetime) -> int | None:
        """Writes down what is about to be done with a card as it was read; the line's number.

        None where another line came first, or another card took its place: read it again.
        """
        number = (item.accesses or 0) + 1
        counted_so_far = CardItem.accesses == item.accesses if item.accesses else CardItem.accesses.does_not_exist()
        as_read = counted_so_far & (CardItem.number == item.number)
        counted = Update(CardItem, item.pk, item.sk, [CardItem.accesses.set(number)], as_read)
        line = AccessItem(
            item.pk,
            f"{ACCESS_PREFIX}{number:06d}",
            at=to_text(now),
            kind=kind.value,
            client_id=client_id,
            card=item.number,
            member_id=item.member_id,
        )
        try:
            self._table.write([counted, Put(line, AccessItem.pk.does_not_exist())])
        except TransactionRefused:
            return None
        return number

    def accesses(self, program: str, redemption_id: str) -> Iterator[Access]:
        """The register of a redemption's cards, the first line first."""
        where = AccessItem.sk.startswith(ACCESS_PREFIX)
        yield from map(_access_of, self._table.query_all(card_pk(program, redemption_id), where=where))


def _access_of(raw: RawItem) -> Access:
    item = AccessItem.from_raw_data(raw)
    number = int(item.sk.removeprefix(ACCESS_PREFIX))
    return Access(number, from_text(item.at), AccessKind(item.kind), item.client_id, item.card)


def card_document(card: GiftCard) -> dict[str, str]:
    """The card as the vault seals it: what it has of a link, a code, a PIN and an end."""
    parts = {"link": card.link, "code": card.code, "pin": card.pin, "expires_on": card.expires_on}
    return {name: part for name, part in parts.items() if part is not None}


def card_in(document: dict[str, str]) -> GiftCard:
    """The card that :func:`card_document` wrote."""
    return GiftCard(**document)
