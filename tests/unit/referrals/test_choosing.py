"""Codes that members choose: whose they are, what is refused, and what becomes of those that they had."""

from typing import Any

import pytest

from loyalty.core.table import TransactionRefused
from loyalty.referrals.choosing import MAX_CODES, MemberCodes
from loyalty.referrals.code_store import CodeStore
from tests.apikit.members import Members
from tests.ledgerkit.programs import BASE, document

RULES = {
    "landing_url": "https://acme.example/join",
    "code_days": 30,
    "code_uses": 3,
    "reserved_words": ["ACME", "SALE"],
}
EARNING = [
    *BASE["earn_rules"],
    {"id": "brings", "activity": "referral", "fixed_points": 500},
    {"id": "brought", "activity": "referred", "fixed_points": 250},
]


@pytest.fixture
def acme(members: Members) -> Members:
    members.programs.publish(document(referrals=RULES, earn_rules=EARNING), expected_version=1, actor="test")
    return members


def _path(member: dict[str, str]) -> str:
    return f"/v1/programs/acme/members/{member['member_id']}/referral-code"


def _put(members: Members, member: dict[str, str], code: str | None, **parts: Any) -> Any:
    return members.call("PUT", _path(member), {"code": code}, **parts)


def _owner(members: Members, code: str) -> str | None:
    given, _ = members.code_store.given_code("acme", code)
    return None if given is None else given.member_id


def test_a_code_of_ones_own_and_the_one_before_lead_to_the_member(acme: Members) -> None:
    ada = acme.enroll("ada@example.com")
    reply = _put(acme, ada, " ada-shop ")
    assert (reply.status, reply.headers["ETag"]) == (200, '"2"')
    assert reply.json["code"] == "ADASHOP"
    assert [(one["code"], one["chosen"], one["reason"]) for one in reply.json["codes"]] == [
        ("ADASHOP", True, "valid"),
        (ada["referral_code"], False, "valid"),
    ]
    assert reply.json["codes"][0]["expires_at"] == "2026-04-14T12:00:00.000Z"
    for code in ("ADASHOP", ada["referral_code"]):
        assert _owner(acme, code) == ada["member_id"]
    assert acme.call("GET", _path(ada)).json == reply.json
    assert acme.call("GET", f"/v1/programs/acme/members/{ada['member_id']}").json["referral_code"] == "ADASHOP"


def test_the_same_again_changes_nothing_and_an_earlier_one_is_shown_again(acme: Members) -> None:
    ada = acme.enroll("ada@example.com")
    _put(acme, ada, "ADASHOP")
    before = acme.items()
    assert _put(acme, ada, "adash0p").json["version"] == 2
    assert acme.items() == before
    back = _put(acme, ada, ada["referral_code"]).json
    assert (back["code"], back["version"], len(back["codes"])) == (ada["referral_code"], 3, 2)
    assert _put(acme, ada, None).json == back  # a generated one that may be used is there


@pytest.mark.parametrize("typed", ["ADASHOP", "AdaSh0p", "4dashop"])
def test_nobody_gets_anothers_code_or_one_that_looks_like_it(acme: Members, typed: str) -> None:
    ada, eve = acme.enroll("ada@example.com"), acme.enroll("eve@example.com")
    _put(acme, ada, "ADASHOP")
    reply = _put(acme, eve, typed)
    if typed == "4dashop":  # a 4 is no A
        assert reply.json["code"] == "4DASHOP"
    else:
        reply.problem(409, "referral_code_taken")
        assert _owner(acme, "ADASHOP") == ada["member_id"]
        assert acme.call("GET", _path(eve)).json["version"] == 1


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("abc", "referral_code_malformed"),
        ("ABCDEFGH", "referral_code_malformed"),
        ("K7WQ4M2X2", "referral_code_malformed"),
        ("1234567", "referral_code_malformed"),
        ("caf\u00e9s", "referral_code_malformed"),
        ("x" * 21, "referral_code_malformed"),
        ("my-acme", "referral_code_reserved"),
        ("5A1E2026XX", "referral_code_reserved"),  # SALE, as it looks
    ],
)
def test_what_is_no_code_of_ones_own(acme: Members, code: str, refused: str) -> None:
    ada = acme.enroll("ada@example.com")
    before = acme.items()
    problem = _put(acme, ada, code).problem(422, refused)
    assert problem["errors"][0]["pointer"] == "/code"
    assert acme.items() == before


def test_what_has_changed_since_it_was_read_is_refused(acme: Members) -> None:
    ada = acme.enroll("ada@example.com")
    _put(acme, ada, "ADASHOP")
    _put(acme, ada, "ADABAKE", If_Match='"1"').problem(412, "precondition_failed")
    assert _owner(acme, "ADABAKE") is None


def test_five_codes_lead_to_a_member_until_they_expire(acme: Members) -> None:
    ada = acme.enroll("ada@example.com")
    for place in range(MAX_CODES - 1):
        acme.clock.advance(days=1)
        _put(acme, ada, f"ADA{place}A")
    _put(acme, ada, "ADA9A").problem(409, "referral_codes_limit_exceeded")
    assert _put(acme, ada, "ADA0A").status == 200  # one that leads to them already
    acme.clock.advance(days=27)  # the generated one and ADA0A are 31 and 30 days old
    reply = _put(acme, ada, "ADA9A").json
    assert sorted(one["code"] for one in reply["codes"]) == ["ADA1A", "ADA2A", "ADA3A", "ADA9A"]
    assert (_owner(acme, ada["referral_code"]), _owner(acme, "ADA0A")) == (None, None)


def test_an_expired_code_is_given_anew(acme: Members) -> None:
    ada = acme.enroll("ada@example.com")
    acme.clock.advance(days=30)
    body = {"referral_code": ada["referral_code"]}
    assert acme.call("POST", "/v1/programs/acme/referrals/validate", body).json["reason"] == "expired"
    new = _put(acme, ada, None).json
    assert new["code"] != ada["referral_code"]
    assert {one["code"]: one["reason"] for one in new["codes"]} == {
        new["code"]: "valid",
        ada["referral_code"]: "expired",
    }
    again = _put(acme, ada, ada["referral_code"]).json
    assert {one["reason"] for one in again["codes"]} == {"valid"}


def test_an_exhausted_code_says_so(acme: Members) -> None:
    ada = acme.enroll("ada@example.com")
    body = {"referral_code": ada["referral_code"]}
    for uses, marked, reason in ((2, True, "valid"), (3, True, "exhausted"), (2, False, "exhausted")):
        assert acme.code_store.exhaust("acme", ada["referral_code"], uses) is marked
        assert acme.call("POST", "/v1/programs/acme/referrals/validate", body).json["reason"] == reason
    assert acme.code_store.exhaust("acme", "NOBODYS", 3) is False
    assert _owner(acme, "NOBODYS") is None


def test_two_who_want_one_code_at_once(acme: Members) -> None:
    """Between reading and writing, somebody else takes it: one has it, the other is told."""
    ada, eve = acme.enroll("ada@example.com"), acme.enroll("eve@example.com")
    program = acme.programs.for_client("acme", "app")
    real = acme.code_store.change

    class Overtaken(CodeStore):
        def change(self, before: Any, after: Any, **said: Any) -> dict[str, str | None]:
            acme.codes.choose(program, eve["member_id"], "SUMMER")
            return real(before, after, **said)

    with pytest.raises(Exception, match="Another member") as refusal:
        MemberCodes(acme.store, Overtaken(acme.table), acme.clock).choose(program, ada["member_id"], "SUMMER")
    assert refusal.type.__name__ == "CodeTaken"
    assert _owner(acme, "SUMMER") == eve["member_id"]


def test_a_change_of_the_profile_meanwhile_is_kept(acme: Members) -> None:
    ada = acme.enroll("ada@example.com")
    program = acme.programs.for_client("acme", "app")
    store, waits = acme.code_store, [1]

    class Overtaken(CodeStore):
        def change(self, before: Any, after: Any, **said: Any) -> dict[str, str | None]:
            if waits:
                waits.pop()
                acme.service.update(program, ada["member_id"], {"given_name": "Ada"})
                raise TransactionRefused({}, ["TransactionConflict"], contended=True)
            return store.change(before, after, **said)

    held = MemberCodes(acme.store, Overtaken(acme.table), acme.clock, sleep=lambda _s: None).choose(
        program, ada["member_id"], "ADASHOP"
    )
    assert (held.code, held.version) == ("ADASHOP", 3)
    member = acme.service.get(program, ada["member_id"])
    assert (member.profile.given_name, member.referral_code) == ("Ada", "ADASHOP")


def test_nobody_is_found(acme: Members) -> None:
    nobody = {"member_id": f"mbr_{'0' * 26}"}
    _put(acme, nobody, "ADASHOP").problem(404, "member_not_found")
    acme.call("GET", _path(nobody)).problem(404, "member_not_found")
