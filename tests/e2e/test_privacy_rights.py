"""A member's rights on the deployed platform: a copy of everything, then nothing of them that anybody can read."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.exceptions import ClientError

from infra.local.cloud import LocalCloud
from tests.e2e.partner import Bus, Partner, envelope, eventually, shopify_order, unique
from tests.e2e.traces import events, items, log_lines

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("supplier_faults")]

YES = {"purpose": "marketing", "given": True, "wording": "2026-01", "language": "it-IT", "channel": "web"}


@pytest.fixture
def office(cloud: LocalCloud) -> Partner:
    """A second client of the business, through which a second person decides."""
    scopes = ["privacy.erase", "privacy.read"]
    client_id, secret = cloud.new_client("office", scopes, [cloud.program])
    return Partner(cloud, cloud.token(*scopes, client_id=client_id, client_secret=secret))


class Life:
    """A member with purchases, a card, consents and a place among the others; ``mark`` stands in all that is theirs."""

    def __init__(self, cloud: LocalCloud, partner: Partner) -> None:
        self.partner = partner
        self.mark = uuid.uuid4().hex[:10]
        self.email = f"planted-{self.mark}@example.com"
        self.order = unique()
        self.profile: dict[str, Any] = {
            "phone": f"+39333{int(self.mark, 16) % 10**7:07d}",
            "given_name": f"Plantedgiven{self.mark}",
            "family_name": f"Plantedfamily{self.mark}",
            "external_ids": {"shopify": str(int(self.mark, 16))},
        }
        enrolled = partner.enroll(self.email, **self.profile)
        self.id: str = enrolled["member_id"]
        self.code: str = enrolled["referral_code"]
        self.path = f"/members/{self.id}"
        Bus(cloud).put(envelope("orders/paid", shopify_order(self.order, "300.00", email=self.email)))
        partner.entry(self.id, f"accrual:shopify:{self.order}")
        said = partner.call("POST", f"{self.path}/consents", YES, Idempotency_Key=unique())
        assert said.status_code == 201, said.text
        wanted = {"purposes": [{"purpose": "marketing", "channels": ["email"]}]}
        assert partner.call("PUT", f"{self.path}/preferences", wanted, If_Match='"0"').status_code == 200
        self.redemption = self.card()

    def card(self) -> str:
        """A gift card, delivered; its redemption."""
        held = self.partner.hold(self.id, "gift-card-10")
        assert held.status_code == 201, held.text
        redemption: str = held.json()["redemption_id"]

        def captured() -> bool | None:
            found = self.partner.call("GET", f"{self.path}/redemptions/{redemption}").json()
            return found["status"] == "captured" or None

        eventually("a delivered card", captured)
        return redemption

    def planted(self) -> list[str]:
        """Whatever nobody may find."""
        own = [self.profile["phone"], self.profile["given_name"], self.profile["family_name"]]
        return [self.mark, self.email, *own, self.profile["external_ids"]["shopify"]]

    def contexts(self, program: str) -> Iterator[dict[str, str]]:
        """Under which anything of theirs was ever sealed."""
        whose = {"program": program, "member": self.id}
        yield whose | {"purpose": "profile"}
        yield whose | {"purpose": "gift_card", "redemption": self.redemption}


def opened(cloud: LocalCloud, life: Life) -> int:
    """How many binaries of the whole table KMS opens as something of the member's; as an administrator, not as a function."""
    kms, found = cloud.client("kms"), 0
    for item in items(cloud):
        for value in item.values():
            for context in life.contexts(cloud.program) if "B" in value else ():
                try:
                    kms.decrypt(CiphertextBlob=bytes(value["B"]), EncryptionContext=context)
                    found += 1
                except ClientError:
                    continue
    return found


def exported(life: Life) -> tuple[str, dict[str, Any]]:
    """The URL of a copy of their data, and its files."""
    asked = life.partner.call("POST", f"{life.path}/exports", Idempotency_Key=unique())
    assert asked.status_code == 202, asked.text
    path = f"{life.path}/exports/{asked.json()['export_id']}"

    def ready() -> dict[str, Any] | None:
        export: dict[str, Any] = life.partner.call("GET", path).json()
        assert export["status"] != "failed", export
        return export if export["status"] == "ready" else None

    url: str = eventually("a copy of their data", ready)["url"]
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        return url, {name: file.read(name).decode() for name in file.namelist()}


def test_a_copy_of_everything_then_nothing_that_anybody_can_read(
    cloud: LocalCloud, partner: Partner, office: Partner, overheard: str
) -> None:
    life = Life(cloud, partner)
    url, files = exported(life)
    text = "".join(files.values())
    for planted in life.planted():
        assert planted in text, f"{planted} is not in the copy"
    assert json.loads(files["statement.json"])[0]["entry_id"] == f"accrual:shopify:{life.order}"
    assert json.loads(files["wallet.json"])["available"] == 100
    assert [one["redemption_id"] for one in json.loads(files["cards.json"])] == [life.redemption]
    assert [(one["purpose"], one["given"]) for one in json.loads(files["consents.json"])] == [("marketing", True)]
    asked = parse_qs(urlsplit(url).query)
    assert asked["X-Amz-Expires"] == ["900"]
    assert asked["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert opened(cloud, life) == 2, "the profile's key and the card's, or this test proves nothing"

    reason = {"reason": "request", "actor": "staff-1"}
    first = partner.call("POST", f"{life.path}/erasure", reason)
    assert (first.status_code, first.json()["status"]) == (202, "asked")
    own = partner.call("POST", f"{life.path}/erasure/approve", {"actor": "staff-2"})
    assert (own.status_code, own.json()["code"]) == (422, "second_person_required")
    assert partner.call("GET", life.path).status_code == 200
    second = office.call("POST", f"{life.path}/erasure/approve", {"actor": "staff-2"})
    assert (second.status_code, second.json()["status"]) == (200, "approved"), second.text

    def erased() -> bool | None:
        return office.call("GET", f"{life.path}/erasure").json()["status"] == "erased" or None

    eventually("an erasure", erased)
    kinds = {"member.erased", "points.forfeited", "consent.changed"}
    heard = events(cloud, overheard, life.id, kinds)
    stored = items(cloud)
    places = {"an item": repr(stored), "an event": json.dumps(heard), "a log": "\n".join(log_lines(cloud))}
    for place, content in places.items():
        for planted in life.planted():
            assert planted not in content, f"{planted} stands in {place}"
    assert not any(item.get("member_id", {}).get("S") == life.id for item in stored if item["sk"]["S"] == "LOOKUP")
    assert life.code not in repr(stored)
    assert opened(cloud, life) == 0
    assert requests.get(url, timeout=30).status_code in {403, 404}
    listed = cloud.client("s3").list_object_versions(
        Bucket=cloud.platform.outputs["ReportsBucketName"], Prefix=f"privacy/exports/{cloud.program}/{life.id}/"
    )
    assert not [*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())]

    late = office.call("POST", f"{life.path}/erasure/withdraw", {"actor": "staff-2"})
    assert (late.status_code, late.json()["code"]) == (409, "erasure_decided")
    one = f"/redemptions/{life.redemption}"
    for path in ("", "/wallet", "/entries", "/tier", "/segments", "/consents", "/preferences", "/redemptions", one):
        gone = partner.call("GET", life.path + path)
        assert (gone.status_code, gone.json()["code"]) == (410, "member_erased"), path
    assert partner.hold(life.id, "coffee").json()["code"] == "member_erased"
    again = partner.enroll(life.email, **life.profile)
    assert again["member_id"] != life.id
    assert partner.wallet(again["member_id"])["available"] == 0
