"""Planted personal data is found nowhere but under encryption."""

import json
import uuid
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from tests.e2e.partner import Bus, Partner, envelope, eventually, shopify_order, unique
from tests.e2e.traces import events, items, log_lines

pytestmark = pytest.mark.e2e


def test_no_personal_data_in_logs_events_or_items(cloud: LocalCloud, partner: Partner, overheard: str) -> None:
    mark = uuid.uuid4().hex[:10]
    email, phone = f"planted-{mark}@example.com", f"+39333{int(mark, 16) % 10**7:07d}"
    given, family = f"Plantedgiven{mark}", f"Plantedfamily{mark}"
    member_id = partner.enroll(email, phone=phone, given_name=given, family_name=family)["member_id"]
    bus, order, stray, unknown = Bus(cloud), unique(), unique(), f"nobody-{mark}@example.com"
    bus.put(envelope("orders/paid", shopify_order(order, "10.00", email=email)))
    bus.put(envelope("orders/paid", shopify_order(stray, "10.00", email=unknown)))
    partner.entry(member_id, f"accrual:shopify:{order}")
    again = partner.call("POST", "/members", {"email": email, "phone": "nonsense", "given_name": given})
    taken = partner.call("POST", "/members", {"email": email, "given_name": "X"})
    heard = events(cloud, overheard, member_id, {"member.enrolled", "points.accrued"})

    def with_the_stray() -> list[dict[str, Any]] | None:
        stored = items(cloud)
        return stored if any(item["sk"]["S"] == f"UNCLAIMED#shopify#{stray}" for item in stored) else None

    stored = eventually("the purchase of nobody", with_the_stray)
    logs = list(log_lines(cloud))
    assert any(member_id in line or "EventsReceived" in line for line in logs)
    places = {
        "a problem": again.text + taken.text,
        "an event": json.dumps(heard),
        "an item": repr(stored),
        "a log": "\n".join(logs),
    }
    for place, text in places.items():
        for planted in (mark, email, phone, given, family, unknown):
            assert planted not in text, f"{planted} stands in {place}"
