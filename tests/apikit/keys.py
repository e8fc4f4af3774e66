"""A key service in memory: both ports of ``loyalty.core.keys``, counting its calls."""

import hashlib
import hmac
import json
import secrets
from collections import Counter
from collections.abc import Mapping

from loyalty.core.keys import DataKey, WrappedKey


class FakeKeys:
    """Keys by name, as KMS has them by ARN: ``current`` makes and wraps anew, each of them unwraps what it wrapped."""

    def __init__(self) -> None:
        self._root = secrets.token_bytes(32)
        self._wrapped: dict[bytes, tuple[bytes, str, str]] = {}
        self.current = "key/1"
        self.calls: Counter[str] = Counter()
        self.contexts: list[dict[str, str]] = []
        self.unavailable = False

    def mac(self, message: bytes) -> bytes:
        self.calls["mac"] += 1
        return hmac.digest(self._root, message, hashlib.sha256)

    def new(self, context: Mapping[str, str]) -> DataKey:
        self.calls["new"] += 1
        self.contexts.append(dict(context))
        plain = secrets.token_bytes(32)
        return DataKey(plain, self._wrap(plain, context), self.current)

    def unwrap(self, wrapped: bytes, context: Mapping[str, str], *, key_id: str | None = None) -> bytes:
        self.calls["unwrap"] += 1
        return self._unwrap(wrapped, context, key_id)

    def rewrap(self, key: WrappedKey, context: Mapping[str, str]) -> WrappedKey:
        self.calls["rewrap"] += 1
        return WrappedKey(self._wrap(self._unwrap(key.wrapped, context, key.key_id), context), self.current)

    def forget(self, key_id: str) -> None:
        """From now on nothing that this key wrapped can be unwrapped, as where it was deleted."""
        self._wrapped = {blob: kept for blob, kept in self._wrapped.items() if kept[2] != key_id}

    def _wrap(self, plain: bytes, context: Mapping[str, str]) -> bytes:
        wrapped = secrets.token_bytes(64)
        self._wrapped[wrapped] = (plain, json.dumps(context, sort_keys=True), self.current)
        return wrapped

    def _unwrap(self, wrapped: bytes, context: Mapping[str, str], key_id: str | None) -> bytes:
        if self.unavailable:
            raise ConnectionError("KMS does not answer")
        plain, bound, wrapped_by = self._wrapped[wrapped]
        if bound != json.dumps(context, sort_keys=True):
            raise PermissionError("InvalidCiphertextException")
        if key_id is not None and wrapped_by != key_id:
            raise PermissionError("IncorrectKeyException")
        return plain
