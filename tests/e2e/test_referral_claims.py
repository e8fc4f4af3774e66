"""Friends come by a link, by a code at the till and by a code named afterwards; either side sees how far it is, and nothing that was sent."""

import json
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from infra.local.cloud import LocalCloud
from infra.local.seed import publish_programs
from loyalty_contract import SCOPES
from tests.e2e.partner import Partner, new_email
from tests.e2e.test_referral_links import PHONE, document

pytestmark = pytest.mark.e2e

PROGRAM: Final = "harbor"
SIGNALS: Final = {
    "device": "planted-device-77",
    "ip": "203.0.113.77",
    "payment": "planted-payment-77",
    "address": "Planted Road 77, Rome",
}


@pytest.fixture(scope="module")
def harbor(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Partner:
    found = document()
    rules = found["referrals"] | {"channels": ["link", "till"], "claim_days": 7}
    path = tmp_path_factory.mktemp(PROGRAM) / "harbor.json"
    path.write_text(json.dumps(found | {"id": PROGRAM, "name": "Harbor", "referrals": rules}))
    publish_programs(cloud.environment, {PROGRAM: path})
    client_id, secret = cloud.new_client(PROGRAM, list(SCOPES), [PROGRAM])
    caller = Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))
    caller.program_url = f"{cloud.api_url}/v1/programs/{PROGRAM}"
    return caller


def shown(harbor: Partner, member: dict[str, Any]) -> dict[str, Any]:
    answer = harbor.call("GET", f"/members/{member['member_id']}/referral")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_friends_come_by_a_link_at_the_till_and_afterwards(cloud: LocalCloud, harbor: Partner) -> None:
    ada = harbor.enroll(signals=SIGNALS)
    code, path = ada["referral_code"], f"/members/{ada['member_id']}"

    link = harbor.call("POST", f"{path}/referral-links", {"channel": "link", "campaign": "spring"}).json()
    followed = requests.get(link["url"], headers=PHONE, timeout=30, allow_redirects=False).headers["Location"]
    click = parse_qs(urlsplit(followed).query)["click"][0]
    by_link = harbor.enroll(referral_clicks=["mangled", click], signals=SIGNALS)
    by_code = harbor.enroll(referral_code=f" {code.lower()} ", referral_channel="till", referral_clicks=[click])
    late = harbor.enroll()
    claimed = harbor.call("POST", f"/members/{late['member_id']}/referral", {"referral_code": code})
    assert (claimed.status_code, claimed.headers["Idempotent-Replayed"]) == (201, "false"), claimed.text
    again = harbor.call("POST", f"/members/{late['member_id']}/referral", {"referral_code": code})
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (claimed.json(), "true")

    friends = (by_link, by_code, late)
    assert {one["referred_by"] for one in (by_link, by_code)} == {ada["member_id"]}
    harbor.accrue(
        by_link["member_id"], "25.00"
    )  # within the days in which it may be given back, so that nothing is rewarded yet
    for friend in friends:
        told = shown(harbor, friend)
        assert (told["referred_by"], told["status"], told["points"]) == (ada["member_id"], "pending", 0)
    page = harbor.call("GET", f"{path}/referrals").json()
    assert [one["member_id"] for one in page["items"]] == [one["member_id"] for one in reversed(friends)]
    assert page["summary"] == {"pending": 3, "rewarded": 0, "reversed": 0, "ended": 0, "points": 0}
    first = harbor.call("GET", f"{path}/referrals?limit=2").json()
    rest = harbor.call("GET", f"{path}/referrals?limit=2&cursor={first['next_cursor']}").json()
    assert [*first["items"], *rest["items"]] == page["items"]
    assert rest["next_cursor"] is None

    stored = {
        raw["sk"]["S"]: raw
        for raw in cloud.client("dynamodb").query(
            TableName=cloud.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"M#{PROGRAM}#{by_link['member_id']}"}},
        )["Items"]
    }
    assert (stored["REFERRAL"]["click"]["S"], stored["REFERRAL"]["campaign"]["S"]) == (click, "spring")
    kept = {kind: one["S"] for kind, one in stored["REFERRAL"]["likenesses"]["M"].items()}
    assert kept.keys() >= {"device", "payment", "address", "network", "email_like"}
    assert not [trace for trace in ("planted", "203.0.113") if trace in repr(stored).lower()]


def test_what_cannot_be_named_is_refused_by_its_name(harbor: Partner) -> None:
    ada, bob = harbor.enroll(), harbor.enroll()
    code = ada["referral_code"]
    mistyped = ("A" if code[0] != "A" else "C") + code[1:]
    claim = f"/members/{bob['member_id']}/referral"
    assert harbor.call("GET", claim).json()["code"] == "referral_not_found"
    for sent, refused in (
        ({"referral_code": mistyped}, "referral_code_malformed"),
        ({"referral_code": "ZZZZZZZZ"}, "referral_code_unknown"),
        ({"referral_code": code, "referral_channel": "radio"}, "referral_channel_unknown"),
    ):
        for answer in (
            harbor.call("POST", claim, sent),
            harbor.call("POST", "/members", {"email": new_email(), **sent}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, refused)
    own = harbor.call("POST", claim, {"referral_code": bob["referral_code"]})
    assert (own.status_code, own.json()["code"]) == (422, "referral_code_own")
    assert harbor.call("POST", claim, {"referral_code": code}).status_code == 201
    other = harbor.call("POST", claim, {"referral_code": harbor.enroll()["referral_code"]})
    assert (other.status_code, other.json()["code"]) == (409, "referral_exists")
    card = harbor.call("POST", "/members", {"email": new_email(), "signals": {"payment": "4111111111111111"}})
    assert (card.status_code, card.json()["code"]) == (422, "invalid")
    assert "4111" not in card.text
