from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.commerce.inbound import parse
from loyalty.commerce.model import Ignored, Purchase, Refund
from loyalty.core.errors import Rejected
from loyalty.core.money import Money
from tests.unit.commerce.shopify_samples import ORDER, REFUND, SHOP, envelope


def purchase(topic: str = "orders/paid", *, lower_case: bool = False, **changes: Any) -> Purchase:
    found = parse(envelope(topic, ORDER | changes, lower_case=lower_case))
    assert isinstance(found, Purchase)
    return found


def refund(**changes: Any) -> Refund:
    found = parse(envelope("refunds/create", REFUND | changes))
    assert isinstance(found, Refund)
    return found


def rejected(event: dict[str, Any]) -> Rejected:
    with pytest.raises(Rejected) as caught:
        parse(event)
    return caught.value


def line(subtotal: str, tax: str) -> dict[str, Any]:
    return {"subtotal_set": shop_money(subtotal), "total_tax_set": shop_money(tax)}


def shop_money(amount: str, currency: str = "USD") -> dict[str, Any]:
    return {"shop_money": {"amount": amount, "currency_code": currency}}


@pytest.mark.parametrize("lower_case", [False, True])
def test_a_paid_order_is_a_purchase_in_both_envelopes(lower_case: bool) -> None:
    found = purchase(lower_case=lower_case)
    assert (found.source, found.source_id) == ("shopify", "5512000000001")
    assert found.occurred_at == datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
    assert found.amount == Money.of("320.00", "USD")
    assert found.refund_basis == Money.of("352.50", "USD")
    assert (found.customer.external_id, found.customer.email) == ("7100000000001", "planted.buyer@example.com")
    assert (found.shop, found.program, found.channel, found.order_name) == (SHOP, None, "web", "#1001")


def test_headers_are_read_whatever_their_case() -> None:
    event = envelope("orders/paid", ORDER)
    metadata = event["detail"]["metadata"]
    event["detail"]["metadata"] = {key.upper(): value for key, value in metadata.items()}
    assert isinstance(parse(event), Purchase)


@pytest.mark.parametrize("topic", ["orders/create", "orders/updated"])
def test_another_topic_about_a_paid_order_tells_of_the_same_purchase(topic: str) -> None:
    assert purchase(topic) == purchase("orders/paid")


@pytest.mark.parametrize("status", ["pending", "authorized", "partially_paid", "partially_refunded", "voided", None])
@pytest.mark.parametrize("topic", ["orders/create", "orders/updated"])
def test_an_order_that_is_not_paid_is_ignored(topic: str, status: str | None) -> None:
    assert isinstance(parse(envelope(topic, ORDER | {"financial_status": status})), Ignored)


def test_orders_paid_is_believed_whatever_the_status_says() -> None:
    assert purchase(financial_status="partially_refunded").source_id == "5512000000001"


def test_a_test_order_is_ignored_and_says_so() -> None:
    assert parse(envelope("orders/paid", ORDER | {"test": True})) == Ignored(
        "orders/paid", "a test order: no money was paid"
    )


@pytest.mark.parametrize(
    ("email", "contact_email", "customer", "expected"),
    [
        ("a@example.com", "b@example.com", {"id": 1, "email": "c@example.com"}, ("1", "a@example.com")),
        ("", "b@example.com", {"id": 1, "email": "c@example.com"}, ("1", "b@example.com")),
        (None, "", {"id": 1, "email": " c@example.com "}, ("1", "c@example.com")),
        ("", None, None, (None, None)),
        ("n/a", None, {"id": None}, (None, None)),
    ],
)
def test_the_buyer_is_known_by_id_and_by_the_first_usable_email(
    email: str | None,
    contact_email: str | None,
    customer: dict[str, Any] | None,
    expected: tuple[str | None, str | None],
) -> None:
    found = purchase(email=email, contact_email=contact_email, customer=customer).customer
    assert (found.external_id, found.email) == expected


def test_an_order_without_a_customer_key_is_a_guests() -> None:
    payload = {key: value for key, value in ORDER.items() if key not in {"customer", "email", "contact_email"}}
    found = parse(envelope("orders/paid", payload))
    assert isinstance(found, Purchase)
    assert (found.customer.external_id, found.customer.email) == (None, None)


def test_created_at_stands_in_for_a_missing_processed_at() -> None:
    assert purchase(processed_at=None).occurred_at == datetime(2026, 11, 20, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize(("name", "channel"), [("POS", "pos"), ("755357713", "shopify"), (None, "shopify")])
def test_an_app_number_is_no_channel(name: str | None, channel: str) -> None:
    assert purchase(source_name=name).channel == channel


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": True},
        {"id": 1.5},
        {"id": -1},
        {"id": "gid://shopify/Order/1"},
        {"subtotal_price": 320.0},
        {"subtotal_price": 320},
        {"subtotal_price": "-1.00"},
        {"subtotal_price": "1e3"},
        {"subtotal_price": "NaN"},
        {"subtotal_price": "1_000.00"},
        {"subtotal_price": "٣٢٠"},
        {"subtotal_price": "320.00\n"},
        {"subtotal_price": "9999999999999.00"},
        {"subtotal_price": "1.005"},
        {"total_price": None},
        {"currency": "XXX"},
        {"currency": "usd"},
        {"currency": "JPY", "subtotal_price": "1.50"},
        {"created_at": "2026-11-20T10:15:00"},
        {"created_at": "2026-02-30T10:15:00Z"},
        {"processed_at": "0001-01-01T00:00:00+14:00"},
        {"processed_at": "2026-W47-5T10:15:00Z"},
        {"processed_at": 1763600000},
        {"customer": "somebody"},
        {"name": "#" * 65},
    ],
)
def test_an_unusable_order_is_malformed(changes: dict[str, Any]) -> None:
    assert rejected(envelope("orders/paid", ORDER | changes)).reason == "malformed_payload"


@pytest.mark.parametrize("payload", [None, [], "order", 7, {}, {"orders": [ORDER]}, {"order": [ORDER]}])
def test_what_is_no_order_is_malformed(payload: object) -> None:
    assert rejected(envelope("orders/paid", payload)).reason == "malformed_payload"


def test_a_zero_decimal_currency_is_exact() -> None:
    assert str(purchase(currency="JPY", subtotal_price="3200.00", total_price="3520").amount) == "3200 JPY"


def test_wrapped_objects_are_unwrapped() -> None:
    assert parse(envelope("orders/paid", {"order": ORDER})) == purchase()
    assert parse(envelope("refunds/create", {"refund": REFUND})) == refund()


def test_a_refund_is_the_money_given_back() -> None:
    found = refund(
        transactions=[
            {"kind": "refund", "status": "success", "amount": "30.00", "currency": "USD"},
            {"kind": "refund", "status": "pending", "amount": "5.50", "currency": "USD"},
            {"kind": "refund", "status": "failure", "amount": "11.00", "currency": "USD"},
            {"kind": "void", "status": "success", "amount": "99.00", "currency": "USD"},
        ]
    )
    assert (found.source_id, found.purchase_source_id) == ("8812000000001", "5512000000001")
    assert found.amount == Money.of("35.50", "USD")
    assert found.occurred_at == datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def test_without_transactions_the_lines_and_adjustments_count() -> None:
    found = refund(
        transactions=[],
        refund_line_items=[line("30.00", "1.80"), line("10.00", "0.60")],
        order_adjustments=[{"amount_set": shop_money("-5.00"), "tax_amount_set": shop_money("-0.30")}],
    )
    assert found.amount == Money.of("47.70", "USD")


def test_with_transactions_lines_of_any_shape_are_left_unread() -> None:
    assert refund(refund_line_items=[{"subtotal": 30.0, "total_tax": 0.0}]).amount == Money.of("30.00", "USD")


@pytest.mark.parametrize(
    "changes",
    [
        {"transactions": [], "refund_line_items": []},
        {"transactions": [{"kind": "refund", "status": "failure", "amount": "30.00", "currency": "USD"}]},
        {
            "transactions": [],
            "refund_line_items": [line("30.00", "0.00")],
            "order_adjustments": [{"amount_set": shop_money("30.00")}],
        },
    ],
)
def test_a_refund_that_gives_nothing_back_is_ignored(changes: dict[str, Any]) -> None:
    assert isinstance(parse(envelope("refunds/create", REFUND | changes)), Ignored)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"order_id": None},
        {"transactions": None},
        {"transactions": [{"kind": "refund", "status": "success", "amount": 30.0, "currency": "USD"}]},
        {"transactions": [{"kind": "refund", "status": "success", "amount": "-30.00", "currency": "USD"}]},
        {
            "transactions": [
                {"kind": "refund", "status": "success", "amount": "1.00", "currency": "USD"},
                {"kind": "refund", "status": "success", "amount": "1.00", "currency": "EUR"},
            ]
        },
        {"transactions": [], "refund_line_items": [{"subtotal": 30.0, "total_tax": 0.0}]},
        {"transactions": [], "order_adjustments": [{"amount_set": shop_money("5.00")}]},
    ],
)
def test_an_unusable_refund_is_malformed(changes: dict[str, Any]) -> None:
    assert rejected(envelope("refunds/create", REFUND | changes)).reason == "malformed_payload"


def test_known_topics_without_points_are_ignored() -> None:
    assert isinstance(parse(envelope("orders/fulfilled", {"id": 1})), Ignored)


@pytest.mark.parametrize("topic", ["orders/unheard_of", "Order", "customers/redact", "x@example.com", ""])
def test_other_topics_are_rejected_without_quoting_them(topic: str) -> None:
    refusal = rejected(envelope(topic, ORDER))
    assert refusal.reason == "unknown_topic"
    assert "@" not in refusal.detail


def test_a_shop_that_is_no_host_name_is_malformed() -> None:
    event = envelope("orders/paid", ORDER)
    event["detail"]["metadata"]["X-Shopify-Shop-Domain"] = "a shop"
    assert rejected(event).reason == "malformed_payload"


def test_nothing_that_may_be_logged_shows_the_buyer() -> None:
    assert "planted" not in repr(purchase())
    refusal = rejected(envelope("orders/paid", ORDER | {"subtotal_price": "planted@example.com"}))
    assert "planted" not in f"{refusal!r} {refusal.detail} {refusal.__cause__!r}"
