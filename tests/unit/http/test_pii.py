from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from moto import mock_aws

from loyalty.core.keys import DataKey, KmsDataKeys, KmsMac
from loyalty.core.pii import Lookups, Vault, gift_card_of, normal_email, normal_phone, profile_of
from tests.apikit.keys import FakeKeys

DATA = {"email": "ada@example.com", "given_name": "Zoë", "external_ids": {"shopify": "1"}}
ADA = profile_of("acme", "mbr_1")
OTHERS = (profile_of("other", "mbr_1"), profile_of("acme", "mbr_2"), gift_card_of("acme", "mbr_1", "rdm_1"))


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield botocore.session.get_session().create_client("kms", region_name="eu-south-1")


def test_kms_opens_what_it_sealed_and_only_in_its_context(kms: Any) -> None:
    key = kms.create_key()["KeyMetadata"]["Arn"]
    vault = Vault(KmsDataKeys(key, kms))
    sealed = vault.seal(ADA, DATA)
    assert vault.open(ADA, sealed) == DATA
    for other in OTHERS:
        with pytest.raises(ClientError, match="InvalidCiphertext"):
            vault.open(other, sealed)


def test_a_card_opens_as_its_own_redemptions_alone(kms: Any) -> None:
    vault = Vault(KmsDataKeys(kms.create_key()["KeyMetadata"]["Arn"], kms))
    card = gift_card_of("acme", "mbr_1", "rdm_1")
    sealed = vault.seal(card, DATA)
    assert vault.open(card, sealed) == DATA
    for other in (ADA, replace(card, redemption_id="rdm_2"), replace(card, member_id="mbr_2")):
        with pytest.raises(ClientError, match="InvalidCiphertext"):
            vault.open(other, sealed)


class CarelessKeys(FakeKeys):
    """A key service that unwraps in any context."""

    def new(self, context: Mapping[str, str]) -> DataKey:  # noqa: ARG002 - that is what is careless
        return super().new({})

    def unwrap(self, wrapped: bytes, context: Mapping[str, str], *, key_id: str | None = None) -> bytes:  # noqa: ARG002
        return super().unwrap(wrapped, {}, key_id=key_id)


def test_the_cipher_is_bound_to_the_subject_by_itself() -> None:
    vault = Vault(CarelessKeys())
    card = gift_card_of("acme", "mbr_1", "rdm_1")
    for subject in (ADA, card):
        sealed = vault.seal(subject, DATA)
        assert vault.open(subject, sealed) == DATA
        for other in {ADA, card, replace(card, redemption_id="rdm_2"), *OTHERS} - {subject}:
            with pytest.raises(InvalidTag):
                vault.open(other, sealed)


def test_the_context_names_the_purpose_by_which_roles_are_restricted() -> None:
    assert ADA.context == {"program": "acme", "member": "mbr_1", "purpose": "profile"}
    assert gift_card_of("acme", "mbr_1", "rdm_1").context == {
        "program": "acme", "member": "mbr_1", "purpose": "gift_card", "redemption": "rdm_1",
    }  # fmt: skip


def test_kms_makes_the_same_code_for_the_same_message(kms: Any) -> None:
    key = kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")["KeyMetadata"]["Arn"]
    mac = KmsMac(key, kms).mac
    assert mac(b"a") == mac(b"a") != mac(b"b")
    assert len(mac(b"a")) == 32


def test_no_two_seals_look_alike() -> None:
    vault = Vault(FakeKeys())
    first, second = vault.seal(ADA, DATA), vault.seal(ADA, DATA)
    assert {first.key, first.nonce, first.ciphertext}.isdisjoint({second.key, second.nonce, second.ciphertext})
    assert b"ada" not in first.ciphertext


def test_a_changed_record_does_not_open() -> None:
    vault = Vault(FakeKeys())
    sealed = vault.seal(ADA, DATA)
    flipped = bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
    for changed in (replace(sealed, ciphertext=flipped), replace(sealed, nonce=bytes(12))):
        with pytest.raises(InvalidTag):
            vault.open(ADA, changed)


def test_hashes_tell_programs_kinds_and_values_apart() -> None:
    keys = FakeKeys()
    lookups = Lookups(keys)
    hashes = {
        lookups.digest(program, kind, value)
        for program in ("acme", "other")
        for kind in ("email", "phone", "external:shopify")
        for value in ("1", "2")
    }
    assert len(hashes) == 12
    assert keys.calls["mac"] == 2
    assert Lookups(keys).email("acme", "1") in hashes, "another process finds the same"
    assert Lookups(FakeKeys()).email("acme", "1") not in hashes, "without the key nobody does"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (" Ada.Lovelace@Example.COM\n", "ada.lovelace@example.com"),
        ("ada+shop@example.com", "ada+shop@example.com"),
        ("j\u00fcrgen@M\u00dcLLER.de", "j\u00fcrgen@xn--mller-kva.de"),
        ("ju\u0308rgen@m\u00fcller.de", "j\u00fcrgen@xn--mller-kva.de"),
        ("ada@fa\u00df.de", "ada@xn--fa-hia.de"),
    ],
)
def test_one_mailbox_has_one_spelling(text: str, normal: str) -> None:
    assert normal_email(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@",
        "a@",
        "@b.com",
        "a b@example.com",
        "a@b@c.com",
        "a@localhost",
        "a@-b.com",
        "a@b..com",
        "\ud800@b.com",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Send a valid e-mail address$"):
        normal_email(text)


@pytest.mark.parametrize(
    "text", ["", "+", "3331234567", "+0123456789", "+39 333", "+39-333-1234567", "+" + "1" * 16, "+123456"]
)
def test_what_is_no_phone_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"E\.164"):
        normal_phone(text)
