"""Keys of members on real engines: wrapped anew beside other writers, nothing is lost and everything opens."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from loyalty.core.pii import Vault, profile_of
from loyalty.members.errors import AlreadyEnrolled, MemberChanged
from loyalty.members.model import Profile
from loyalty.members.rewrapping import Rewrapping, RewrapRun, State
from loyalty.members.service import Enrolled
from loyalty.members.vault import MemberVault
from tests.apikit.members import Members
from tests.ledgerkit.programs import program

pytestmark = pytest.mark.integration
THREADS = 8


def rewrapping(members: Members) -> Rewrapping:
    return Rewrapping(members.table, members.keys, MemberVault(members.keys, members.clock), members.clock)


def run(members: Members, name: str = "x") -> RewrapRun:
    return RewrapRun("acme", name, "key/2", members.clock())


def changed(members: Members, member_id: str, number: int) -> str:
    """A change that is made in the end, as by a client that comes back when it is told to."""
    while True:
        try:
            members.service.update(program(), member_id, {"external_ids": {f"shop{number}": "1"}})
        except MemberChanged:
            continue
        return f"shop{number}"


def single(members: Members, member_id: str) -> None:
    """Puts a member back into the form that all had before members had keys."""
    found = members.store.find("acme", member_id)
    assert found is not None
    data = members.service.get(program(), member_id).profile.as_json()
    members.store.replace(
        found.member, replace(found.member, sealed=Vault(members.keys).seal(profile_of("acme", member_id), data))
    )
    members.table.client.delete_item(
        TableName=members.table.name, Key={"pk": {"S": f"M#acme#{member_id}"}, "sk": {"S": "KEY"}}
    )


def test_one_address_in_many_spellings_makes_one_member(members: Members) -> None:
    spellings = ("ada@m\u00fcller.de", "ADA@M\u00dcLLER.DE", " ada@xn--mller-kva.de", "ada@mu\u0308ller.de")

    def enroll(number: int) -> Enrolled | None:
        try:
            return members.service.enroll(program(), Profile(spellings[number % 4], given_name=f"A{number}"))
        except AlreadyEnrolled:
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(enroll, range(16)))
    assert len([one for one in results if one is not None]) == 1
    assert sorted(sk for pk, sk in members.items() if pk.startswith("M#")) == ["KEY", "MEMBER", "WALLET"]


@pytest.mark.parametrize("own_key", [False, True], ids=["with member keys", "with keys of records"])
def test_changes_beside_two_rewraps_are_all_kept(members: Members, own_key: bool) -> None:
    ids = [members.enroll(f"p{number}@example.com")["member_id"] for number in range(4)]
    if own_key:
        for member_id in ids:
            single(members, member_id)
    members.clock.advance(hours=1)
    members.keys.current = "key/2"
    with ThreadPoolExecutor(THREADS) as pool:
        runs = [pool.submit(rewrapping(members).many, run(members, name)) for name in ("x", "y")]
        links = [pool.submit(changed, members, ids[number % 4], number) for number in range(16)]
        assert [one.result().failed for one in runs] == [0, 0]
        assert {one.result() for one in links} == {f"shop{number}" for number in range(16)}
    rewrapping(members).many(run(members, "again"))
    assert rewrapping(members).survey(run(members)) == {State.KEPT: 4}
    members.keys.forget("key/1")
    process = members.service_with(members.store)
    for place, member_id in enumerate(ids):
        profile = process.get(program(), member_id).profile
        assert profile.email == f"p{place}@example.com"
        assert set(profile.external_ids) == {f"shop{number}" for number in range(place, 16, 4)}


def test_a_record_that_many_move_at_once_has_one_key(members: Members) -> None:
    ada = members.enroll()["member_id"]
    single(members, ada)
    with ThreadPoolExecutor(THREADS) as pool:
        links = list(pool.map(lambda number: changed(members, ada, number), range(THREADS)))
    assert sum(sk == "KEY" for _, sk in members.items()) == 1
    assert set(members.service_with(members.store).get(program(), ada).profile.external_ids) == set(links)
