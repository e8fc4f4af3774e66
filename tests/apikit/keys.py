"""A key service in memory: both ports of ``loyalty.core.keys``, counting its calls."""

import hashlib
import hmac
import json
import secrets
from collections import Counter
from collections.abc import Mapping

from loyalty.core.keys import DataKey


class FakeKeys:
    def __init__(self) -> None:
        self._root = secrets.token_bytes(32)
        self._wrapped: dict[bytes, tuple[bytes, str]] = {}
        self.calls: Counter[str] = Counter()
        self.contexts: list[dict[str, str]] = []
        self.unavailable = False

    def mac(self, message: bytes) -> bytes:
        self.calls["mac"] += 1
        return hmac.digest(self._root, message, hashlib.sha256)

    def new(self, context: Mapping[str, str]) -> DataKey:
        self.calls["new"] += 1
        self.contexts.append(dict(context))
        key = DataKey(secrets.token_bytes(32), secrets.token_bytes(64))
        self._wrapped[key.wrapped] = (key.plain, json.dumps(context, sort_keys=True))
        return key

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        self.calls["unwrap"] += 1
        if self.unavailable:
            raise ConnectionError("KMS does not answer")
        plain, bound = self._wrapped[wrapped]
        if bound != json.dumps(context, sort_keys=True):
            raise PermissionError("InvalidCiphertextException")
        return plain
