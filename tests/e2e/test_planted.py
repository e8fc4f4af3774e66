"""Planted values are found nowhere but under encryption: in a flow through every feature, and after the whole suite."""

import json
import uuid
from typing import Any

import pytest

import loyalty_contract as contract
from infra.local.cloud import LocalCloud
from tests.e2e.partner import Bus, Partner, envelope, eventually, shopify_order, unique
from tests.e2e.places import forms, found
from tests.e2e.traces import events, items

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("supplier_faults")]

TEST_MAIL = "@example.com"
"""In every address that any test of the suite gives to anybody."""


@pytest.fixture
def everybody(cloud: LocalCloud) -> Partner:
    """A client with every scope."""
    client_id, secret = cloud.new_client(f"planting-{unique()}", list(contract.SCOPES), [cloud.program])
    return Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))


class Planted:
    """Somebody whose every word is known, and a mark that is in most of them."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex[:12]
        self.email, self.other_email = f"planted-{self.mark}@example.com", f"later-{self.mark}@example.com"
        self.phone = f"+39333{int(self.mark, 16) % 10**7:07d}"
        self.given, self.family = f"Plàntedgiven{self.mark}", f"Plantedfamily{self.mark}"
        self.stranger = f"stranger-{self.mark}@example.com"
        self.signals = {
            "device": f"device-{self.mark}",
            "ip": f"2001:db8:{self.mark[:4]}:{self.mark[4:8]}:{self.mark[8:]}::1",
            "payment": f"payment-{self.mark}",
            "address": f"Plànted Road {self.mark}, Rome",
        }

    @property
    def values(self) -> list[str]:
        told = [self.mark, self.email, self.other_email, self.phone, self.given, self.family, self.stranger]
        return [*told, *self.signals.values()]


def card_of(partner: Partner, member_id: str) -> list[str]:
    """What opens a gift card that is delivered to the member: link, code and PIN, as far as it has them."""
    held = partner.hold(member_id, "gift-card-10")
    assert held.status_code == 201, held.text
    path = f"/members/{member_id}/redemptions/{held.json()['redemption_id']}"
    eventually("the card", lambda: partner.call("GET", path).json()["status"] == "captured" or None)
    card = partner.call("POST", f"{path}/reveal").json()
    return [value for name in ("link", "code", "pin") if (value := card.get(name))]


def test_what_is_planted_everywhere_is_found_nowhere(cloud: LocalCloud, everybody: Partner, overheard: str) -> None:
    planted, call = Planted(), everybody.call
    names = {"given_name": planted.given, "family_name": planted.family}
    member = everybody.enroll(planted.email, phone=planted.phone, signals=planted.signals, **names)["member_id"]
    call("PATCH", f"/members/{member}", {"email": planted.other_email})
    second = everybody.enroll()["member_id"]
    everybody.accrue(member, "800.00")
    bus, known, stray = Bus(cloud), unique(), unique()
    bus.put(envelope("orders/paid", shopify_order(known, "10.00", email=planted.other_email)))
    bus.put(envelope("orders/paid", shopify_order(stray, "10.00", email=planted.stranger)))
    bus.put({"payload": {"email": planted.stranger}, "metadata": {"X-Shopify-Topic": "orders/paid"}})
    everybody.entry(member, f"accrual:shopify:{known}")
    refusals = [
        call("POST", "/members", {"email": planted.email, "phone": f"{planted.phone}x", "given_name": planted.given}),
        call("POST", "/members", {"email": planted.other_email, planted.mark: planted.family}),
        call(
            "POST",
            "/members",
            {"email": planted.stranger, "signals": {"payment": f"{planted.mark} ", "ip": planted.mark}},
        ),
        call("POST", f"/members/{member}/referral", {"referral_code": planted.mark}),
        call("GET", f"/members/{planted.email}"),
        call("GET", f"/members/{member}/entries?cursor={planted.email}"),
        call("POST", f"/members/{member}/redemptions", {"reward_id": planted.email}, Idempotency_Key=unique()),
        call("POST", "/referrals/validate", {"referral_code": "H2NPXT95", "email": planted.stranger}),
        call("POST", f"/members/{member}/accruals", {"source": planted.email, "source_id": planted.phone}),
    ]
    card = card_of(everybody, member)
    assert card
    call("POST", f"/members/{member}/transfers", {"to_member_id": second, "points": 20}, Idempotency_Key=unique())
    merged = call("POST", f"/members/{second}/merge", {"from_member_id": member, "actor": "e2e"})
    assert merged.status_code == 201, merged.text
    eventually("the purchase of nobody", lambda: _unclaimed(cloud, stray))
    heard = events(cloud, overheard, member, {"member.enrolled", "member.updated", "points.accrued", "points.captured"})
    more = [("an event", json.dumps(heard)), *(("a problem", answer.text) for answer in refusals)]
    assert [answer.status_code for answer in refusals if answer.status_code >= 500] == []
    assert found(cloud, [*planted.values, *card], more=more) == []


def _unclaimed(cloud: LocalCloud, order: str) -> Any:
    return next((item for item in items(cloud) if item["sk"]["S"] == f"UNCLAIMED#shopify#{order}"), None)


def test_the_search_finds_what_is_there(cloud: LocalCloud) -> None:
    """Were it blind, nothing would ever be found: a member's id stands in items, stream, logs and histories in clear."""
    partner = Partner(cloud, cloud.token())
    member = partner.enroll()["member_id"]
    partner.accrue(member, "200.00")
    card_of_no_use = partner.hold(member, "gift-card-10").json()["redemption_id"]
    bucket = cloud.platform.outputs["ReportsBucketName"]
    hidden = f"{uuid.uuid4().hex}@example.org"
    cloud.client("s3").put_object(Bucket=bucket, Key="e2e/hidden", Body=json.dumps(sorted(forms(hidden))[-1:]))
    where = eventually(
        "the member everywhere",
        lambda: (
            hits
            if len(hits := {hit.rpartition(" stands in ")[2] for hit in found(cloud, [member, card_of_no_use])}) >= 4
            else None
        ),
    )
    assert {"an item", "the stream", "a log", "an execution of loyalty-local-fulfillment"} <= where
    assert found(cloud, [hidden]) == [f"{hidden} stands in the file e2e/hidden"]
    cloud.client("s3").delete_object(Bucket=bucket, Key="e2e/hidden")


@pytest.mark.last
def test_no_address_of_any_test_is_in_clear_after_the_suite(cloud: LocalCloud) -> None:
    assert found(cloud, [TEST_MAIL]) == []
