from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from moto import mock_aws

from loyalty.core.keys import KmsDataKeys, KmsMac
from loyalty.core.pii import Lookups, Vault, normal_email, normal_phone
from tests.apikit.keys import FakeKeys

DATA = {"email": "ada@example.com", "given_name": "Zoë", "external_ids": {"shopify": "1"}}


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield botocore.session.get_session().create_client("kms", region_name="eu-south-1")


def test_kms_opens_what_it_sealed_and_only_in_its_context(kms: Any) -> None:
    key = kms.create_key()["KeyMetadata"]["Arn"]
    vault = Vault(KmsDataKeys(key, kms))
    sealed = vault.seal("acme", "mbr_1", DATA)
    assert vault.open("acme", "mbr_1", sealed) == DATA
    for program, member in (("other", "mbr_1"), ("acme", "mbr_2")):
        with pytest.raises(ClientError, match="InvalidCiphertext"):
            vault.open(program, member, sealed)


def test_kms_makes_the_same_code_for_the_same_message(kms: Any) -> None:
    key = kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")["KeyMetadata"]["Arn"]
    mac = KmsMac(key, kms).mac
    assert mac(b"a") == mac(b"a") != mac(b"b")
    assert len(mac(b"a")) == 32


def test_no_two_seals_look_alike() -> None:
    vault = Vault(FakeKeys())
    first, second = vault.seal("acme", "mbr_1", DATA), vault.seal("acme", "mbr_1", DATA)
    assert {first.key, first.nonce, first.ciphertext}.isdisjoint({second.key, second.nonce, second.ciphertext})
    assert b"ada" not in first.ciphertext


def test_a_changed_record_does_not_open() -> None:
    vault = Vault(FakeKeys())
    sealed = vault.seal("acme", "mbr_1", DATA)
    flipped = bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
    for changed in (replace(sealed, ciphertext=flipped), replace(sealed, nonce=bytes(12))):
        with pytest.raises(InvalidTag):
            vault.open("acme", "mbr_1", changed)


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
