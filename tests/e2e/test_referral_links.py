"""A member chooses a code, shares a link and has it drawn; whoever follows it comes to the business's page, counted and unseen."""

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import pytest
import requests

from infra.local.cloud import LocalCloud
from infra.local.seed import publish_programs
from loyalty_contract import SCOPES
from tests.e2e.partner import Partner, eventually
from tests.e2e.traces import overhear
from tests.privileges.deployed import called, granted
from tests.privileges.excused import EXCUSED

pytestmark = pytest.mark.e2e

ROOT: Final = Path(__file__).parents[2]
LANDING: Final = "https://breeze.example/join"
PHONE: Final = {
    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
}


def document() -> dict[str, Any]:
    """A program whose members bring others, and a campaign of it."""
    found: dict[str, Any] = json.loads((ROOT / "events" / "programs" / "aurora.json").read_text())
    both = [
        {"id": activity, "activity": activity, "fixed_points": points}
        for activity, points in (("referral", 500), ("referred", 250))
    ]
    spring = {"id": "spring", "name": "Spring", "starts_at": "2026-01-01T00:00", "ends_at": "2098-01-01T00:00"}
    referrals = {"landing_url": LANDING, "channels": ["link", "whatsapp"], "code_days": 365}
    return found | {
        "id": "breeze",
        "name": "Breeze",
        "earn_rules": [found["earn_rules"][0], *both],
        "campaigns": [spring],
        "referrals": referrals,
        "shopify_shops": [],
    }


@pytest.fixture(scope="module")
def breeze(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Partner:
    path = tmp_path_factory.mktemp("breeze") / "breeze.json"
    path.write_text(json.dumps(document()))
    publish_programs(cloud.environment, {"breeze": path})
    client_id, secret = cloud.new_client("breeze", list(SCOPES), ["breeze"])
    caller = Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))
    caller.program_url = f"{cloud.api_url}/v1/programs/breeze"
    return caller


def follow(url: str, method: str = "GET", **headers: str) -> tuple[str, dict[str, str]]:
    """Where a link leads whoever has no token."""
    answer = requests.request(method, url, headers=PHONE | headers, timeout=30, allow_redirects=False)
    assert (answer.status_code, answer.content) == (302, b""), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    address = urlsplit(answer.headers["Location"])
    return f"{address.scheme}://{address.netloc}{address.path}", dict(parse_qsl(address.query))


def test_a_link_is_shared_drawn_and_followed(cloud: LocalCloud, breeze: Partner, overheard: str) -> None:
    ada = breeze.enroll()["member_id"]
    assert breeze.accrue(ada, "10.00")["points"] > 0
    path = f"/members/{ada}"
    chosen = breeze.call("PUT", f"{path}/referral-code", {"code": f"ada {ada[-10:-2]}"})
    assert chosen.status_code == 200, chosen.text
    code = chosen.json()["code"]
    assert next(one["code"] for one in breeze.call("GET", f"{path}/referral-code").json()["codes"]) == code
    body = {"channel": "whatsapp", "campaign": "spring"}
    made = breeze.call("POST", f"{path}/referral-links", body)
    assert (made.status_code, made.headers["Idempotent-Replayed"]) == (201, "false"), made.text
    assert breeze.call("POST", f"{path}/referral-links", body).headers["Idempotent-Replayed"] == "true"
    (link,) = breeze.call("GET", f"{path}/referral-links").json()["links"]
    assert link == made.json()

    drawn = breeze.call("GET", f"{path}/referral-links/qr?channel=whatsapp&campaign=spring")
    assert (drawn.status_code, drawn.headers["Content-Type"]) == (200, "image/svg+xml")
    assert ET.fromstring(drawn.text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own

    page, query = follow(link["url"])
    click = query.pop("click")
    assert (page, query) == (
        LANDING,
        {"ref": code, "utm_source": "whatsapp", "utm_medium": "referral", "utm_campaign": "spring"},
    )
    told = overhear(
        cloud, overheard, "a click", lambda heard: any(one["detail-type"] == "referral.clicked" for one in heard)
    )
    events = {one["detail-type"]: one["detail"] for one in told if one["detail"].get("member_id") == ada}
    assert events["referral.shared"]["channel"] == "whatsapp"
    assert (events["referral.clicked"]["click_id"], events["referral.clicked"]["code"]) == (click, code)


def test_links_lead_nowhere_else(breeze: Partner, cloud: LocalCloud) -> None:
    code = breeze.enroll()["referral_code"]
    base = f"{cloud.api_url}/r/breeze/{code}"
    page, query = follow(f"{base}?c=https://evil.example&ch=%0d%0aLocation:x&url=https://evil.example&ref=EVIL")
    assert (page, query["ref"], set(query)) == (LANDING, code, {"ref", "click", "utm_medium"})
    assert follow(base, "HEAD") == follow(base, **{"Sec-Purpose": "prefetch"}) == (
        LANDING, {"ref": code, "utm_medium": "referral"},
    )  # fmt: skip
    assert follow(f"{cloud.api_url}/r/breeze/{code[:-1]}{'C' if code[-1] != 'C' else 'D'}") == (LANDING, {})
    for unknown in ("nobodys", "meridian"):
        answer = requests.get(f"{cloud.api_url}/r/{unknown}/{code}", headers=PHONE, timeout=30, allow_redirects=False)
        assert (answer.status_code, answer.json()["code"]) == (404, "program_not_found")


def test_what_the_roles_of_links_may_do_is_what_they_did(cloud: LocalCloud, breeze: Partner) -> None:
    """After the tests above."""
    ours = {"referrallinkRole", "referralvalidationRole"}

    def unused() -> list[str] | None:
        calls = [call for call in called(cloud) if any(call.role.startswith(one) for one in ours)]
        assert [call for call in calls if not call.allowed] == []
        grants = [grant for grant in granted(cloud) if any(grant.role.startswith(one) for one in ours)]
        assert {one for one in ours if any(grant.role.startswith(one) for grant in grants)} == ours
        left = [
            str(grant)
            for grant in grants
            if not any(grant.covers(call) for call in calls) and not any(one.holds_for(grant) for one in EXCUSED)
        ]
        return None if left else left

    body = {"referral_code": breeze.enroll()["referral_code"], "email": "nobody@example.com"}
    assert breeze.call("POST", "/referrals/validate", body).json()["valid"] is True
    eventually("calls of every grant", unused)
