import pytest

from tests.apikit.members import Members

PATH = "/v1/programs/acme/referrals/validate"


def test_a_members_code_is_valid_for_others(members: Members) -> None:
    ada, bob = members.enroll("ada@example.com"), members.enroll("bob@example.com")
    code = ada["referral_code"]
    for who in ({}, {"member_id": bob["member_id"]}, {"email": "bob@example.com"}, {"email": "new@example.com"}):
        reply = members.call("POST", PATH, {"referral_code": f" {code.lower()} "} | who)
        assert (reply.status, reply.json) == (200, {"valid": True, "reason": "valid"})


def test_ones_own_code_is_not(members: Members) -> None:
    ada = members.enroll("ada@example.com")
    for who in ({"member_id": ada["member_id"]}, {"email": "ADA@example.com"}):
        reply = members.call("POST", PATH, {"referral_code": ada["referral_code"]} | who)
        assert reply.json == {"valid": False, "reason": "own_code"}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ZZZZZZZZ", "unknown"),
        ("K7WQ 4M2X", "unknown"),
        ("SUMMER", "unknown"),
        ("0OIL1000", "malformed"),
        ("x", "malformed"),
        ("#", "malformed"),
        ("K7WQ4M2X\u20ac", "malformed"),
    ],
)
def test_a_code_that_nobody_has_or_can_have(members: Members, code: str, reason: str) -> None:
    members.enroll("ada@example.com")
    reply = members.call("POST", PATH, {"referral_code": code, "email": "bob@example.com"})
    assert (reply.status, reply.json) == (200, {"valid": False, "reason": reason})


def test_a_mistyped_code_is_told_from_an_unknown_one(members: Members) -> None:
    code = members.enroll("ada@example.com")["referral_code"]
    other = "A" if code[0] != "A" else "C"
    reply = members.call("POST", PATH, {"referral_code": other + code[1:]})
    assert reply.json == {"valid": False, "reason": "malformed"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/referral_code"),
        ({"referral_code": ""}, "/referral_code"),
        ({"referral_code": "x" * 65}, "/referral_code"),
        ({"referral_code": "x", "member_id": "mbr_1"}, "/member_id"),
        ({"referral_code": "x", "email": "nobody"}, "/email"),
        ({"referral_code": "x", "phone": "+393331234567"}, ""),
    ],
)
def test_bad_bodies(members: Members, body: dict[str, str], pointer: str) -> None:
    problem = members.call("POST", PATH, body).problem(422, "invalid")
    assert [field["pointer"] for field in problem["errors"]] == [pointer]


def test_validation_writes_nothing(members: Members) -> None:
    ada = members.enroll("ada@example.com")
    before = members.items()
    members.call("POST", PATH, {"referral_code": ada["referral_code"], "email": "bob@example.com"})
    assert members.items() == before
