"""Keys wrapped anew: everything opens as before, cut off anywhere, and beside other writers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from loyalty.core.keys import KmsDataKeys, WrappedKey
from loyalty.core.pii import Ciphertext, Vault, profile_of
from loyalty.members.keys import MemberKey, new_key_put
from loyalty.members.rewrapping import Rewrapping, RewrapRun, State
from loyalty.members.store import FoundMember, MemberStore
from loyalty.members.vault import MemberVault
from loyalty.walking.errors import RunDiffers, RunStopped
from loyalty.walking.runs import Walked
from tests.apikit.keys import FakeKeys
from tests.apikit.members import Members
from tests.ledgerkit.moves import Moves
from tests.ledgerkit.programs import program

NAMES = [f"p{number}@example.com" for number in range(5)]


@pytest.fixture
def ids(members: Members) -> list[str]:
    """Five members, whose keys lie under ``key/1``; an hour later the stage's key is ``key/2``."""
    made = [members.enroll(email)["member_id"] for email in NAMES]
    members.clock.advance(hours=1)
    members.keys.current = "key/2"
    members.keys.calls.clear()
    return made


def rewrapping(members: Members, **more: Any) -> Rewrapping:
    vault = MemberVault(members.keys, members.clock)
    return Rewrapping(members.table, members.keys, vault, members.clock, workers=1, sleep=lambda _seconds: None, **more)


def run(members: Members, name: str = "x", key_id: str = "key/2") -> RewrapRun:
    return RewrapRun("acme", name, key_id, members.clock())


def keys(members: Members) -> list[tuple[str, int]]:
    """Under which key each member's lies, and how many times it was wrapped."""
    raws = [raw for (_, sk), raw in members.items().items() if sk == "KEY"]
    return sorted((raw["key_id"]["S"], int(raw["version"]["N"])) for raw in raws)


def emails(members: Members, ids: list[str]) -> list[str]:
    """As a process reads them that remembers no key."""
    service = members.service_with(members.store)
    return [service.get(program(), member_id).profile.email for member_id in ids]


def single(members: Members, member_id: str) -> None:
    """Puts a member back into the form that all had before members had keys."""
    found = members.store.find("acme", member_id)
    assert found is not None
    data = members.service.get(program(), member_id).profile.as_json()
    sealed = Vault(members.keys).seal(profile_of("acme", member_id), data)
    members.store.replace(found.member, replace(found.member, sealed=sealed))
    members.table.client.delete_item(
        TableName=members.table.name, Key={"pk": {"S": f"M#acme#{member_id}"}, "sk": {"S": "KEY"}}
    )


def key_alone(members: Members, member_id: str) -> MemberKey:
    """Gives a member a key, as what seals something else of them does first."""
    key = MemberVault(members.keys, members.clock).new_key("acme", member_id)
    members.table.write([new_key_put("acme", member_id, key)])
    return key


def test_everything_opens_when_the_old_key_is_gone(members: Members, ids: list[str]) -> None:
    before = {key: raw for key, raw in members.items().items() if key[1] == "MEMBER"}
    assert rewrapping(members).many(run(members)) == Walked(members=5, changed=5)
    assert members.keys.calls == {"rewrap": 5}, "no data key was seen in the clear"
    members.keys.forget("key/1")
    assert keys(members) == [("key/2", 2)] * 5
    assert emails(members, ids) == NAMES
    assert {key: raw for key, raw in members.items().items() if key[1] == "MEMBER"} == before


def test_what_was_wrapped_since_is_left_alone(members: Members, ids: list[str]) -> None:
    service = rewrapping(members)
    of = run(members)
    service.many(of)
    members.keys.calls.clear()
    assert service.many(replace(of, name="again")) == Walked(members=len(ids))
    assert members.keys.calls == {}
    members.clock.advance(seconds=1)
    assert service.many(run(members, "later")) == Walked(members=5, changed=5), "of the same key, under newer material"


def test_a_dry_run_counts_and_touches_nothing(members: Members, ids: list[str]) -> None:
    single(members, ids[0])
    members.table.client.delete_item(
        TableName=members.table.name, Key={"pk": {"S": f"M#acme#{ids[1]}"}, "sk": {"S": "KEY"}}
    )
    before, calls = members.items(), members.keys.calls.copy()
    assert rewrapping(members).survey(run(members)) == {State.SINGLE: 1, State.GONE: 1, State.DUE: 3}
    assert (members.items(), members.keys.calls) == (before, calls)


def test_records_with_a_key_of_their_own_are_moved(members: Members, ids: list[str]) -> None:
    for member_id in ids[:2]:
        single(members, member_id)
    versions = [members.service.get(program(), member_id).version for member_id in ids]
    assert rewrapping(members).many(run(members)) == Walked(members=5, changed=5)
    assert not any("pii_key" in raw for raw in members.items().values())
    assert emails(members, ids) == NAMES
    assert [members.service.get(program(), member_id).version for member_id in ids] == versions


def test_whose_key_is_gone_gets_no_other(members: Members, ids: list[str]) -> None:
    members.table.client.delete_item(
        TableName=members.table.name, Key={"pk": {"S": f"M#acme#{ids[0]}"}, "sk": {"S": "KEY"}}
    )
    assert rewrapping(members).many(run(members)) == Walked(members=5, changed=4)
    assert len(keys(members)) == 4


def test_cut_off_it_goes_on_where_it_was(members: Members, ids: list[str]) -> None:
    class Breaking(FakeKeys):
        """Dies at the third key, as a process does."""

        def __init__(self, keys: FakeKeys, after: int) -> None:
            super().__init__()
            self._keys, self.left = keys, after

        def rewrap(self, key: WrappedKey, context: Any) -> WrappedKey:
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            return self._keys.rewrap(key, context)

    breaking = Rewrapping(
        members.table, Breaking(members.keys, 2), MemberVault(members.keys, members.clock), members.clock, workers=1
    )
    with pytest.raises(KeyboardInterrupt):
        breaking.many(run(members))
    assert sorted(keys(members)) == [("key/1", 1)] * 3 + [("key/2", 2)] * 2
    assert emails(members, ids) == NAMES, "in between everything opens, under either key"
    done = rewrapping(members).many(run(members))
    assert (done.members, done.failed, done.unfinished) == (5, 0, ())
    assert keys(members) == [("key/2", 2)] * 5


def test_under_one_name_it_is_one_key(members: Members, ids: list[str]) -> None:
    rewrapping(members).many(run(members))
    with pytest.raises(RunDiffers, match="key/3"):
        rewrapping(members).many(run(members, key_id="key/3"))
    assert len(ids) == 5


def test_when_kms_is_away_the_run_stops_and_loses_nothing(members: Members, ids: list[str]) -> None:
    members.keys.unavailable = True
    with pytest.raises(RunStopped, match="ConnectionError"):
        rewrapping(members, page=1).many(run(members))
    members.keys.unavailable = False
    assert rewrapping(members).many(run(members)).changed == 5
    assert emails(members, ids) == NAMES


class Overtaken(MemberStore):
    """A store in which something else is done between the reading and the writing of a key, once."""

    def __init__(self, members: Members, first: Callable[[], object]) -> None:
        super().__init__(members.table)
        self._first: Callable[[], object] | None = first

    def rewrap(self, found: FoundMember, key: MemberKey, sealed: Ciphertext | None) -> bool:
        first, self._first = self._first, None
        if first is not None:
            first()
        return super().rewrap(found, key, sealed)


@pytest.mark.parametrize("own_key", [False, True], ids=["a key to wrap anew", "a record to move"])
def test_a_change_of_the_profile_meanwhile_is_kept(members: Members, ids: list[str], own_key: bool) -> None:
    if own_key:
        single(members, ids[0])
    service = rewrapping(members)
    service._members = Overtaken(members, lambda: members.service.update(program(), ids[0], {"given_name": "Ada"}))
    assert service.one(run(members), ids[0]) is not own_key, "the change itself moved the record, under the new key"
    members.keys.forget("key/1")
    assert members.service_with(members.store).get(program(), ids[0]).profile.given_name == "Ada"


def test_a_change_of_a_record_meanwhile_is_kept_where_the_key_was_there_before(
    members: Members, ids: list[str]
) -> None:
    single(members, ids[0])
    key_alone(members, ids[0])
    service = rewrapping(members)
    service._members = Overtaken(members, lambda: members.service.update(program(), ids[0], {"given_name": "Ada"}))
    of = RewrapRun("acme", "x", "key/2", members.clock())
    assert not service.one(of, ids[0]), "the change moved the record, under the key that was there"
    assert members.service_with(members.store).get(program(), ids[0]).profile.given_name == "Ada"


def test_a_key_that_others_make_meanwhile_is_the_members_only_one(members: Members, ids: list[str]) -> None:
    single(members, ids[0])
    made: list[MemberKey] = []
    service = rewrapping(members)
    service._members = Overtaken(members, lambda: made.append(key_alone(members, ids[0])))
    assert service.one(run(members), ids[0])
    found = members.store.find("acme", ids[0])
    assert found is not None
    assert found.key == made[0]
    assert members.service_with(members.store).get(program(), ids[0]).profile.email == NAMES[0]


def test_whom_a_member_absorbed_is_wrapped_with_them(members: Members, ids: list[str]) -> None:
    Moves(members.table).merge(ids[0], into=ids[1])
    assert rewrapping(members).survey(run(members)) == {State.DUE: 5}
    assert rewrapping(members).many(run(members)) == Walked(members=4, changed=4)
    assert keys(members) == [("key/2", 2)] * 5


def test_a_key_that_is_deleted_meanwhile_stays_deleted(members: Members, ids: list[str]) -> None:
    key = {"pk": {"S": f"M#acme#{ids[0]}"}, "sk": {"S": "KEY"}}
    service = rewrapping(members)
    service._members = Overtaken(
        members, lambda: members.table.client.delete_item(TableName=members.table.name, Key=key)
    )
    assert not service.one(run(members), ids[0])
    assert len(keys(members)) == 4


def test_two_runs_at_once_wrap_it_once(members: Members, ids: list[str]) -> None:
    service = rewrapping(members)
    service._members = Overtaken(members, lambda: rewrapping(members).one(run(members, "other"), ids[0]))
    assert not service.one(run(members), ids[0])
    assert keys(members).count(("key/2", 2)) == 1
    assert emails(members, ids) == NAMES


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield botocore.session.get_session().create_client("kms", region_name="eu-south-1")


def test_kms_wraps_anew_in_the_context_of_the_member_alone(kms: Any) -> None:
    old, new = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    context = profile_of("acme", "mbr_1").context
    made = KmsDataKeys(old, kms).new(context)
    moved = KmsDataKeys(new, kms).rewrap(made.stored, context)
    assert moved.key_id == new
    assert KmsDataKeys(new, kms).unwrap(moved.wrapped, context) == made.plain
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        KmsDataKeys(new, kms).rewrap(made.stored, profile_of("acme", "mbr_2").context)
