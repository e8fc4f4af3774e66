"""Showing a delivered card or code to the member's app. Nobody sees one of whom it was not written down before."""

from dataclasses import dataclass
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.pii import Sealed, Vault, gift_card_of
from loyalty.rewards.model import Party, Redemption, RedemptionStatus
from loyalty.rewards.store import RedemptionStore
from loyalty.suppliers.model import GiftCard
from loyalty.vault.errors import CardChanged, CardNotDelivered, NothingToReveal
from loyalty.vault.store import AccessKind, CardItem, CardStore, card_in

OFTEN: Final = 10
"""From this many readings on, one more of the same redemption's cards is counted as one of many."""
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Revealed:
    """A card, and the how many-eth entry of the redemption's register its reading is, from 1."""

    card: GiftCard
    access: int


class CardService:
    """The caller sees to it that the client is bound to the program."""

    def __init__(self, cards: CardStore, redemptions: RedemptionStore, vault: Vault, clock: Clock) -> None:
        self._cards = cards
        self._redemptions = redemptions
        self._vault = vault
        self._clock = clock

    def reveal(self, program: str, member_id: str, redemption_id: str, *, client_id: str) -> Revealed:
        """The card of a captured redemption: three reads in two round trips, one write, one call to KMS.

        The reading is in the register before the card is opened. A card that cannot be opened then was not seen; one that
        is not in the register was not either.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            MemberErased: there is no such member any more.
            NothingToReveal: it is for a reward that comes without a card or code.
            CardNotDelivered: it is being fulfilled, or its points were given back.
            CardChanged: too many are reading it at the same moment.
        """
        item, access = self._registered(program, member_id, redemption_id, AccessKind.REVEALED, client_id)
        sealed = Sealed(item.key, item.nonce, item.data)
        # Sealed for whoever redeemed it, even where another has absorbed that member since.
        return Revealed(card_in(self._vault.open(gift_card_of(program, item.member_id, redemption_id), sealed)), access)

    def resend(self, program: str, member_id: str, redemption_id: str, *, client_id: str) -> int:
        """Lets the event ``card.resent`` tell once more that the card is there, and nothing of it; the register's line.

        Raises:
            RedemptionNotFound, MemberErased, NothingToReveal, CardNotDelivered, CardChanged: as :meth:`reveal`.
        """
        return self._registered(program, member_id, redemption_id, AccessKind.RESENT, client_id)[1]

    def _registered(
        self, program: str, member_id: str, redemption_id: str, kind: AccessKind, client_id: str
    ) -> tuple[CardItem, int]:
        for _ in range(_ATTEMPTS):
            now = self._clock()
            redemption = self._redemptions.shown(program, member_id, redemption_id, now)
            item = self._delivered(redemption)
            access = self._cards.register(item, kind, client_id=client_id, now=now)
            if access is not None:
                return item, access
        raise CardChanged(f"The card of '{redemption_id}' is being read by others; send the same request again.")

    def _delivered(self, redemption: Redemption) -> CardItem:
        captured = redemption.status is RedemptionStatus.CAPTURED
        given_by_us = redemption.party is Party.FULFILLMENT
        item = self._cards.get(redemption.program, redemption.redemption_id) if captured and given_by_us else None
        if item is not None:
            return item
        if captured or not given_by_us:
            raise NothingToReveal(
                f"'{redemption.redemption_id}' is a redemption of type '{redemption.reward_type}'; it comes without a "
                "card or code of the platform's."
            )
        held = redemption.status is RedemptionStatus.HELD
        then = (
            "its card or code can be read once it is captured"
            if held
            else "its points are back, and it has no card or code"
        )
        raise CardNotDelivered(f"'{redemption.redemption_id}' is {redemption.status}; {then}.")
