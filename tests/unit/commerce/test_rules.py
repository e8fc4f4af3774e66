"""Events earn by rules as requests do: what they say of a purchase decides, also where it was kept meanwhile."""

import json
from datetime import date
from typing import Any

import pytest

from loyalty.accruals.told import deed_of
from loyalty.commerce.inbound import parse
from loyalty.commerce.items import UnclaimedItem, activity_of, unclaimed_put
from loyalty.commerce.model import MemberActivity
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.service import _activity
from loyalty.core.errors import Rejected
from loyalty.core.table import Table
from loyalty.ledger.model import EntryKey, EntryKind, Facts
from loyalty.programs.deeds import Deed
from loyalty.segments.model import Assignment
from loyalty.segments.service import SegmentService
from loyalty.segments.store import SegmentStore
from tests.ledgerkit.calls import items_read
from tests.ledgerkit.deeds import rule
from tests.ledgerkit.programs import SEGMENTS, document
from tests.unit.commerce.shopify_samples import SHOP
from tests.unit.commerce.test_lines import LINES
from tests.unit.commerce.test_service import EMAIL, paid
from tests.unit.commerce.world import PROGRAM, Commerce

RULES = [
    {"id": "buy", "activity": "purchase", "rates": [{"points": 1, "per": "1.00", "currency": "USD"}]},
    rule("lamps", multiplier="2", of=["buy"], lines="line.category == 'Lamps'"),
    rule("roma", fixed_points=7, when="store == 'roma-1' && has(attributes.size) && attributes.size == 'l'"),
    rule("pieces", points_per_item=1, lines="line.gift_card == false"),
]
LAMP = LINES[0] | {"product_type": "Lamps", "sku": "LAMP-1"}
CARD = LINES[1] | {"gift_card": True}


@pytest.fixture
def shop(table: Table) -> Commerce:
    commerce = Commerce(table)
    commerce.programs.publish(
        document(id=PROGRAM, earn_rules=RULES, exclusions=["tax"], shopify_shops=[SHOP]), expected_version=1, actor="test"
    )  # fmt: skip
    commerce.clock.set("2026-11-22T09:02:00Z")  # programs are read once a minute
    return commerce


def recorded(**changes: Any) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "program": PROGRAM, "email": EMAIL, "activity": "purchase", "source": "till", "source_id": "T-1",
        "occurred_at": "2026-11-22T08:00:00Z", "channel": "in_store", "amount": {"value": "110.00", "currency": "USD"},
        "tax": {"value": "10.00", "currency": "USD"}, "store": "roma-1", "attributes": {"size": "l"},
        "lines": [
            {"category": "Lamps", "quantity": 2, "amount": {"value": "60.00", "currency": "USD"}},
            {"line_id": "b", "gift_card": True, "amount": {"value": "40.00", "currency": "USD"}},
        ],
    }  # fmt: skip
    return {"source": "till", "detail-type": "activity.recorded", "detail": detail | changes}


def facts(commerce: Commerce, member: str, source: str, source_id: str) -> Facts:
    entry = commerce.ledger.entry(PROGRAM, member, EntryKey(EntryKind.ACCRUAL, source, source_id))
    assert entry is not None
    return entry.facts


def given(commerce: Commerce, member: str, source: str, source_id: str) -> dict[str, int]:
    return dict(facts(commerce, member, source, source_id).rule_points["points"])


def deed() -> Deed:
    """What the event tells, as rules see it."""
    told = parse(recorded())
    assert isinstance(told, MemberActivity)
    return _activity(told).deed


IN_ALL = {"buy": 100, "lamps": 60, "roma": 7, "pieces": 2}
"""100 of the 110 are no tax, 60 of them for lamps, of which there are two pieces."""


def test_an_activity_s_lines_store_and_attributes_decide(shop: Commerce) -> None:
    member = shop.enroll(EMAIL)
    assert shop.apply(recorded()) == [Outcome.ACCRUED]
    assert given(shop, member, "till", "T-1") == IN_ALL
    assert deed_of(facts(shop, member, "till", "T-1")) == deed()
    assert shop.apply(recorded()) == [Outcome.REPLAYED]
    shop.audit()


def test_what_is_claimed_later_earns_the_same(shop: Commerce) -> None:
    assert shop.apply(recorded()) == [Outcome.KEPT]
    member = shop.enroll(EMAIL)
    assert shop.signal(member) == [Outcome.CLAIMED]
    assert given(shop, member, "till", "T-1") == IN_ALL
    assert deed_of(facts(shop, member, "till", "T-1")) == deed()
    assert shop.apply(recorded()) == [Outcome.REPLAYED]
    shop.audit()


def test_an_order_s_lines_decide(shop: Commerce) -> None:
    member = shop.enroll(EMAIL)
    order = paid(line_items=[LAMP | {"tax_lines": [{"price": "20.00"}]}, CARD], taxes_included=True)
    assert shop.apply(order) == [Outcome.ACCRUED]
    # 300 of the 320 are no tax; of these 270 of 320 parts are for lamps, 253.125, in whole cents 253.13
    assert given(shop, member, "shopify", "5512000000001") == {"buy": 300, "lamps": 253, "pieces": 2}


def test_what_is_kept_comes_back_as_it_came() -> None:
    event = parse(recorded())
    assert isinstance(event, MemberActivity)
    activity = _activity(event)
    put = unclaimed_put(PROGRAM, "digest", activity, 1)
    assert isinstance(put.item, UnclaimedItem)
    raw = put.item.serialize()
    assert activity_of(UnclaimedItem.from_raw_data(raw)) == activity


@pytest.mark.parametrize(
    "changes",
    [
        {"tax": {"value": "110.01", "currency": "USD"}},
        {"tax": {"value": "1.001", "currency": "USD"}},
        {"lines": [{"amount": {"value": "1.00", "currency": "XXQ"}}]},
        {"attributes": {"a b": "c"}},
        {"lines": [{"colour": "red", "amount": {"value": "1.00", "currency": "USD"}}]},
    ],
)
def test_what_no_request_may_say_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as refusal:
        parse(recorded(**changes))
    assert refusal.value.reason == "malformed_payload"


def test_a_batch_of_one_member_earns_by_their_segments_and_reads_them_once(table: Table) -> None:
    commerce = Commerce(table)
    of_staff = rule("staff", multiplier="2", when="'staff' in member.segments")
    commerce.programs.publish(
        document(id=PROGRAM, earn_rules=[RULES[0], of_staff], segments=SEGMENTS, shopify_shops=[SHOP]),
        expected_version=1,
        actor="test",
    )
    commerce.clock.set("2026-11-22T09:02:00Z")
    member = commerce.enroll(EMAIL)
    staff = [Assignment("staff", date(2026, 11, 21))]
    SegmentService(SegmentStore(table), commerce.clock).assign(commerce.programs.current(PROGRAM), member, staff)
    bodies = [
        json.dumps(recorded(source_id=f"T-{day}", occurred_at=f"2026-11-{day}T12:00:00Z")) for day in (20, 21, 22)
    ]
    commerce.clock.set("2026-11-22T12:00:00Z")
    with items_read(table.client) as items:
        results = commerce.run(*bodies)
    assert [result.outcomes for result in results] == [[Outcome.ACCRUED]] * 3
    assert [given(commerce, member, "till", f"T-{day}") for day in (20, 21)] == [{"buy": 110, "staff": 110}] * 2
    assert commerce.points(member) == 2 * 220 + 110
    assert items == [1, 2]  # the lookup; then the book and the segments, for all three
