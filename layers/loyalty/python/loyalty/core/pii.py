"""Personal data: how it is kept (as ciphertext), and how it is found (by keyed hash).

What is personal of a member lies under the member's own data key (``members.vault``); a gift card or code under one of its
own, made by :class:`Vault`. Either way the ciphertext is bound to what the record is and whose. A hash is HMAC-SHA256 under a key derived from the lookup
key once per program and process, so that finding a member by e-mail needs no call to KMS; decision 0031 says what
that trades.
"""

import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from loyalty.core.keys import DataKeyPort, MacPort
from loyalty_contract import CODE_POOL, GIFT_CARD, PROFILE, SEALED_FOR

EMAIL: Final = "email"
PHONE: Final = "phone"
MAX_EMAIL: Final = 254

_LABEL: Final = "loyalty/lookup/v1/"
_NONCE_BYTES: Final = 12
_DIGEST_HEX: Final = 40
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """A record's personal data as the table holds it, where its key is kept elsewhere."""

    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record's personal data as the table holds it, with the wrapped key that it alone lies under."""

    key: bytes
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Subject:
    """What a record is (``purpose``) and whose; a card is its redemption's. What one seals, no other opens."""

    program: str
    member_id: str
    purpose: str
    redemption_id: str | None = None

    @property
    def context(self) -> dict[str, str]:
        """The encryption context. Roles are restricted by the purpose in it."""
        redemption = {} if self.redemption_id is None else {"redemption": self.redemption_id}
        return {"program": self.program, "member": self.member_id, SEALED_FOR: self.purpose} | redemption


def profile_of(program: str, member_id: str) -> Subject:
    """A member's profile."""
    return Subject(program, member_id, PROFILE)


def gift_card_of(program: str, member_id: str, redemption_id: str) -> Subject:
    """The gift card of one redemption."""
    return Subject(program, member_id, GIFT_CARD, redemption_id)


def pool_code_of(program: str, reward_id: str, code_hash: str) -> Subject:
    """A code that nobody has yet: of its reward's pool, and no other code's place in it."""
    return Subject(program, f"pool/{reward_id}", CODE_POOL, code_hash)


def encrypt(key: bytes, subject: Subject, data: Mapping[str, Any]) -> Ciphertext:
    """AES-256-GCM of a JSON object under a fresh nonce, for one subject.

    A nonce is 96 random bits: under one key that is safe for 2**32 records, which no member ever has.
    """
    nonce = os.urandom(_NONCE_BYTES)
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
    return Ciphertext(nonce, _cipher(key).encrypt(nonce, text, _associated(subject.context)))


def decrypt(key: bytes, subject: Subject, sealed: Ciphertext) -> dict[str, Any]:
    """What :func:`encrypt` made for the same subject under the same key.

    Raises:
        cryptography.exceptions.InvalidTag: it was changed, or is another subject's or another key's.
    """
    text = _cipher(key).decrypt(sealed.nonce, sealed.ciphertext, _associated(subject.context))
    data: dict[str, Any] = json.loads(text)
    return data


class Vault:
    """Seals and opens records that have a data key of their own; one KMS call each."""

    def __init__(self, keys: DataKeyPort) -> None:
        self._keys = keys

    def seal(self, subject: Subject, data: Mapping[str, Any]) -> Sealed:
        """Encrypts a JSON object with AES-256-GCM under a new data key."""
        key = self._keys.new(subject.context)
        made = encrypt(key.plain, subject, data)
        return Sealed(key.wrapped, made.nonce, made.ciphertext)

    def open(self, subject: Subject, sealed: Sealed) -> dict[str, Any]:
        """Decrypts what :meth:`seal` made for the same subject.

        Raises:
            botocore.exceptions.ClientError: it was sealed for another subject.
            cryptography.exceptions.InvalidTag: it was changed.
        """
        plain = self._keys.unwrap(sealed.key, subject.context)
        return decrypt(plain, subject, Ciphertext(sealed.nonce, sealed.ciphertext))


class Lookups:
    """Keyed hashes of what a member can be found by. Values must be normal: see ``normal_email``, ``normal_phone``."""

    def __init__(self, keys: MacPort) -> None:
        self._keys = keys
        self._peppers: dict[str, bytes] = {}

    def email(self, program: str, email: str) -> str:
        """The hash of a normal e-mail address."""
        return self.digest(program, EMAIL, email)

    def phone(self, program: str, phone: str) -> str:
        """The hash of a normal phone number."""
        return self.digest(program, PHONE, phone)

    def external(self, program: str, platform: str, external_id: str) -> str:
        """The hash of a commerce platform's customer id."""
        return self.digest(program, external_kind(platform), external_id)

    def digest(self, program: str, kind: str, value: str) -> str:
        """160 bits in hex. Without the lookup key nobody can tell which value gave them, even by trying all."""
        if program not in self._peppers:
            self._peppers[program] = self._keys.mac((_LABEL + program).encode())
        message = f"{kind}\x00{value}".encode()
        return hmac.digest(self._peppers[program], message, hashlib.sha256).hex()[:_DIGEST_HEX]


def external_kind(platform: str) -> str:
    """The kind of lookup that a platform's customer ids are."""
    return f"external:{platform}"


def normal_email(text: str) -> str:
    """One spelling for one mailbox: trimmed, lower case, its domain in IDNA's ASCII form.

    Lower case and not ``casefold``, which would make one of ``straße@`` and ``strasse@``: two mailboxes.

    Raises:
        ValueError: not an e-mail address.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - 15 ms that most functions do not need

    try:
        address = validate_email(text.strip().lower(), check_deliverability=False)
    except EmailNotValidError:
        raise ValueError("Send a valid e-mail address") from None
    normal = f"{address.local_part}@{address.ascii_domain}"
    if len(normal) > MAX_EMAIL:
        raise ValueError("Send a valid e-mail address")
    return normal


def normal_phone(text: str) -> str:
    """An E.164 number, trimmed.

    Raises:
        ValueError: not one.
    """
    phone = text.strip()
    if not _E164.fullmatch(phone):
        raise ValueError("Send the phone number in E.164 form, such as +393331234567")
    return phone


def _associated(context: Mapping[str, str]) -> bytes:
    return json.dumps(context, sort_keys=True).encode()


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - a native library, for few functions

    return AESGCM(key)
