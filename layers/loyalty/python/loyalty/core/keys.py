"""The two keys that stand behind personal data: one wraps data keys, one makes codes that nobody else can compute."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from loyalty.core.aws import client


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it may be stored: ``key_id`` is the ARN of the key that it lies under."""

    wrapped: bytes
    key_id: str


@dataclass(frozen=True, slots=True, repr=False)
class DataKey:
    """A 256-bit key, in the clear for this moment and wrapped for storing. No ``repr``: it would show the key."""

    plain: bytes
    wrapped: bytes
    key_id: str

    @property
    def stored(self) -> WrappedKey:
        """What may be stored of it."""
        return WrappedKey(self.wrapped, self.key_id)


class MacPort(Protocol):
    """Message authentication with a key that never leaves its keeper."""

    def mac(self, message: bytes) -> bytes:
        """32 bytes: HMAC-SHA256 of ``message``, at most 4,096 bytes long."""


class DataKeyPort(Protocol):
    """Data keys, each bound to a context that must be named again to unwrap it."""

    def new(self, context: Mapping[str, str]) -> DataKey:
        """A new data key."""

    def unwrap(self, wrapped: bytes, context: Mapping[str, str], *, key_id: str | None = None) -> bytes:
        """The data key that was wrapped under the same context, by ``key_id`` where another key than the port's did it."""


class RewrapPort(Protocol):
    """Moves data keys under another key, or under the newest material of the same one; nobody sees them in the clear."""

    def rewrap(self, key: WrappedKey, context: Mapping[str, str]) -> WrappedKey:
        """The same data key, wrapped anew under the port's own key."""


class KmsMac:
    """:class:`MacPort` by an HMAC key in KMS."""

    def __init__(self, key: str, kms: Any = None) -> None:
        self._key = key
        self._kms = kms

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA256 of ``message``: one call of ``GenerateMac``."""
        kms = self._kms or client("kms")
        mac: bytes = kms.generate_mac(KeyId=self._key, MacAlgorithm="HMAC_SHA_256", Message=message)["Mac"]
        return mac


class KmsDataKeys:
    """:class:`DataKeyPort` and :class:`RewrapPort` by a symmetric key in KMS."""

    def __init__(self, key: str, kms: Any = None) -> None:
        self._key = key
        self._kms = kms

    def new(self, context: Mapping[str, str]) -> DataKey:
        """A new data key: one call of ``GenerateDataKey``."""
        kms = self._kms or client("kms")
        made = kms.generate_data_key(KeyId=self._key, KeySpec="AES_256", EncryptionContext=dict(context))
        return DataKey(made["Plaintext"], made["CiphertextBlob"], made["KeyId"])

    def unwrap(self, wrapped: bytes, context: Mapping[str, str], *, key_id: str | None = None) -> bytes:
        """The data key: one call of ``Decrypt``. Which keys ``key_id`` may name is for the role's policy to say."""
        kms = self._kms or client("kms")
        opened = kms.decrypt(KeyId=key_id or self._key, CiphertextBlob=wrapped, EncryptionContext=dict(context))
        plain: bytes = opened["Plaintext"]
        return plain

    def rewrap(self, key: WrappedKey, context: Mapping[str, str]) -> WrappedKey:
        """:class:`RewrapPort`: one call of ``ReEncrypt``; the context stays as it is."""
        kms = self._kms or client("kms")
        moved = kms.re_encrypt(
            CiphertextBlob=key.wrapped,
            SourceKeyId=key.key_id,
            SourceEncryptionContext=dict(context),
            DestinationKeyId=self._key,
            DestinationEncryptionContext=dict(context),
        )
        return WrappedKey(moved["CiphertextBlob"], moved["KeyId"])
