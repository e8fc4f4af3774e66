"""Cookies that this console alone can read or write: sealed with AES-256-GCM, each for one purpose and a time."""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from loyalty.core.clock import Clock
from loyalty.core.keys import MacPort

_LABEL: Final = b"loyalty/console/v1"
"""Another number makes another key, and ends every session."""
_NONCE_BYTES: Final = 12
_MAX_SEALED: Final = 3_800
"""Browsers keep 4,096 bytes of a cookie, its name and attributes included."""


class Sealer:
    """Seals small documents under a key that is derived once per process, by one call to the key's keeper."""

    def __init__(self, keys: MacPort, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def seal(self, purpose: str, content: Mapping[str, Any], lifetime: timedelta) -> str:
        """The content as text for a cookie, good for ``purpose`` alone and until ``lifetime`` is over.

        Raises:
            ValueError: it does not fit into a cookie.
        """
        ends = int((self._clock() + lifetime).timestamp())
        text = json.dumps({"ends": ends, "content": dict(content)}, separators=(",", ":")).encode()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, text, purpose.encode())).decode()
        if len(sealed) > _MAX_SEALED:
            raise ValueError("too much for a cookie")
        return sealed

    def open(self, purpose: str, sealed: str | None) -> dict[str, Any] | None:
        """What was sealed for the same purpose; None where there is nothing, it was changed, or its time is over."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - a native library, for few functions

        if not sealed or len(sealed) > _MAX_SEALED:
            return None
        try:
            raw = base64.b64decode(sealed, altchars=b"-_", validate=True)
            nonce, ciphertext = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            read: dict[str, Any] = json.loads(self._cipher.decrypt(nonce, ciphertext, purpose.encode()))
        except (binascii.Error, ValueError, InvalidTag):
            return None
        if datetime.fromtimestamp(read["ends"], tz=self._clock().tzinfo) <= self._clock():
            return None
        content: dict[str, Any] = read["content"]
        return content

    @cached_property
    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

        return AESGCM(self._keys.mac(_LABEL))


class Cookies:
    """Writes ``Set-Cookie`` headers.

    With HTTPS, a name begins with ``__Host-``: the browser then takes the cookie from this host alone, encrypted, for
    all paths. On loopback there is no HTTPS, and no prefix.
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure

    def name(self, purpose: str) -> str:
        """The name of the cookie for a purpose."""
        return f"__Host-loyalty-{purpose}" if self._secure else f"loyalty-{purpose}"

    def set(self, purpose: str, value: str, lifetime: timedelta) -> str:
        """Sets a cookie that no script sees and no other site's form sends."""
        secure = "; Secure" if self._secure else ""
        age = int(lifetime.total_seconds())
        return f"{self.name(purpose)}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"

    def clear(self, purpose: str) -> str:
        """Removes a cookie."""
        return self.set(purpose, "", timedelta())

    def read(self, header: str, purpose: str) -> str | None:
        """The value in a ``Cookie`` header; None where there is none, or two, one of which somebody smuggled in."""
        found = [
            value.strip()
            for name, _, value in (part.partition("=") for part in header.split(";"))
            if name.strip() == self.name(purpose)
        ]
        return found[0] if len(found) == 1 else None
