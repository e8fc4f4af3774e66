"""What cannot be right is refused by name, with a pointer to each field, and nothing is written."""

import json
from typing import Any

import pytest

from tests.apikit.gateway import proxy_event
from tests.apikit.members import Members

ENROLL = "/v1/programs/acme/members"
GOOD: dict[str, Any] = {"email": "ada@example.com"}


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"email": None}, ["/email"]),
        ({"email": ""}, ["/email"]),
        ({"email": "nobody"}, ["/email"]),
        ({"email": "a@b@c.example"}, ["/email"]),
        ({"email": "x" * 300 + "@example.com"}, ["/email"]),
        ({"email": "ada\u0000@example.com"}, ["/email"]),
        ({"email": "ada\ud800@example.com"}, ["/email"]),
        ({"email": ["ada@example.com"]}, ["/email"]),
        ({"email": {"a": 1}}, ["/email"]),
        ({"email": 5}, ["/email"]),
        ({"phone": "3331234567"}, ["/phone"]),
        ({"phone": "+39/333/1234567"}, ["/phone"]),
        ({"phone": "+15555555555"}, ["/phone"]),
        ({"phone": "+44 (0)20 7946 0958"}, ["/phone"]),
        ({"email": "\u0430da@example.com"}, ["/email"]),
        ({"given_name": "\u202eadA"}, ["/given_name"]),
        ({"phone": "+\uff11\uff12\uff13\uff14\uff15\uff16\uff17"}, ["/phone"]),
        ({"phone": 393331234567}, ["/phone"]),
        ({"given_name": ""}, ["/given_name"]),
        ({"given_name": "  "}, ["/given_name"]),
        ({"given_name": "A\nB"}, ["/given_name"]),
        ({"given_name": "A" * 101}, ["/given_name"]),
        ({"family_name": True}, ["/family_name"]),
        ({"locale": "english"}, ["/locale"]),
        ({"locale": "it_IT"}, ["/locale"]),
        ({"external_ids": []}, ["/external_ids"]),
        ({"external_ids": {"Shopify": "1"}}, ["/external_ids"]),
        ({"external_ids": {"a/b~c": "1"}}, ["/external_ids"]),
        ({"external_ids": {"shopify": 1}}, ["/external_ids/shopify"]),
        ({"external_ids": {"shopify": None}}, ["/external_ids/shopify"]),
        ({"external_ids": {"shopify": ""}}, ["/external_ids/shopify"]),
        ({"external_ids": {f"shop{number}": "1" for number in range(11)}}, ["/external_ids"]),
        ({"referral_code": ""}, ["/referral_code"]),
        ({"referral_code": 5}, ["/referral_code"]),
        ({"member_id": "mbr_1", "tier": "gold"}, [""]),
        ({"email": "nobody", "phone": "1", "vip": True}, ["", "/email", "/phone"]),
    ],
)
def test_invalid_fields(members: Members, change: dict[str, Any], pointers: list[str]) -> None:
    before = members.items()
    problem = members.call("POST", ENROLL, GOOD | change).problem(422, "invalid")
    assert sorted(field["pointer"] for field in problem["errors"]) == pointers
    assert all(field["detail"].endswith(".") for field in problem["errors"])
    assert members.items() == before


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": None}, "/email"),
        ({"referral_code": "K7WQ4M2X"}, ""),
        ({"version": 3}, ""),
        ({"phone": ""}, "/phone"),
        ({"external_ids": {"shopify": ["1"]}}, "/external_ids/shopify"),
    ],
)
def test_invalid_changes(members: Members, change: dict[str, Any], pointer: str) -> None:
    ada = members.enroll()
    before = members.items()
    problem = members.call("PATCH", f"{ENROLL}/{ada['member_id']}", change).problem(422, "invalid")
    assert [field["pointer"] for field in problem["errors"]] == [pointer]
    assert members.items() == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "malformed_json"),
        ("\ufeff{}", 400, "malformed_json"),
        ("email=ada@example.com", 400, "malformed_json"),
        ('{"email": "a@example.com", "email": "b@example.com"}', 400, "malformed_json"),
        ('{"email": NaN}', 400, "malformed_json"),
        ('{"email": -Infinity}', 400, "malformed_json"),
        ('{"email": ' + "9" * 5000 + "}", 400, "malformed_json"),
        ('{"email": 1e999}', 422, "invalid"),
        ("[" * 30000, 400, "json_too_deep"),
        ('{"a":' * 10_900 + "1" + "}" * 10_900, 400, "json_too_deep"),
        ('{"a":' * 33 + "1" + "}" * 33, 400, "json_too_deep"),
        ('{"a":' + "[" * 32 + "]" * 32 + "}", 400, "json_too_deep"),
        ('{"a":' * 32 + "1" + "}" * 32, 422, "invalid"),
        ("\ud800", 400, "malformed_json"),
        ("[]", 422, "invalid"),
        ('[{"email": "ada@example.com"}]', 422, "invalid"),
        ('"ada@example.com"', 422, "invalid"),
        ("null", 422, "invalid"),
        ("7", 422, "invalid"),
        (" ", 400, "malformed_json"),
        ("", 422, "invalid"),
        (None, 422, "invalid"),
        (json.dumps({"email": "x" * 65536}), 413, "body_too_large"),
        (json.dumps({"email": "\u20ac" * 25000}, ensure_ascii=False), 413, "body_too_large"),
    ],
)
def test_bodies_that_are_no_object(members: Members, body: str | None, status: int, code: str) -> None:
    before = members.items()
    event = proxy_event("POST", ENROLL, body=body)
    members.call.send(event).problem(status, code)
    assert members.items() == before


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        ('application/json; charset="utf-8"', True),
        ("application/json; profile=x", True),
        ("application/json; charset=latin-1", False),
        ("application/jsonp", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_media_types(members: Members, content_type: str, *, accepted: bool) -> None:
    reply = members.call("POST", ENROLL, GOOD, Content_Type=content_type)
    if accepted:
        assert reply.status == 201
    else:
        reply.problem(415, "unsupported_media_type")


@pytest.mark.parametrize("body", ["!!!", "/w==", "e30", "\u20ac"])
def test_base64_that_is_no_text(members: Members, body: str) -> None:
    members.call.send(proxy_event("POST", ENROLL, body=body) | {"isBase64Encoded": True}).problem(400, "malformed_json")


def test_base64_that_is_an_object(members: Members) -> None:
    body = "eyJlbWFpbCI6ICJhZGFAZXhhbXBsZS5jb20ifQ=="
    assert members.call.send(proxy_event("POST", ENROLL, body=body) | {"isBase64Encoded": True}).status == 201


def test_a_request_without_the_authorizers_word_is_told_to_authenticate(members: Members) -> None:
    contexts: list[dict[str, Any]] = [{}, {"authorizer": None}, {"authorizer": {"client_id": ""}}]
    contexts += [{"authorizer": {"claims": {"client_id": "app"}}}, {"authorizer": {"principalId": "app"}}]
    for context in contexts:
        event = proxy_event("POST", ENROLL, body=json.dumps(GOOD))
        event["requestContext"] = {"requestId": "req-1"} | context
        reply = members.call.send(event)
        reply.problem(401, "unauthenticated")
        assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_many_fields_that_are_none_are_one_problem(members: Members) -> None:
    body = GOOD | {f"field{number}": 1 for number in range(1000)}
    problem = members.call("POST", ENROLL, body).problem(422, "invalid")
    assert [field["code"] for field in problem["errors"]] == ["extra_forbidden"]
    assert problem["detail"] == "Correct the body and send it again."
