"""Many writers of one member at once: nobody enrolls twice, no change is lost, no lookup leads astray."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty.members.errors import AlreadyEnrolled, MemberChanged
from loyalty.members.model import Profile
from loyalty.members.service import Enrolled
from tests.apikit.members import Members
from tests.ledgerkit.programs import program

pytestmark = pytest.mark.integration
THREADS = 8


def lookups_agree(members: Members) -> None:
    """Every lookup leads to a member who names it, and every member is found by each of theirs."""
    stored = {pk.split("#")[2]: raw for (pk, sk), raw in members.items().items() if sk == "MEMBER"}
    expected = {
        (f"U#acme#{digest['S']}", member) for member, raw in stored.items() for digest in raw["lookups"]["M"].values()
    }
    expected |= {(f"U#acme#referral#{raw['referral_code']['S']}", member) for member, raw in stored.items()}
    found = {(pk, raw["member_id"]["S"]) for (pk, sk), raw in members.items().items() if sk == "LOOKUP"}
    assert found == expected


def test_one_request_from_many_threads_makes_one_member(members: Members) -> None:
    program = members.programs.current("acme")
    profile = Profile("ada@example.com", phone="+393331234567", external_ids={"shopify": "1"})
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(lambda _: members.service.enroll(program, profile), range(24)))
    assert len({result.member.member_id for result in results}) == 1
    assert [result.replayed for result in results].count(False) == 1
    lookups_agree(members)


def test_different_people_with_one_phone_make_one_member(members: Members) -> None:
    program = members.programs.current("acme")

    def enroll(number: int) -> Enrolled | None:
        try:
            return members.service.enroll(program, Profile(f"p{number}@example.com", phone="+393331234567"))
        except AlreadyEnrolled:
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(enroll, range(16)))
    assert len([result for result in results if result is not None]) == 1
    assert sum(sk in ("MEMBER", "WALLET") for _, sk in members.items()) == 2
    lookups_agree(members)


def test_changes_from_many_threads_are_all_kept(members: Members) -> None:
    ada = members.enroll()
    platforms = [f"shop{number}" for number in range(THREADS)]

    def link(platform: str) -> None:
        while True:  # a client that is told to come back comes back
            try:
                members.service.update(program(), ada["member_id"], {"external_ids": {platform: "1"}})
            except MemberChanged:
                continue
            return

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(link, platforms))
    changed = members.service.get(program(), ada["member_id"])
    assert sorted(changed.profile.external_ids) == platforms
    assert changed.version == 1 + len(platforms)
    lookups_agree(members)


def test_an_address_that_moves_is_never_two_peoples(members: Members) -> None:
    ada, bob = members.enroll("ada@example.com"), members.enroll("bob@example.com")

    def take(member: dict[str, str], email: str) -> None:
        try:
            members.service.update(program(), member["member_id"], {"email": email})
        except (AlreadyEnrolled, MemberChanged):
            return

    moves = [(ada, "new@example.com"), (bob, "new@example.com"), (ada, "ada@example.com"), (bob, "ada@example.com")]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda move: take(*move), moves * 4))
    lookups_agree(members)
