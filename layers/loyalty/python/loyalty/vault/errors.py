"""What the vault refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Missing


class NothingToReveal(Missing):
    code = "nothing_to_reveal"


class CardNotDelivered(Conflict):
    code = "card_not_delivered"


class CardChanged(Conflict):
    code = "card_changed"
