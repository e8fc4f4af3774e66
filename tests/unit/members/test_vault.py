"""A key for each member: who has which, what opens with it, and what it costs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from moto import mock_aws

from loyalty.core.key_cache import AGE
from loyalty.core.keys import KmsDataKeys
from loyalty.core.pii import Subject, Vault, profile_of
from loyalty.members.errors import MemberKeyMissing
from loyalty.members.store import FoundMember, MemberStore
from loyalty.members.vault import MemberVault
from tests.apikit.keys import FakeKeys
from tests.apikit.members import Members
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import program

NOON = at("2026-11-22T12:00:00Z")
DATA = {"given_name": "Zoë", "external_ids": {"shopify": "1"}}
ADA = profile_of("acme", "mbr_1")
OTHERS = (profile_of("other", "mbr_1"), profile_of("acme", "mbr_2"), Subject("acme", "mbr_1", "consent"))


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield botocore.session.get_session().create_client("kms", region_name="eu-south-1")


def found(members: Members, member_id: str, store: MemberStore | None = None) -> FoundMember:
    one = (store or members.store).find("acme", member_id)
    assert one is not None
    return one


def single(members: Members, member_id: str) -> None:
    """Puts a member back into the form that all had before members had keys."""
    stored = found(members, member_id).member
    data = members.service.get(program(), member_id).profile.as_json()
    sealed = Vault(members.keys).seal(profile_of("acme", member_id), data)
    members.store.replace(stored, replace(stored, version=stored.version + 1, sealed=sealed))
    members.table.client.delete_item(
        TableName=members.table.name, Key={"pk": {"S": f"M#acme#{member_id}"}, "sk": {"S": "KEY"}}
    )
    members.keys.calls.clear()


def test_a_members_key_opens_their_own_records_alone(kms: Any) -> None:
    keys = KmsDataKeys(kms.create_key()["KeyMetadata"]["Arn"], kms)
    clock = SettableClock(NOON)
    vault = MemberVault(keys, clock)
    key = vault.new_key("acme", "mbr_1")
    sealed = vault.seal(ADA, key, DATA)
    assert MemberVault(keys, clock).open(ADA, key, sealed) == DATA
    for stranger in OTHERS[:2]:
        with pytest.raises(ClientError, match="InvalidCiphertext"):
            vault.open(stranger, key, sealed)  # KMS knows whose key it is
        with pytest.raises(InvalidTag):
            vault.open(stranger, vault.new_key(stranger.program, stranger.member_id), sealed)
    with pytest.raises(InvalidTag):
        vault.open(OTHERS[2], key, sealed)  # the same member's, and another kind of record


def test_kms_does_not_unwrap_by_another_key_than_the_one_that_is_stored(kms: Any) -> None:
    first, second = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    clock = SettableClock(NOON)
    key = MemberVault(KmsDataKeys(first, kms), clock).new_key("acme", "mbr_1")
    assert key.stored.key_id == first
    later = MemberVault(KmsDataKeys(second, kms), clock)
    assert later.open(ADA, key, later.seal(ADA, key, DATA)) == DATA, "of two keys, the stored one is asked"
    with pytest.raises(ClientError, match=r"IncorrectKey|AccessDenied"):
        MemberVault(KmsDataKeys(first, kms), clock).seal(
            ADA, replace(key, stored=replace(key.stored, key_id=second)), DATA
        )


def test_no_two_seals_under_one_key_look_alike() -> None:
    vault = MemberVault(FakeKeys(), SettableClock(NOON))
    key = vault.new_key("acme", "mbr_1")
    seals = [vault.seal(ADA, key, DATA) for _ in range(50)]
    assert len({one.nonce for one in seals}) == len({one.ciphertext for one in seals}) == 50


def test_nothing_shows_a_key_in_the_clear() -> None:
    made = FakeKeys().new({})
    assert repr(made.plain) not in repr(made)
    assert made.plain not in (made.stored.wrapped, made.stored.key_id.encode())


def test_what_a_key_costs_while_it_is_remembered(members: Members) -> None:
    ada = members.enroll()["member_id"]
    assert members.keys.calls == {"mac": 1, "new": 1}
    members.keys.calls.clear()
    members.service.get(program(), ada)
    members.service.update(program(), ada, {"given_name": "Ada"})
    assert members.keys.calls == {}, "the process that made the key knows it"
    members.clock.now += AGE
    members.service.get(program(), ada)
    members.service.update(program(), ada, {"given_name": "Augusta"})
    assert members.keys.calls == {"unwrap": 1}


def test_a_refused_enrollment_leaves_no_key(members: Members) -> None:
    members.enroll("ada@example.com")
    before = members.items()
    members.call("POST", "/v1/programs/acme/members", {"email": "ada@example.com"})
    members.call("POST", "/v1/programs/acme/members", {"email": "ada@example.com", "given_name": "X"})
    assert members.items() == before


def test_whose_key_is_gone_nobody_reads_or_changes_whatever_is_remembered(members: Members) -> None:
    ada = members.enroll()["member_id"]
    members.service.get(program(), ada)
    members.table.client.delete_item(
        TableName=members.table.name, Key={"pk": {"S": f"M#acme#{ada}"}, "sk": {"S": "KEY"}}
    )
    before = members.items()
    with pytest.raises(MemberKeyMissing):
        members.service.get(program(), ada)
    with pytest.raises(MemberKeyMissing):
        members.service.update(program(), ada, {"given_name": "Augusta"})
    assert members.items() == before, "no second key is made for them"


def test_a_record_with_a_key_of_its_own_opens_and_moves_with_its_next_change(members: Members) -> None:
    ada = members.enroll(given_name="Ada")["member_id"]
    single(members, ada)
    assert members.service.get(program(), ada).profile.given_name == "Ada"
    assert members.keys.calls == {"unwrap": 1}
    members.service.update(program(), ada, {"given_name": "Augusta"})
    item = members.items()[f"M#acme#{ada}", "MEMBER"]
    assert "pii_key" not in item
    assert found(members, ada).key is not None
    assert members.service.get(program(), ada).profile.given_name == "Augusta"


def test_who_is_moved_by_two_at_once_has_one_key(members: Members) -> None:
    ada = members.enroll(given_name="Ada")["member_id"]
    single(members, ada)

    class Overtaken(MemberStore):
        """A store in which another change moves the record first, once."""

        overtaken = False

        def find(self, program_id: str, member_id: str) -> FoundMember | None:
            seen = super().find(program_id, member_id)
            if not self.overtaken:
                self.overtaken = True
                members.service.update(program(), member_id, {"locale": "it"})
            return seen

    changed = members.service_with(Overtaken(members.table)).update(program(), ada, {"given_name": "Augusta"})
    assert (changed.profile.given_name, changed.profile.locale) == ("Augusta", "it")
    assert members.service.get(program(), ada).profile == changed.profile
    assert sum(sk == "KEY" for _, sk in members.items()) == 1
