"""Many clients at one wallet, and gift cards through the state machine when the supplier misbehaves."""

import hmac
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from infra.local.cloud import LocalCloud
from infra.local.supplier.webhooks import SANDBOX_WEBHOOK_KEY, SIGNATURE_HEADER
from loyalty_contract import RUN_SK
from tests.e2e.partner import Partner, eventually, unique

pytestmark = pytest.mark.e2e


def test_sixty_four_redemptions_against_points_for_ten_give_exactly_ten(partner: Partner) -> None:
    member_id = partner.enroll()["member_id"]
    partner.accrue(member_id, "499")
    partner.accrue(member_id, "1")
    with ThreadPoolExecutor(64) as threads:
        answers = list(threads.map(lambda _: partner.hold(member_id, "coffee"), range(64)))
    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 54}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"insufficient_points"}
    wallet = partner.wallet(member_id)
    assert (wallet["available"], wallet["held"]) == (0, 500)


def gift_card(partner: Partner) -> tuple[str, str]:
    """A member who holds points for a gift card, and the path of the redemption."""
    member_id = partner.enroll()["member_id"]
    partner.accrue(member_id, "200")
    held = partner.hold(member_id, "gift-card-10")
    assert held.status_code == 201, held.text
    return member_id, f"/members/{member_id}/redemptions/{held.json()['redemption_id']}"


def ended(partner: Partner, path: str) -> str:
    """How the redemption ended, once it has."""

    def look() -> str | None:
        status: str = partner.call("GET", path).json()["status"]
        return status if status != "held" else None

    return eventually(f"an end of {path}", look)


def orders_of(cloud: LocalCloud, path: str) -> list[dict[str, Any]]:
    orders = requests.get(f"{cloud.supplier_url}/_sandbox/orders", timeout=10).json()
    found: list[dict[str, Any]] = orders["orders"] if isinstance(orders, dict) else orders
    return [order for order in found if order["external_id"] == path.rsplit("/", 1)[1]]


def test_a_gift_card_is_ordered_once_captured_and_shown(
    cloud: LocalCloud, partner: Partner, supplier_faults: str
) -> None:
    member_id, path = gift_card(partner)
    assert ended(partner, path) == "captured"
    card = partner.call("POST", f"{path}/reveal")
    assert card.json()["link"].startswith("http")
    assert card.headers["Cache-Control"] == "no-store"
    assert len(orders_of(cloud, path)) == 1
    wallet = partner.wallet(member_id)
    assert (wallet["available"], wallet["held"]) == (0, 0)


@pytest.mark.parametrize("fault", ["refuse", "out_of_stock"])
def test_a_refused_order_gives_the_points_back(
    cloud: LocalCloud, partner: Partner, supplier_faults: str, fault: str
) -> None:
    requests.put(supplier_faults, json=[{"fault": fault}], timeout=10).raise_for_status()
    member_id, path = gift_card(partner)
    assert ended(partner, path) == "released"
    assert orders_of(cloud, path) == []
    assert partner.wallet(member_id)["available"] == 200


@pytest.mark.parametrize(
    "rule",
    [{"fault": "error_500", "times": 1}, {"fault": "late_after_success", "times": 1, "delay": 12}],
    ids=lambda rule: rule["fault"],
)
def test_an_answer_that_fails_or_comes_late_still_makes_one_order(
    cloud: LocalCloud, partner: Partner, supplier_faults: str, rule: dict[str, object]
) -> None:
    requests.put(supplier_faults, json=[rule], timeout=10).raise_for_status()
    _, path = gift_card(partner)
    assert ended(partner, path) == "captured"
    assert len(orders_of(cloud, path)) == 1


def test_an_order_that_its_supplier_settles_later_is_waited_for_with_a_token(
    cloud: LocalCloud, partner: Partner, supplier_faults: str
) -> None:
    """Whether the supplier's call ends the wait or the time that the step before it named, it is one order."""
    rule = {"fault": "pending", "times": 1, "settle_after": 3}
    requests.put(supplier_faults, json=[rule], timeout=10).raise_for_status()
    _, path = gift_card(partner)
    key = {"pk": {"S": f"F#{cloud.program}#{path.rsplit('/', 1)[1]}"}, "sk": {"S": RUN_SK}}
    eventually("a run that waits", lambda: "task_token" in run_of(cloud, key) or None)
    (order,) = orders_of(cloud, path)
    assert calls_back(cloud, order["id"]).json() == {"received": True}
    assert ended(partner, path) == "captured"
    assert len(orders_of(cloud, path)) == 1


def run_of(cloud: LocalCloud, key: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cloud.client("dynamodb").get_item(TableName=cloud.table, Key=key).get("Item", {})
    return found


def calls_back(cloud: LocalCloud, order_id: str) -> requests.Response:
    """What the supplier would send of an order, signed as it signs."""
    resource = {"id": order_id, "type": "orders"}
    event = {"event": "ORDERS.CREATED", "uuid": unique(), "payload": {"resource": resource, "meta": {}}}
    body = json.dumps(event | {"created_utc": datetime.now(UTC).isoformat(timespec="milliseconds")}).encode()
    signature = "sha256=" + hmac.new(SANDBOX_WEBHOOK_KEY.encode(), body, "sha256").hexdigest()
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature}
    return requests.post(f"{cloud.api_url}/v1/suppliers/tremendous/callbacks", body, headers=headers, timeout=30)
