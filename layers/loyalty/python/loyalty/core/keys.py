"""The two keys that stand behind personal data: one wraps data keys, one makes codes that nobody else can compute."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from loyalty.core.aws import client


@dataclass(frozen=True, slots=True)
class DataKey:
    """A 256-bit key, in the clear for this moment and wrapped for storing."""

    plain: bytes
    wrapped: bytes


class MacPort(Protocol):
    """Message authentication with a key that never leaves its keeper."""

    def mac(self, message: bytes) -> bytes:
        """32 bytes: HMAC-SHA256 of ``message``, at most 4,096 bytes long."""


class DataKeyPort(Protocol):
    """Data keys, each bound to a context that must be named again to unwrap it."""

    def new(self, context: Mapping[str, str]) -> DataKey:
        """A new data key."""

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """The data key that was wrapped under the same context."""


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
    """:class:`DataKeyPort` by a symmetric key in KMS."""

    def __init__(self, key: str, kms: Any = None) -> None:
        self._key = key
        self._kms = kms

    def new(self, context: Mapping[str, str]) -> DataKey:
        """A new data key: one call of ``GenerateDataKey``."""
        kms = self._kms or client("kms")
        made = kms.generate_data_key(KeyId=self._key, KeySpec="AES_256", EncryptionContext=dict(context))
        return DataKey(made["Plaintext"], made["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """The data key: one call of ``Decrypt``."""
        kms = self._kms or client("kms")
        plain: bytes = kms.decrypt(KeyId=self._key, CiphertextBlob=wrapped, EncryptionContext=dict(context))[
            "Plaintext"
        ]
        return plain
