"""A gift card above the threshold, on the deployed platform: asked for by an app, decided in the page, shown to its member."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import requests
from playwright.sync_api import BrowserContext

from infra.local.cloud import LocalCloud
from loyalty.console.languages import languages
from loyalty.core.money import Money, minor_units, money_of
from tests.e2e.partner import Partner, eventually
from tests.e2e.signing_in import sign_in
from tests.e2e.traces import events, history, items, log_lines
from tests.financekit.keyboard import tab_to

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("supplier_faults")]

POINTS: Final = 500
CENTS: Final = 2500
ITALIAN: Final = languages()["it"]


class Asked:
    """A redemption of a card of 25.00 USD, where the program lets nobody have more than 20.00 without an approval."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self.member_id = partner.enroll()["member_id"]
        partner.accrue(self.member_id, "500.00")
        held = partner.hold(self.member_id, "gift-card-25")
        assert (held.status_code, held.json()["status"]) == (201, "held")
        self.id: str = held.json()["redemption_id"]
        self.path = f"/members/{self.member_id}/redemptions/{self.id}"
        self.becomes("awaiting_approval")

    def run(self) -> dict[str, Any]:
        """The run and its timeline, as the API tells them."""
        answer = self._partner.call("GET", f"/fulfillment-runs/{self.id}")
        detail: dict[str, Any] = answer.json()
        return detail if answer.status_code == 200 else {"run": {"status": answer.json()["code"]}}

    def becomes(self, status: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            detail = self.run()
            return detail if detail["run"]["status"] == status else None

        return eventually(f"a run that is {status}", look)

    def standing(self) -> tuple[str, int, int]:
        """How the redemption stands; what the member has, and what is held."""
        wallet = self._partner.wallet(self.member_id)
        return self._partner.call("GET", self.path).json()["status"], wallet["available"], wallet["held"]

    def orders(self, cloud: LocalCloud) -> list[dict[str, Any]]:
        """What the supplier has of it."""
        found: list[dict[str, Any]] = requests.get(f"{cloud.supplier_url}/_sandbox/orders", timeout=10).json()
        return [order for order in found if order["external_id"].startswith(self.id)]


@pytest.fixture
def app(cloud: LocalCloud) -> Partner:
    """The members' own app: it reveals cards, and may do nothing else."""
    client_id, secret = cloud.new_client("member-app", ["rewards.reveal"], [cloud.program])
    return Partner(cloud, cloud.token("rewards.reveal", client_id=client_id, client_secret=secret))


def issued_today(partner: Partner) -> tuple[int, int]:
    """Cards in US dollars of the day so far, and their cents."""
    today = datetime.now(UTC).date()
    answer = partner.call("GET", f"/fulfillment-totals?from={today}&until={today}")
    assert answer.status_code == 200, answer.text
    for line in answer.json()["days"][0]["lines"]:
        if (line["supplier"], line["currency"]) == ("tremendous", "USD"):
            return line["issued"], minor_units(Money.of(line["value"]["value"], "USD"))
    return 0, 0


def test_approved_by_the_keyboard_delivered_revealed_and_counted(
    cloud: LocalCloud, partner: Partner, app: Partner, context: BrowserContext, overheard: str
) -> None:
    asked = Asked(partner)
    count, cents = issued_today(partner)
    own = partner.call("POST", f"/fulfillment-runs/{asked.id}/approve", {})
    assert (own.status_code, own.json()["code"]) == (409, "self_approval")
    early = app.call("POST", f"{asked.path}/reveal")
    assert (early.status_code, early.json()["code"]) == (409, "card_not_delivered")
    assert asked.standing() == ("held", 0, POINTS)
    assert asked.orders(cloud) == []

    page = context.new_page()
    sign_in(page, cloud)
    tab_to(page, asked.id, most=80)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{asked.id}")
    assert "Attende approvazione" in page.locator(".standing").inner_text()
    tab_to(page, "note")
    page.keyboard.type("Sentito il negozio.")
    tab_to(page, "Approva")
    page.keyboard.press("Enter")
    page.wait_for_url("**?done=approve")

    detail = asked.becomes("fulfilled")
    assert asked.standing() == ("captured", 0, 0)
    (order,) = asked.orders(cloud)
    assert (order["external_id"], order["status"]) == (asked.id, "EXECUTED")
    card = app.call("POST", f"{asked.path}/reveal")
    assert (card.status_code, card.headers["Cache-Control"]) == (200, "no-store")
    link = card.json()["link"]
    assert requests.get(link, timeout=10).status_code == 200
    assert app.call("GET", f"/fulfillment-runs/{asked.id}").status_code in {401, 403}

    names = [step["name"] for step in detail["timeline"]]
    assert [name for name in names if name in {"screen", "approve", "order", "capture"}][:2] == ["screen", "approve"]
    assert names[-1] == "capture"
    page.goto(f"{cloud.platform.console_url}/{cloud.program}/runs/{asked.id}")
    assert "Evasa" in page.locator(".standing").inner_text()
    assert page.locator("svg.timeline .mark").count() >= len(names)
    told = page.locator("ol.steps").inner_text()
    assert all(said in told for said in ("person:finance", "Sentito il negozio.", "tremendous", "Punti addebitati"))
    assert issued_today(partner) == (count + 1, cents + CENTS)
    page.get_by_role("link", name="Totali").click()
    row = page.get_by_role("row").filter(has_text="tremendous").first.inner_text()
    assert ITALIAN.money(money_of(cents + CENTS, "USD")) in row

    no_trace_of(link.rsplit("/", 1)[1], cloud, asked, overheard)


def no_trace_of(code: str, cloud: LocalCloud, asked: Asked, overheard: str) -> None:
    """Every place knows the redemption, which proves that it was looked through, and none knows the code."""
    places = {
        "an event": json.dumps(
            events(cloud, overheard, asked.member_id, {"redemption.captured", "fulfillment.changed"})
        ),
        "an item": repr(items(cloud)),
        "a log": "\n".join(log_lines(cloud)),
        "the execution's history": json.dumps(
            history(cloud, cloud.platform.outputs["StateMachineArn"], asked.id), default=str
        ),
        "the run": json.dumps(asked.run()),
    }
    assert len(code) > 10
    for place, text in places.items():
        assert asked.id in text, f"{place} was not found"
        assert code not in text, f"the code stands in {place}"


def test_rejected_in_the_page_gives_the_points_back(
    cloud: LocalCloud, partner: Partner, app: Partner, context: BrowserContext
) -> None:
    asked = Asked(partner)
    page = context.new_page()
    sign_in(page, cloud)
    page.goto(f"{cloud.platform.console_url}/{cloud.program}/runs/{asked.id}")
    page.get_by_role("button", name="Respingi").click()
    assert page.get_by_label("Nota").get_attribute("aria-invalid") == "true"
    page.get_by_label("Nota").fill("Non è stato lui.")
    page.get_by_role("button", name="Respingi").click()
    page.wait_for_url("**?done=reject")
    asked.becomes("rejected")
    assert asked.standing() == ("released", POINTS, 0)
    assert asked.orders(cloud) == []
    none = app.call("POST", f"{asked.path}/reveal")
    assert (none.status_code, none.json()["code"]) == (409, "card_not_delivered")
    late = partner.call("POST", f"/fulfillment-runs/{asked.id}/approve", {})
    assert (late.status_code, late.json()["code"]) == (409, "run_ended")
    assert asked.standing() == ("released", POINTS, 0)


def test_whoever_does_not_sign_calls_back_in_vain(cloud: LocalCloud, partner: Partner) -> None:
    answer = requests.post(
        f"{cloud.api_url}/v1/suppliers/tremendous/callbacks",
        json={"event": "ORDERS.CREATED"},
        headers={"Tremendous-Webhook-Signature": "sha256=" + "0" * 64},
        timeout=30,
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "callback_refused")


def test_the_supplier_calls_the_platform_back(cloud: LocalCloud, partner: Partner) -> None:
    """Signed with the key that the secret holds: each call is taken."""
    member_id = partner.enroll()["member_id"]
    partner.accrue(member_id, "200.00")
    redemption_id = partner.hold(member_id, "gift-card-10").json()["redemption_id"]

    def order_id() -> str | None:
        answer = partner.call("GET", f"/fulfillment-runs/{redemption_id}")
        ended = answer.status_code == 200 and answer.json()["run"]["status"] == "fulfilled"
        return answer.json()["run"]["supplier_order_id"] if ended else None

    made = eventually("a card", order_id)
    told = requests.get(f"{cloud.supplier_url}/_sandbox/webhooks", timeout=10).json()
    assert [one["statuses"] for one in told if one["resource"] == made] == [[200]]
