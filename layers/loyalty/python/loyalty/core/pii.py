"""Personal data: how it is kept (as ciphertext), and how it is found (by keyed hash).

``seal`` makes a data key for each version of a record, bound by its encryption context to what the record is and whose;
the record stores the key wrapped, a nonce and the ciphertext. A hash is HMAC-SHA256 under a key derived from the lookup
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
class Sealed:
    """A record's personal data as the table holds it."""

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


class Vault:
    """Seals and opens personal data of members; one KMS call each."""

    def __init__(self, keys: DataKeyPort) -> None:
        self._keys = keys

    def seal(self, subject: Subject, data: Mapping[str, Any]) -> Sealed:
        """Encrypts a JSON object with AES-256-GCM under a new data key."""
        context = subject.context
        key, nonce = self._keys.new(context), os.urandom(_NONCE_BYTES)
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
        return Sealed(key.wrapped, nonce, _cipher(key.plain).encrypt(nonce, text, _associated(context)))

    def open(self, subject: Subject, sealed: Sealed) -> dict[str, Any]:
        """Decrypts what :meth:`seal` made for the same subject.

        Raises:
            botocore.exceptions.ClientError: it was sealed for another subject.
            cryptography.exceptions.InvalidTag: it was changed.
        """
        context = subject.context
        plain = self._keys.unwrap(sealed.key, context)
        data: dict[str, Any] = json.loads(_cipher(plain).decrypt(sealed.nonce, sealed.ciphertext, _associated(context)))
        return data


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
