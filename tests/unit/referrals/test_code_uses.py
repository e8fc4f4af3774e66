"""How many a member may bring: by all of their codes together, however many they choose."""

import pytest

from loyalty.referrals.memory import Memory
from loyalty.referrals.work import CodeUses
from tests.apikit.members import Members
from tests.unit.referrals.rig import MEMBERS, Referring


@pytest.fixture
def acme(members: Members) -> Referring:
    return Referring(members, code_uses=2)


def _comes(acme: Referring, name: str, code: str) -> None:
    """Somebody enrolls by a code, and is counted."""
    friend = acme.member(name, referral_code=code)
    referral, program = acme.referral(friend), acme.members.programs.current("acme")
    assert referral is not None
    counted = Memory(acme.members.table, acme.members.clock).count(program, referral)
    CodeUses(acme.members.table, acme.members.clock).counted(program, counted)


def _codes(acme: Referring, member: dict[str, str], chosen: str | None = "") -> dict[str, str]:
    path = f"{MEMBERS}/{member['member_id']}/referral-code"
    reply = acme.call("GET", path) if chosen == "" else acme.call("PUT", path, {"code": chosen})
    assert reply.status == 200
    return {one["code"]: one["reason"] for one in reply.json["codes"]}


def test_who_has_brought_as_many_as_they_may_has_no_code_left(acme: Referring) -> None:
    ada = acme.member("ada")
    _codes(acme, ada, "ADASHOP")
    _comes(acme, "bob", ada["referral_code"])
    assert set(_codes(acme, ada).values()) == {"valid"}
    _comes(acme, "cleo", "ADASHOP")
    assert _codes(acme, ada) == {"ADASHOP": "exhausted", ada["referral_code"]: "exhausted"}
    acme.enroll("dan", referral_code=ada["referral_code"]).problem(422, "referral_code_exhausted")


@pytest.mark.parametrize("chosen", ["ADABAKE", None])
def test_another_code_brings_nobody_more(acme: Referring, chosen: str | None) -> None:
    ada = acme.member("ada")
    for name in ("bob", "cleo"):
        _comes(acme, name, ada["referral_code"])
    assert set(_codes(acme, ada, chosen).values()) == {"exhausted"}
    acme.publish(code_uses=3)
    assert set(_codes(acme, ada).values()) == {"valid"}


def test_one_given_anew_after_it_expired_brings_nobody_more(acme: Referring) -> None:
    ada = acme.member("ada")
    for name in ("bob", "cleo"):
        _comes(acme, name, ada["referral_code"])
    acme.members.clock.advance(days=101)
    assert _codes(acme, ada)[ada["referral_code"]] == "expired"
    assert _codes(acme, ada, ada["referral_code"]) == {ada["referral_code"]: "exhausted"}
