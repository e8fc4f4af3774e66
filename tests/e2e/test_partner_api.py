"""What a partner app meets at the deployed API."""

from typing import Any

import pytest
import requests

from infra.local.cloud import LocalCloud
from tests.e2e.partner import Partner, eventually, new_email, unique

pytestmark = pytest.mark.e2e


def refused(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    """The problem; fails unless it is one of that status and code."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(problem)
    return problem


def test_enroll_accrue_redeem_and_read_the_statement(partner: Partner) -> None:
    member = partner.enroll(given_name="Ada", locale="it")
    member_id = member["member_id"]
    assert (member["tier"], member["given_name"]) == ("bronze", "Ada")
    assert partner.accrue(member_id, "105.00")["points"] == 105
    held = partner.hold(member_id, "coffee")
    assert (held.status_code, held.json()["status"], held.json()["points"]) == (201, "held", 50)
    wallet = partner.wallet(member_id)
    assert (wallet["available"], wallet["held"], wallet["pending"]) == (55, 50, 0)
    redemption = f"/members/{member_id}/redemptions/{held.json()['redemption_id']}"
    assert partner.call("POST", f"{redemption}/capture").json()["status"] == "captured"
    refused(partner.call("POST", f"{redemption}/release"), 409, "redemption_already_captured")
    entries = partner.entries(member_id)
    assert [entry["kind"] for entry in entries] == ["capture", "hold", "accrual"]
    assert sum(entry["points"] for entry in entries) == partner.wallet(member_id)["available"] == 55


def test_a_release_gives_the_points_back(partner: Partner) -> None:
    member_id = partner.enroll()["member_id"]
    partner.accrue(member_id, "100")
    before = partner.wallet(member_id)["lots"]
    held = partner.hold(member_id, "coffee").json()
    partner.call("POST", f"/members/{member_id}/redemptions/{held['redemption_id']}/release")
    assert partner.wallet(member_id)["lots"] == before


def test_a_statement_is_paged(partner: Partner) -> None:
    member_id = partner.enroll()["member_id"]
    for _ in range(3):
        partner.accrue(member_id, "10")
    first = partner.call("GET", f"/members/{member_id}/entries?limit=2").json()
    second = partner.call("GET", f"/members/{member_id}/entries?limit=2&cursor={first['next_cursor']}").json()
    assert [entry["seq"] for entry in first["items"] + second["items"]] == [3, 2, 1]
    assert second["next_cursor"] is None


def test_a_member_is_read_and_changed(partner: Partner) -> None:
    email, moved = new_email(), new_email()
    member = partner.enroll(email)
    path = f"/members/{member['member_id']}"
    read = partner.call("GET", path)
    assert read.json()["email"] == email
    changed = partner.call("PATCH", path, {"email": moved}, If_Match=read.headers["ETag"])
    assert (changed.status_code, changed.json()["email"]) == (200, moved)
    refused(partner.call("PATCH", path, {"given_name": "X"}, If_Match=read.headers["ETag"]), 412, "precondition_failed")
    partner.enroll(email)
    refused(partner.call("POST", "/members", {"email": moved, "given_name": "Other"}), 409, "already_enrolled")


def test_points_earned_raise_the_tier_and_the_next_purchase_earns_more(partner: Partner) -> None:
    member_id = partner.enroll()["member_id"]
    partner.accrue(member_id, "500")
    eventually("silver", lambda: partner.wallet(member_id)["tier"] == "silver" or None)
    assert partner.accrue(member_id, "100")["points"] == 125
    assert partner.call("GET", f"/members/{member_id}").json()["tier"] == "silver"


def test_a_referral_code_is_valid_unknown_or_ones_own(partner: Partner) -> None:
    owner = partner.enroll()
    code = owner["referral_code"]

    def validate(**body: str) -> dict[str, Any]:
        answer: dict[str, Any] = partner.call("POST", "/referrals/validate", body).json()
        return answer

    assert validate(referral_code=code) == {"valid": True, "reason": "valid"}
    assert validate(referral_code="ZZZZZZZZ") == {"valid": False, "reason": "unknown"}
    assert validate(referral_code=code, member_id=owner["member_id"]) == {"valid": False, "reason": "own_code"}
    friend = partner.enroll(referral_code=code)
    assert friend["referred_by"] == owner["member_id"]


BODIES: dict[str, tuple[object, int, str]] = {
    "not JSON": (b'{"email": ', 400, "malformed_json"),
    "not UTF-8": (b'{"email": "\xff@example.com"}', 400, "malformed_json"),
    "a list": (b"[]", 422, "invalid"),
    "no body": (b"", 422, "invalid"),
    "an unknown field": ({"email": "a@example.com", "points": 5}, 422, "invalid"),
    "no address": ({"email": "nobody"}, 422, "invalid"),
    "too large": (b'{"email": "' + b"a" * 70_000 + b'@example.com"}', 413, "body_too_large"),
    "an unknown code": ({"email": "a@example.com", "referral_code": "ZZZZZZZZ"}, 422, "referral_code_unknown"),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_bad_enrollment_is_a_named_problem(partner: Partner, case: str) -> None:
    body, status, code = BODIES[case]
    refused(partner.call("POST", "/members", body), status, code)


def test_a_bad_accrual_writes_nothing(partner: Partner) -> None:
    member_id = partner.enroll()["member_id"]
    good = {
        "activity": "purchase",
        "source": "pos",
        "source_id": "R-1",
        "occurred_at": "2026-11-20T10:00:00Z",
        "channel": "online",
        "amount": {"value": "10.00", "currency": "USD"},
    }
    for change, status, code in (
        ({"amount": {"value": "-10.00", "currency": "USD"}}, 422, "invalid"),
        ({"amount": {"value": 10.5, "currency": "USD"}}, 422, "invalid"),
        ({"amount": {"value": "10.00", "currency": "ZZZ"}}, 422, "unknown_currency"),
        ({"points": 1.5}, 422, "invalid"),
        ({"source_id": "has space"}, 422, "invalid"),
    ):
        answer = partner.call("POST", f"/members/{member_id}/accruals", good | change)
        problem = refused(answer, status, code)
        assert problem["errors"][0]["detail"]
        assert problem["errors"][0]["pointer"] in {"/amount/value", "/amount/currency", "/source_id", ""}
    assert partner.entries(member_id) == []
    partner.accrue(member_id, "10.00", "R-1")
    other = partner.call("POST", f"/members/{member_id}/accruals", good | {"amount": {"value": "9", "currency": "USD"}})
    refused(other, 409, "entry_exists_with_different_request")
    assert partner.wallet(member_id)["available"] == 10


def test_a_redemption_needs_a_key_of_its_own_and_enough_points(partner: Partner) -> None:
    member_id = partner.enroll()["member_id"]
    path = f"/members/{member_id}/redemptions"
    refused(partner.call("POST", path, {"reward_id": "coffee"}), 400, "idempotency_key_required")
    refused(partner.hold(member_id, "coffee"), 409, "insufficient_points")
    refused(partner.hold(member_id, "yacht"), 404, "reward_not_found")
    partner.accrue(member_id, "300")
    key = unique()
    first, again = partner.hold(member_id, "coffee", key), partner.hold(member_id, "coffee", key)
    assert (first.json(), again.headers["Idempotent-Replayed"]) == (again.json(), "true")
    refused(partner.hold(member_id, "five-off", key), 422, "idempotency_key_reused")
    assert partner.wallet(member_id)["held"] == 50


def test_what_a_caller_may_not_see_is_not_there(cloud: LocalCloud, partner: Partner) -> None:
    member_id = partner.enroll()["member_id"]
    refused(partner.call("GET", "/members/mbr_00000000000000000000000000/wallet"), 404, "member_not_found")
    refused(partner.call("GET", f"{cloud.api_url}/v1/programs/nowhere/rewards"), 404, "program_not_found")
    stranger = Partner(cloud, cloud.token(**_credentials(cloud.new_client("stranger", ["wallet.read"], ["elsewhere"]))))
    refused(stranger.call("GET", f"/members/{member_id}/wallet"), 404, "program_not_found")


def test_a_token_of_the_wrong_scope_or_none_is_refused(cloud: LocalCloud, partner: Partner) -> None:
    member_id = partner.enroll()["member_id"]
    reader = Partner(cloud, cloud.token("wallet.read"))
    assert reader.call("GET", f"/members/{member_id}/wallet").status_code == 200
    body = {"reward_id": "coffee"}
    for caller in (reader, Partner(cloud, None), Partner(cloud, "not-a-token"), Partner(cloud, EXPIRED)):
        answer = caller.call("POST", f"/members/{member_id}/redemptions", body, Idempotency_Key=unique())
        if caller is reader:
            refused(answer, 403, "insufficient_scope")
        else:
            refused(answer, 401, "unauthenticated")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert partner.entries(member_id) == []


def test_health_needs_no_token(cloud: LocalCloud) -> None:
    answer = requests.get(f"{cloud.api_url}/health", timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def _credentials(client: tuple[str, str]) -> dict[str, str]:
    return {"client_id": client[0], "client_secret": client[1]}


EXPIRED = (
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhcHAiLCJleHAiOjE1MDAwMDAwMDAsInNjb3BlIjoibG95YWx0eS9yZWRlbXB0aW9ucy53cml0ZSJ9.c2ln"
)
"""Signed by nobody, and over since 2017."""
