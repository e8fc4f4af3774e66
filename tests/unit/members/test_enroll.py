from collections import Counter
from typing import Any

import pytest

from loyalty.attribution.store import ReferralStore
from loyalty.members.model import Profile
from tests.apikit.members import Members

PATH = "/v1/programs/acme/members"
ADA = {
    "email": "Ada.Lovelace@Example.com",
    "phone": "+393331234567",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "locale": "en-GB",
    "external_ids": {"shopify": "207119551"},
}


def test_enrolls_in_one_transaction_with_wallet_and_lookups(members: Members) -> None:
    reply = members.call("POST", PATH, ADA)
    assert reply.status == 201
    body = reply.json
    assert reply.headers["Location"] == f"{PATH}/{body['member_id']}"
    assert reply.headers["ETag"] == '"1"'
    assert reply.headers["Idempotent-Replayed"] == "false"
    assert body == ADA | {
        "member_id": body["member_id"],
        "referral_code": body["referral_code"],
        "tier": "bronze",
        "referred_by": None,
        "created_at": "2026-03-15T12:00:00.000Z",
        "version": 1,
        "merged_from": None,
    }
    kinds = Counter(f"{pk.partition('#')[0]} {sk}" for pk, sk in members.items() if pk[0] in "MU")
    assert kinds == {"M KEY": 1, "M MEMBER": 1, "M WALLET": 1, "U LOOKUP": 4}
    assert members.call("GET", reply.headers["Location"]).json == body
    assert members.keys.contexts == [{"program": "acme", "member": body["member_id"], "purpose": "profile"}]


def test_an_email_is_enough(members: Members) -> None:
    body = members.enroll("solo@example.com")
    assert not body["phone"]
    assert not body["external_ids"]


def test_the_same_request_again_gives_its_first_result(members: Members) -> None:
    first = members.call("POST", PATH, ADA)
    members.call("PATCH", first.headers["Location"], {"given_name": "Augusta"})
    before = members.items()
    again = members.call("POST", PATH, ADA)
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert members.items() == before


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"given_name": "Augusta"}, "/email"),
        ({"email": "other@example.com", "external_ids": {}}, "/phone"),
        ({"email": "other@example.com", "phone": "+393330000000"}, "/external_ids/shopify"),
        ({"email": " ADA.LOVELACE@example.COM ", "phone": None, "external_ids": {}}, "/email"),
    ],
)
def test_what_a_member_has_nobody_else_can_enroll_with(
    members: Members, change: dict[str, object], pointer: str
) -> None:
    members.call("POST", PATH, ADA)
    before = members.items()
    problem = members.call("POST", PATH, ADA | change).problem(409, "already_enrolled")
    assert pointer in [field["pointer"] for field in problem["errors"]]
    assert "ada" not in problem["detail"].lower()
    assert members.items() == before


def test_the_same_person_may_join_two_programs(members: Members) -> None:
    members.programs.clients.bind("app", {"acme", "other"})
    ours = members.call("POST", PATH, ADA)
    theirs = members.call("POST", "/v1/programs/other/members", ADA)
    assert (ours.status, theirs.status) == (201, 201)
    hashes = [key for key in members.items() if key[0].startswith("U#") and "referral" not in key[0]]
    assert len({pk.split("#")[2] for pk, _ in hashes}) == 6, "the same value has another hash in another program"


def test_a_referral_is_attributed_to_its_referrer(members: Members) -> None:
    ada = members.enroll("ada@example.com")
    bob = members.enroll("bob@example.com", referral_code=f" {ada['referral_code'].lower()} ")
    assert bob["referred_by"] == ada["member_id"]
    referral = ReferralStore(members.table).get("acme", bob["member_id"])
    assert referral is not None
    assert (referral.referrer, referral.code) == (ada["member_id"], ada["referral_code"])
    assert list(ReferralStore(members.table).friends("acme", ada["member_id"])) == [bob["member_id"]]


@pytest.mark.parametrize(
    ("code", "reason"), [("ZZZZZZZZ", "unknown"), ("O0I1L", "unknown"), ("not a code", "malformed")]
)
def test_a_code_that_nobody_has_enrolls_nobody(members: Members, code: str, reason: str) -> None:
    before = members.items()
    reply = members.call("POST", PATH, {"email": "bob@example.com", "referral_code": code})
    problem = reply.problem(422, f"referral_code_{reason}")
    assert problem["errors"][0]["pointer"] == "/referral_code"
    assert members.items() == before


def test_a_code_of_another_program_is_unknown(members: Members) -> None:
    members.programs.clients.bind("app", {"acme", "other"})
    ada = members.enroll("ada@example.com")
    body = {"email": "bob@example.com", "referral_code": ada["referral_code"]}
    members.call("POST", "/v1/programs/other/members", body).problem(422, "referral_code_unknown")


def test_a_code_that_is_taken_is_drawn_anew(members: Members) -> None:
    taken = members.enroll("ada@example.com")["referral_code"]
    codes = iter([taken, taken, "FREECDDE"])
    service = members.service_with(members.store, new_code=lambda: next(codes))
    enrolled = service.enroll(members.programs.current("acme"), Profile("bob@example.com"))
    assert enrolled.member.referral_code == "FREECDDE"


class TestWhoCameBeforeARule:
    """They enrolled while less was asked of addresses, numbers and names; their request is theirs for ever."""

    OLD = (
        {"email": "\u0430da@example.com"},  # a Cyrillic letter among Latin ones
        {"email": "ada@example.com", "phone": "+15555555555"},  # a number that no country gives
        {"email": "ada@example.com", "given_name": "Ada\u3164"},  # a letter that nobody sees
        {"email": "ada@example.com", "given_name": "Ada  Augusta"},  # two spaces, which today are one
        {"email": "ada@example.com", "external_ids": {"shopify": "1"}, "phone": "+521551234567"},
    )

    @pytest.fixture(params=range(len(OLD)))
    def old(self, request: pytest.FixtureRequest, members: Members) -> tuple[dict[str, object], str]:
        """A request, and the id that the earlier version gave."""
        body: dict[str, Any] = self.OLD[request.param]
        program = members.programs.current("acme")
        return body, members.service.enroll(program, Profile(**body)).member.member_id

    def test_gets_their_answer_again(self, members: Members, old: tuple[dict[str, object], str]) -> None:
        body, member_id = old
        before = members.items()
        again = members.call("POST", PATH, body)
        assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
        assert again.json["member_id"] == member_id
        assert {name: again.json[name] for name in body} == body
        assert members.items() == before

    def test_with_anything_else_it_is_as_of_anybody(self, members: Members, old: tuple[dict[str, object], str]) -> None:
        body, _ = old
        other = members.call("POST", PATH, {**body, "locale": "it-IT"})
        assert other.status == (409 if "Augusta" in str(body) else 422)

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            (OLD[0], "/email"),
            (OLD[1], "/phone"),
            (OLD[2], "/given_name"),
            ({**OLD[1], "referral_code": "K7WQ4M2X"}, "/phone"),
            ({"email": "nobody"}, "/email"),
            ({"email": "ada@example.com", "phone": "333"}, "/phone"),
        ],
    )
    def test_nobody_new_comes_so(self, members: Members, body: dict[str, object], pointer: str) -> None:
        before = members.items()
        problem = members.call("POST", PATH, body).problem(422, "invalid")
        assert [field["pointer"] for field in problem["errors"]] == [pointer]
        assert members.items() == before
