"""Many who want the same friend at once: exactly one referral, or none, and never one that only one side knows of."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty.attribution.model import Referral
from loyalty.attribution.store import ReferralStore, referral_of
from loyalty.core.errors import LoyaltyError, WalletBusy
from loyalty.members.errors import AlreadyEnrolled
from loyalty.members.model import Profile
from loyalty.referrals.errors import ReferralExists
from tests.apikit.members import Members
from tests.unit.referrals.rig import Referring

pytestmark = pytest.mark.integration
THREADS = 8


@pytest.fixture
def acme(members: Members) -> Referring:
    return Referring(members, code_uses=1000)


def at_once(calls: list[Callable[[], object]]) -> list[object]:
    """What each call gave, or refused; all at once."""

    def outcome(call: Callable[[], object]) -> object:
        while True:  # a client that is told to come back comes back
            try:
                return call()
            except WalletBusy:
                continue
            except LoyaltyError as refusal:
                return refusal

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(outcome, calls))


def both_sides_agree(acme: Referring) -> list[Referral]:
    """All referrals: each is in its referrer's list, once, and nobody is there without one."""
    items = acme.members.items()
    found = [referral_of(raw) for (_, sk), raw in items.items() if sk == "REFERRAL"]
    listed = sorted(
        (pk.split("#")[2], raw["member_id"]["S"]) for (pk, sk), raw in items.items() if sk.startswith("FRIEND#")
    )
    assert listed == sorted((one.referrer, one.member_id) for one in found)
    return found


def test_a_friend_who_enrolls_at_once_through_many_codes_comes_by_one(acme: Referring) -> None:
    referrers = [acme.member(f"referrer{number}") for number in range(6)]
    program = acme.members.programs.current("acme")
    friend = Profile("friend@example.com", phone="+393331234567")

    def by(code: str) -> Callable[[], object]:
        return lambda: acme.members.service.enroll(program, friend, referral_code=code).member

    results = at_once([by(one["referral_code"]) for one in referrers for _ in range(4)])
    enrolled = {one.member_id: one.referred_by for one in results if not isinstance(one, AlreadyEnrolled)}  # type: ignore[attr-defined]
    assert len(enrolled) == 1, "the same request again gives the same member; another code is another request"
    (only,) = both_sides_agree(acme)
    assert enrolled == {only.member_id: only.referrer}


def test_many_referrers_who_race_for_one_friend_bring_them_once(acme: Referring) -> None:
    referrers = [acme.member(f"referrer{number}") for number in range(6)]
    friend = acme.member("friend")["member_id"]
    program = acme.members.programs.current("acme")

    def by(code: str) -> Callable[[], object]:
        return lambda: acme.members.claims.claim(program, friend, code).referral.referrer

    results = at_once([by(one["referral_code"]) for one in referrers for _ in range(4)])
    (only,) = both_sides_agree(acme)
    assert {one for one in results if not isinstance(one, ReferralExists)} == {only.referrer}
    assert results.count(only.referrer) == 4


def test_many_friends_of_one_referrer_do_not_stand_in_each_others_way(acme: Referring) -> None:
    ada = acme.member("ada")
    program = acme.members.programs.current("acme")
    results = at_once([
        lambda number=number: acme.members.service.enroll(  # type: ignore[misc]
            program, Profile(f"friend{number}@example.com"), referral_code=ada["referral_code"]
        )
        for number in range(40)
    ])  # fmt: skip
    assert not [one for one in results if isinstance(one, LoyaltyError)]
    assert len(both_sides_agree(acme)) == 40
    assert len(acme.brought(ada, limit="100").json["items"]) == 40
    assert len(set(ReferralStore(acme.members.table).friends("acme", ada["member_id"]))) == 40
