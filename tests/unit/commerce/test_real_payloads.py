"""Payloads that nobody on this project wrote, where they are at hand; they are not part of the repository."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loyalty.commerce.inbound import parse
from loyalty.commerce.model import Ignored, Purchase, Refund
from loyalty.core.errors import Rejected
from tests.unit.commerce.shopify_samples import envelope

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real payloads beside the repository")


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DATA / name).read_text())
    return loaded


def bare(name: str) -> Any:
    body = load(f"shopify/{name}.json")
    return next(iter(body["orders"])) if "orders" in body else next(iter(body.values()))


# name: (order id, subtotal, total, currency, customer id, email)
ORDERS = {
    "legacy_order": ("450789469", "398.00", "409.94", "USD", "207119551", "bob.norman@hostmail.com"),
    "order_06": ("1073459969", "199.00", "199.00", "USD", None, None),
    "order_16": ("1073459976", "224.97", "238.47", "EUR", None, None),
    "order_17": ("1073459980", "199.00", "199.00", "USD", "1073339474", "jane@example.com"),
    "order_18": ("1073459983", "199.00", "199.00", "USD", "207119551", "bob.norman@mail.example.com"),
    "order_19": ("1073459972", "199.00", "199.00", "USD", "1073339470", "foo@example.com"),
    "order_20": ("1073459966", "199.00", "199.00", "USD", None, None),
    "order_21": ("1073459975", "199.00", "199.00", "USD", "1073339471", "foo@example.com"),
    "order_22": ("1073459970", "199.00", "199.00", "USD", "1073339468", "foo@example.com"),
    "order_23": ("1073459981", "181.09", "181.09", "USD", "1073339475", "jane@example.com"),
}
UNPAID = {"legacy_order": "authorized", "order_17": "partially_paid", "order_18": "pending"}


@pytest.mark.parametrize("lower_case", [False, True])
@pytest.mark.parametrize("name", ORDERS)
def test_a_paid_order(name: str, lower_case: bool) -> None:
    found = parse(envelope("orders/paid", bare(name), lower_case=lower_case))
    assert isinstance(found, Purchase)
    assert (
        found.source_id,
        str(found.amount.amount),
        str(found.refund_basis.amount),
        found.amount.currency,
        found.customer.external_id,
        found.customer.email,
    ) == ORDERS[name]


@pytest.mark.parametrize("name", ORDERS)
def test_an_updated_order_counts_only_when_paid(name: str) -> None:
    found = parse(envelope("orders/updated", bare(name)))
    assert isinstance(found, Ignored if name in UNPAID else Purchase)


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_the_answer_of_the_admin_api_is_unwrapped_unless_it_is_a_list(name: str) -> None:
    event = envelope("orders/paid", load(f"shopify/{name}.json"))
    if name == "order_06":
        with pytest.raises(Rejected, match="a list of orders") as caught:
            parse(event)
        assert caught.value.reason == "malformed_payload"
    else:
        assert isinstance(parse(event), Purchase)


@pytest.mark.parametrize(
    ("name", "refund_id", "amount"), [("refund_02", "929361472", "41.94"), ("refund_03", "929361471", "5.00")]
)
def test_a_refund(name: str, refund_id: str, amount: str) -> None:
    found = parse(envelope("refunds/create", bare(name)))
    assert isinstance(found, Refund)
    assert (found.source_id, found.purchase_source_id, found.amount.amount) == (refund_id, "450789469", Decimal(amount))


def test_a_calculated_refund_is_none_yet() -> None:
    with pytest.raises(Rejected) as caught:
        parse(envelope("refunds/create", bare("refund_05")))
    assert caught.value.reason == "malformed_payload"


@pytest.mark.parametrize("name", ["customer_02", "customer_03"])
def test_customers_are_ignored(name: str) -> None:
    assert isinstance(parse(envelope("customers/update", load(f"shopify/{name}.json"))), Ignored)


@pytest.mark.parametrize("name", ["gift_card_01", "gift_card_02"])
def test_gift_cards_are_no_orders(name: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse(envelope("orders/paid", load(f"shopify/{name}.json")))
    assert caught.value.reason == "malformed_payload"


def other_platforms() -> list[str]:
    return [f"{path.parent.name}/{path.name}" for path in sorted(DATA.glob("s[qt][ru]*/*.json"))]


@pytest.mark.parametrize("name", other_platforms())
def test_other_platforms_are_refused_by_name(name: str) -> None:
    event = {"source": "webhooks.example", "detail-type": "relayed", "detail": load(name)}
    with pytest.raises(Rejected, match="(?i)" + name.split("/", maxsplit=1)[0]) as caught:
        parse(event)
    assert caught.value.reason == "unsupported_platform"
