"""Referrals in review over HTTP."""

from typing import Any

import pytest

from functions.referral_review.routes import routes
from loyalty.core.cursor import Cursors
from loyalty.core.http import api
from loyalty.core.table import Table
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.moves import ADA, BOB, CLEO
from tests.unit.referrals.reviewed import REJECT, Reviewed

QUEUE = "/v1/programs/acme/referral-reviews"
REFERRAL = f"/v1/programs/acme/members/{BOB}/referral"
REVIEW = f"{REFERRAL}/review"
BODY = {"actor": "ann", "reason": "same_household"}
APPEAL = {"reason": "member_complained"}
CLIENTS = ("app", "desk", "office")


def bound(reviewed: Reviewed) -> Reviewed:
    for client in CLIENTS:
        reviewed.programs.clients.bind(client, {"acme"})
    return reviewed


@pytest.fixture
def reviewed(table: Table) -> Reviewed:
    return bound(Reviewed(table))


def gateway(reviewed: Reviewed, client: str = "desk") -> Gateway:
    return Gateway(api(routes(reviewed.programs, reviewed.reviews, Cursors(FakeKeys()))), client)


def test_from_the_queue_to_the_reward(reviewed: Reviewed) -> None:
    reviewed.come()
    send = gateway(reviewed)
    (item,) = send("GET", QUEUE).json["items"]
    assert (item["member_id"], item["referrer"], item["in_review"], item["verdict"]) == (BOB, ADA, True, "review")
    assert item["screening"]["signs"] == [
        {"signal": "same_device", "says": "came from the referrer's device", "counted": 1, "bound": 1, "weight": 60, "members": []}
    ]  # fmt: skip
    assert item["qualified"]["amount"] == {"value": "30.00", "currency": "EUR"}
    one = send("GET", REVIEW).json
    assert one == item | {"reproduced": True}
    approved = send("POST", f"{REVIEW}/approve", BODY)
    assert (approved.status, approved.json["verdict"], approved.json["in_review"]) == (200, "accept", False)
    (decision,) = approved.json["decisions"]
    assert (decision["actor"], decision["through"], decision["approved"]) == ("person:ann", "client:desk", True)
    assert send("GET", QUEUE).json == {"items": [], "next_cursor": None}
    send("POST", f"{REVIEW}/reject", BODY).problem(409, "referral_not_in_review")
    reviewed.wake()
    paid = send("GET", REVIEW).json
    assert (paid["status"], paid["rewarded"]["points"], paid["rewarded"]["member_points"]) == ("rewarded", 100, 40)
    revoked = send("POST", f"{REVIEW}/revoke", BODY)
    assert (revoked.status, revoked.json["status"], revoked.json["verdict"]) == (200, "rewarded", "reject")
    reviewed.wake()
    assert send("GET", REVIEW).json["status"] == "reversed"


def test_two_people_over_http(table: Table) -> None:
    reviewed = bound(Reviewed(table, four_eyes={"referrals": True}))
    reviewed.come()
    first, second = gateway(reviewed), gateway(reviewed, "office")
    asked = first("POST", f"{REVIEW}/approve", BODY)
    assert (asked.status, asked.json["in_review"], asked.json["proposed"]["actor"]) == (202, True, "person:ann")
    first("POST", f"{REVIEW}/approve", BODY | {"actor": "ben"}).problem(422, "second_person_required")
    agreed = second("POST", f"{REVIEW}/approve", BODY | {"actor": "ben"})
    assert (agreed.status, agreed.json["verdict"], agreed.json["proposed"]) == (200, "accept", None)


@pytest.mark.parametrize(
    "state", ["enrolled", "in review", "rejected", "rejected by the score", "appealed", "rewarded", "too late"]
)
def test_an_appeal_tells_nothing(reviewed: Reviewed, state: str) -> None:
    """Whoever asks for a member learns nothing of screening: neither from the first answer nor from the next."""
    send = gateway(reviewed, "app")
    if state == "enrolled":
        reviewed.brought.claim(BOB, ADA)
    else:
        reviewed.come(features={"rewarded": {}, "rejected by the score": REJECT}.get(state))
    if state in {"rejected", "appealed", "too late"}:
        gateway(reviewed)("POST", f"{REVIEW}/reject", BODY)
    reviewed.clock.advance(days=31 if state == "too late" else 1)
    if state == "appealed":
        send("POST", f"{REFERRAL}/appeal", APPEAL)
    for _ in range(2):
        reply = send("POST", f"{REFERRAL}/appeal", APPEAL)
        assert (reply.status, reply.json) == (202, {"member_id": BOB})
    assert reviewed.stored().waits is (state in {"in review", "rejected", "rejected by the score", "appealed"})
    appeals = [action for action, _ in reviewed.lines() if action == "referral.appealed"]
    assert len(appeals) == (state in {"rejected", "rejected by the score", "appealed"})


def listed(send: Gateway, **query: str) -> Reply:
    return send.send(proxy_event("GET", QUEUE, query=query))


def test_pages_follow_each_other(reviewed: Reviewed) -> None:
    send = gateway(reviewed, "app")
    reviewed.come(CLEO)
    reviewed.come(BOB)
    page = listed(send, limit="1").json
    rest = listed(send, limit="1", cursor=page["next_cursor"]).json
    assert [one["member_id"] for one in page["items"] + rest["items"]] == [CLEO, BOB]
    listed(send, cursor=page["next_cursor"] + "x").problem(400, "invalid_cursor")


def test_how_well_screening_does(reviewed: Reviewed) -> None:
    reviewed.come()
    send = gateway(reviewed, "app")
    gateway(reviewed)("POST", f"{REVIEW}/reject", BODY)
    path, day = f"{QUEUE}/feedback", reviewed.clock().date().isoformat()
    told = send.send(proxy_event("GET", path, query={"from": day, "until": day})).json
    assert (told["referrals"], told["precision"]) == (1, {"part": 1, "of": 1, "percent": "100.0"})
    assert told["signs"] == [
        {"signal": "same_device", "fraud": 1, "honest": 0, "right": {"part": 1, "of": 1, "percent": "100.0"}}
    ]
    send.send(proxy_event("GET", path, query={"from": "2026-03-16", "until": "2026-03-01"})).problem(
        422, "period_refused"
    )
    send.send(proxy_event("GET", path, query={"from": "yesterday"})).problem(422, "invalid")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (REVIEW, None, 404, "referral_not_found"),
        (REVIEW.replace("acme", "other"), None, 404, "program_not_found"),
        (QUEUE.replace("acme", "other"), None, 404, "program_not_found"),
        (f"{REVIEW}/approve", BODY, 404, "referral_not_found"),
        (f"{REVIEW}/revoke", BODY, 404, "referral_not_found"),
        (f"{REFERRAL}/appeal", APPEAL, 404, "referral_not_found"),
        (f"{REVIEW}/approve", {"actor": "ann"}, 422, "invalid"),
        (f"{REVIEW}/approve", BODY | {"actor": "ann@example.com"}, 422, "invalid"),
        (f"{REVIEW}/reject", BODY | {"reason": "She said so"}, 422, "invalid"),
        (f"{REFERRAL}/appeal", {"reason": "Because!"}, 422, "invalid"),
        (f"{REFERRAL}/appeal", APPEAL | {"note": "x"}, 422, "invalid"),
    ],
)
def test_refusals_have_names(
    reviewed: Reviewed, path: str, body: dict[str, Any] | None, status: int, code: str
) -> None:
    gateway(reviewed)("POST" if body else "GET", path, body).problem(status, code)


def test_what_is_not_rewarded_cannot_be_revoked(reviewed: Reviewed) -> None:
    reviewed.come()
    gateway(reviewed)("POST", f"{REVIEW}/revoke", BODY).problem(409, "referral_not_rewarded")
