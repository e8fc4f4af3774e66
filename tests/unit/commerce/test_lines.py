"""What was bought, line by line: an extra, which never stands between a purchase and its points."""

from typing import Any

import pytest

from loyalty.accruals.model import Activity, BoughtLine, Refund, activity_hash, refund_hash
from loyalty.commerce import service
from loyalty.commerce.inbound import parse
from loyalty.commerce.model import Purchase
from loyalty.commerce.model import Refund as GivenBack
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.shopify_lines import MOST_LINES
from loyalty.core.money import Money
from loyalty.ledger.model import EntryKey, EntryKind, Line
from tests.unit.commerce.shopify_samples import ORDER, REFUND, envelope
from tests.unit.commerce.test_service import EMAIL, paid, refunded
from tests.unit.commerce.world import PROGRAM, Commerce

LINES = [
    {"id": 1, "quantity": 2, "price": "150.00", "discount_allocations": [{"amount": "20.00"}, {"amount": "10.00"}]},
    {"id": 2, "quantity": 1, "price": "50.00", "discount_allocations": []},
]
"""They come to what the order comes to: 320.00."""


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def lines(**changes: Any) -> tuple[BoughtLine, ...]:
    found = parse(envelope("orders/paid", ORDER | changes))
    assert isinstance(found, Purchase)
    return found.lines


def test_a_line_is_net_of_the_discounts_allocated_to_it() -> None:
    assert lines(line_items=LINES) == (
        BoughtLine(usd("270.00"), 2, "1", discount=usd("30.00")),
        BoughtLine(usd("50.00"), 1, "2"),
    )


def test_a_line_says_what_it_is_of() -> None:
    told = {"sku": " LAMP-1 ", "product_id": 632910392, "product_type": "Lamps", "vendor": "Lumen", "gift_card": False}
    card = {"sku": "", "product_id": None, "vendor": "Aurora", "gift_card": True}
    found = lines(line_items=[LINES[0] | told, LINES[1] | card])
    assert [(line.sku, line.product, line.category, line.gift_card, line.discounted) for line in found] == [
        ("LAMP-1", "632910392", "Lamps", False, True),
        (None, None, "Aurora", True, False),
    ]


@pytest.mark.parametrize("odd", ["x" * 101, "two\nlines", 4.5, True, ["a"], {}])
def test_a_word_that_is_none_is_left_out_and_its_line_is_not(odd: object) -> None:
    found = lines(line_items=[LINES[0] | {"sku": odd, "product_id": odd, "vendor": odd, "gift_card": "yes"}, LINES[1]])
    assert [(line.sku, line.product, line.category, line.gift_card) for line in found] == [
        (None, None, None, False)
    ] * 2


TAXED = [
    LINES[0] | {"tax_lines": [{"price": "40.00"}, {"price": "8.68"}]},
    LINES[1] | {"tax_lines": [{"price": "9.02"}]},
]


@pytest.mark.parametrize(
    ("changes", "tax"),
    [
        ({"taxes_included": True}, "57.70"),
        ({"taxes_included": False}, None),
        ({}, None),
        ({"taxes_included": True, "line_items": LINES}, None),
        ({"taxes_included": True, "line_items": [LINES[0] | {"tax_lines": [{"price": "320.01"}]}]}, None),
        ({"taxes_included": True, "line_items": [LINES[0] | {"tax_lines": [{"price": 5}]}]}, None),
    ],
)
def test_the_tax_that_prices_include(changes: dict[str, Any], tax: str | None) -> None:
    found = parse(envelope("orders/paid", ORDER | {"line_items": TAXED} | changes))
    assert isinstance(found, Purchase)
    assert found.tax == (usd(tax) if tax else None)
    assert found.lines  # odd taxes take nothing from them


def test_lines_are_in_the_shops_currency() -> None:
    found = lines(line_items=[{"id": 1, "quantity": 3, "price": "500"}], currency="JPY", subtotal_price="1500",
                  total_price="1500")  # fmt: skip
    assert found == (BoughtLine(Money.of("1500", "JPY"), 3, "1"),)


def test_a_line_of_nothing_is_left_out() -> None:
    assert lines(line_items=[*LINES, {"id": 3, "quantity": 0, "price": "9.00"}]) == lines(line_items=LINES)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "lines",
        {},
        [None],
        [LINES[0], LINES[0]],
        [LINES[0] | {"id": None}],
        [LINES[0] | {"quantity": "2"}],
        [LINES[0] | {"quantity": -1}],
        [LINES[0] | {"quantity": True}],
        [LINES[0] | {"price": 150.0}],
        [LINES[0] | {"price": "-1.00"}],
        [LINES[0] | {"price": "1.005"}],
        [LINES[0] | {"discount_allocations": [{"amount": "300.01"}]}],
        [LINES[0] | {"discount_allocations": [{"amount": "-1.00"}]}],
        [LINES[0] | {"discount_allocations": None}],
        [LINES[0] | {"id": number} for number in range(1, MOST_LINES + 2)],
    ],
)
def test_odd_lines_leave_a_purchase_without_any(odd: object) -> None:
    assert lines(line_items=odd) == ()


def test_so_many_lines_are_kept() -> None:
    assert len(lines(line_items=[LINES[0] | {"id": number} for number in range(1, MOST_LINES + 1)])) == MOST_LINES


def test_lines_go_into_the_entry_and_may_be_given_back_one_by_one(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    commerce.apply(paid(line_items=LINES))
    entry = commerce.ledger.entry(PROGRAM, member, EntryKey(EntryKind.ACCRUAL, "shopify", str(ORDER["id"])))
    assert entry is not None
    assert entry.facts.lines == {"1": Line(2, usd("270.00")), "2": Line(1, usd("50.00"))}
    back = Refund("shopify", "by-hand", str(ORDER["id"]), commerce.clock(), lines={"1": 1})
    commerce.accruals.reverse(commerce.programs.current(PROGRAM), member, back)
    assert commerce.points(member) == 320 - 135
    commerce.audit()


def test_what_is_claimed_has_its_lines_too(commerce: Commerce) -> None:
    commerce.apply(paid(line_items=LINES))
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member) == [Outcome.CLAIMED]
    entry = commerce.ledger.entry(PROGRAM, member, EntryKey(EntryKind.ACCRUAL, "shopify", str(ORDER["id"])))
    assert entry is not None
    assert set(entry.facts.lines) == {"1", "2"}


@pytest.mark.parametrize("first", [{}, {"line_items": LINES}, {"line_items": LINES[:1]}])
def test_a_purchase_told_again_with_other_lines_is_the_same_purchase(commerce: Commerce, first: dict[str, Any]) -> None:
    """Before lines were kept, purchases were posted without."""
    member = commerce.enroll(EMAIL)
    assert commerce.apply(paid(**first)) == [Outcome.ACCRUED]
    assert commerce.apply(paid(line_items=LINES)) == [Outcome.REPLAYED]
    assert commerce.apply(paid()) == [Outcome.REPLAYED]
    assert commerce.points(member) == 320


def test_requests_hash_to_what_they_always_did() -> None:
    """Of entries that stand in ledgers since before there were lines: another hash would refuse a redelivery."""
    purchase = parse(paid(line_items=LINES))
    assert isinstance(purchase, Purchase)
    activity = service._activity(purchase)
    assert isinstance(activity, Activity)
    assert activity.lines
    assert activity_hash(activity) == "bef1d6467880ae91aba366f1e2beddb3"
    given_back = parse(envelope("refunds/create", REFUND))
    assert isinstance(given_back, GivenBack)
    refund = Refund(
        given_back.source,
        given_back.source_id,
        given_back.purchase_source_id,
        given_back.occurred_at,
        given_back.amount,
    )
    assert refund_hash(refund) == "bf9573429335637d556d7b26c70c8e86"


def test_a_refund_event_stays_a_refund_of_money_whatever_lines_it_names(commerce: Commerce) -> None:
    """The gesture of a third of the price is a third of the points, though all lines are listed."""
    member = commerce.enroll(EMAIL)
    commerce.apply(paid(line_items=LINES))
    commerce.apply(refunded("70.50", refund_line_items=[{"line_item_id": 1, "quantity": 2}]))
    assert commerce.points(member) == 320 - 64
