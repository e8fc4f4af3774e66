"""What Tango's API shows of orders, and what the platform takes it for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from pydantic import Field

from loyalty.suppliers.answers import Id, Shown, moment, money, safe_link
from loyalty.suppliers.model import GiftCard, OrderState, SupplierOrder, SupplierProtocolError
from loyalty.suppliers.transport import Answer, failed

_STATES: Final = {
    "COMPLETE": OrderState.EXECUTED,
    "PARTIAL": OrderState.EXECUTED,  # of orders with several lines, which ours are not: something was issued
    "PENDING": OrderState.PENDING,
    "IN_PROGRESS": OrderState.PENDING,
    "FAILED": OrderState.DEAD,
    "CANCELED": OrderState.DEAD,
    "CANCELLED": OrderState.DEAD,
}

_LINK, _CODE, _PIN, _EXPIRES, _NO_USE = "link", "code", "pin", "expires_on", ""
_PLACES: Final[Mapping[str, str]] = {
    "redemptionurl": _LINK,
    "redemptionlink": _LINK,
    "cardnumber": _CODE,
    "claimcode": _CODE,
    "redemptioncode": _CODE,
    "giftcode": _CODE,
    "serialnumber": _CODE,
    "pin": _PIN,
    "securitycode": _PIN,
    "expirationdate": _EXPIRES,
    "barcode": _NO_USE,
}
"""Where a credential belongs, by its type or, on older orders, its label: both without case, spaces and signs."""


class _Amount(Shown):
    value: Decimal
    currencyCode: str  # noqa: N815 -- the API's own names, here and below


class _Charged(_Amount):
    total: Decimal | None = None


class _Credential(Shown):
    value: str
    type: str | None = None
    label: str | None = None
    credentialType: str | None = None  # noqa: N815


class _Reward(Shown):
    credentialList: tuple[_Credential, ...] = ()  # noqa: N815


class Order(Shown):
    """An order: in a list without its reward."""

    referenceOrderID: Id  # noqa: N815
    externalRefID: str | None = None  # noqa: N815
    utid: str | None = None
    status: str
    denomination: _Amount | None = None
    amountCharged: _Charged | None = None  # noqa: N815
    createdAt: str | None = None  # noqa: N815
    reward: _Reward | None = None


class _Page(Shown):
    totalCount: int = Field(ge=0)  # noqa: N815


class Listed(Shown):
    """A page of orders."""

    page: _Page
    orders: tuple[Order, ...]


def supplier_order(order: Order, answer: Answer) -> SupplierOrder:
    """Anybody's order.

    Raises:
        SupplierProtocolError: a status, an amount or a credential is none of the API's.
    """
    if order.status not in _STATES:
        raise failed(SupplierProtocolError("the supplier's order has a status that its API does not document"), answer)
    worth, charged = order.denomination, order.amountCharged
    paid = None if charged is None else charged.value if charged.total is None else charged.total
    state = _STATES[order.status]
    return SupplierOrder(
        order.referenceOrderID,
        order.externalRefID,
        state,
        value=None if worth is None else money(worth.value, worth.currencyCode, answer),
        cost=None if charged is None or paid is None else money(paid, charged.currencyCode, answer),
        created_at=moment(order.createdAt, answer),
        card=gift_card(order, answer) if state is OrderState.EXECUTED else None,
        request_id=answer.request_id,
    )


def gift_card(order: Order, answer: Answer) -> GiftCard | None:
    """The card that an order shows; None where it shows none.

    Raises:
        SupplierProtocolError: it has a credential of a kind that is not known, or two for one place: half of a card
            would be delivered.
    """
    places: dict[str, str] = {}
    for credential in order.reward.credentialList if order.reward is not None else ():
        place = _place(credential)
        if place is None or (place and place in places):
            message = "the supplier's card has credentials that the platform has no place for"
            raise failed(SupplierProtocolError(message), answer)
        if place:
            places[place] = credential.value
    if not places.get(_LINK) and not places.get(_CODE):
        return None
    return GiftCard(
        link=safe_link(places[_LINK], answer) if _LINK in places else None,
        code=places.get(_CODE),
        pin=places.get(_PIN),
        expires_on=places[_EXPIRES][:10] if _EXPIRES in places else None,
    )


def _place(credential: _Credential) -> str | None:
    for name in (credential.credentialType, credential.label):
        place = _PLACES.get("".join(filter(str.isalnum, name or "")).lower())
        if place is not None:
            return place
    return _LINK if credential.type == "url" else None
