"""Opaque page cursors: a position that the client hands back, signed so that it can be trusted.

A cursor is bound to the resource it was made for: a program's, a member's, a route's. Its key is derived once per
process, by one call to the lookup key.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Final

from loyalty.core.errors import InvalidCursor
from loyalty.core.keys import MacPort

MAX_LENGTH: Final = 512
_LABEL: Final = b"loyalty/cursor/v1"
_SIGNATURE_BYTES: Final = 16

Position = Mapping[str, str | int]


class Cursors:
    """Writes and reads the cursors of one process."""

    def __init__(self, keys: MacPort) -> None:
        self._keys = keys

    def write(self, resource: str, position: Position) -> str:
        """The cursor that leads back to ``position`` in ``resource``."""
        payload = json.dumps(position, separators=(",", ":"), sort_keys=True).encode()
        return base64.urlsafe_b64encode(self._sign(resource, payload) + payload).decode().rstrip("=")

    def read(self, resource: str, cursor: str) -> dict[str, str | int]:
        """The position that :meth:`write` was given.

        Raises:
            InvalidCursor: not a cursor of this resource.
        """
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if len(cursor) > MAX_LENGTH or not hmac.compare_digest(signature, self._sign(resource, payload)):
            raise InvalidCursor("Send the next_cursor of the page before, for the same resource, unchanged.")
        position: dict[str, str | int] = json.loads(payload)
        return position

    def _sign(self, resource: str, payload: bytes) -> bytes:
        message = resource.encode() + b"\x00" + payload
        return hmac.digest(self._key, message, hashlib.sha256)[:_SIGNATURE_BYTES]

    @cached_property
    def _key(self) -> bytes:
        return self._keys.mac(_LABEL)
