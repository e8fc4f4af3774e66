"""Tokens of user pools: the public keys of a pool, and claims that are believed only where the signature is right."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

import urllib3

from loyalty.core.errors import Unavailable

if TYPE_CHECKING:
    from jwt import PyJWK

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 5.0
MAX_BYTES: Final = 64 * 1024
KEYS_SECONDS: Final = 3_600.0
"""How long the pool's public keys are kept."""
AGAIN_SECONDS: Final = 60.0
"""A key that is not known is looked for, but no oftener than this: anybody may send tokens."""
ALGORITHM: Final = "RS256"
"""Of user pools. No other is tried, whatever a token says of itself."""
_LOOPBACK: Final = "127.0.0.1"


class TokenRefused(Exception):
    """A token that is not believed; its text says which part of it, and nothing that the token says."""


class Web(Protocol):
    """A call to a user pool's own addresses."""

    def get(self, url: str) -> bytes:
        """The body of a 200."""


class PoolWeb:
    """:class:`Web` over HTTPS; plain HTTP to loopback alone. No redirects. What is read is asked for again; a code is sent once.

    Args:
        connect_seconds: to reach the pool.
        read_seconds: of silence, after which its answer is given up.
        attempts: to read, one after the other.
    """

    def __init__(
        self, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS, *, attempts: int = 1
    ) -> None:
        self._attempts = attempts
        timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def get(self, url: str) -> bytes:
        """The body of a 200.

        Raises:
            Unavailable: no answer, or another one.
        """
        for attempt in range(1, self._attempts + 1):
            try:
                status, body = self._call("GET", url)
            except Unavailable:
                if attempt == self._attempts:
                    raise
                continue
            if status == 200:
                return body
        raise Unavailable("The sign-in service does not answer as it should; try again.")

    def post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body.

        Raises:
            Unavailable: no answer.
        """
        return self._call("POST", url, urlencode(form))

    def _call(self, method: str, url: str, body: str | None = None) -> tuple[int, bytes]:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname != _LOOPBACK:
            raise ValueError("the user pool is asked over HTTPS")
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            answer = self._pool.request(method, url, body=body, headers=headers, redirect=False, preload_content=False)
            try:
                return answer.status, answer.read(MAX_BYTES)
            finally:
                answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable("The sign-in service does not answer; try again.") from error


class Keys:
    """The public keys of a pool, by their ids; read when the first is asked for, and kept for :data:`KEYS_SECONDS`.

    A key that was known stays good while the pool does not answer: its keys change seldom, and every request needs one.

    Args:
        url: where the pool lists them.
        web: how it is reached.
        seconds: a clock that only runs forward, for the age of the keys.
    """

    def __init__(self, url: str, web: Web, *, seconds: Callable[[], float] = monotonic) -> None:
        self._url = url
        self._web = web
        self._seconds = seconds
        self._known: Mapping[str, PyJWK] = {}
        self._asked_at: float | None = None

    def find(self, key_id: str) -> "PyJWK":
        """The key of that id.

        Raises:
            TokenRefused: it is none of the pool's.
            Unavailable: the keys cannot be read, and this one never was.
        """
        age = None if self._asked_at is None else self._seconds() - self._asked_at
        if age is None or age >= (KEYS_SECONDS if key_id in self._known else AGAIN_SECONDS):
            self._read(key_id)
        if key_id not in self._known:
            raise TokenRefused("signed with a key that is none of the pool's")
        return self._known[key_id]

    def _read(self, wanted: str) -> None:
        try:
            self._known = self._listed()
        except Unavailable:
            if self._known:
                self._asked_at = self._seconds()
            if wanted not in self._known:
                raise
        else:
            self._asked_at = self._seconds()

    def _listed(self) -> "Mapping[str, PyJWK]":
        import jwt  # noqa: PLC0415 - only who reads tokens waits for it

        try:
            found = json.loads(self._web.get(self._url))["keys"]
            return {one["kid"]: jwt.PyJWK(one, ALGORITHM) for one in found if one.get("kty") == "RSA"}
        except (ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            raise Unavailable("The sign-in service gives no keys; try again.") from error


def claims_of(
    token: str, keys: Keys, *, issuer: str, required: Sequence[str], now: datetime, leeway: int
) -> dict[str, Any]:
    """The claims of a token that the pool signed and that is current. Whom it is for, and of which kind it is, is the caller's.

    Args:
        token: the token.
        keys: of the pool.
        issuer: who must have issued it.
        required: claims that it must have beside ``exp``, ``iat`` and ``iss``.
        now: the present moment.
        leeway: seconds by which two clocks may differ.

    Raises:
        TokenRefused: something about it is not so.
        Unavailable: the pool's keys cannot be read.
    """
    import jwt  # noqa: PLC0415 - as above

    try:
        header = jwt.get_unverified_header(token)
        key_id = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(key_id, str):
            raise TokenRefused("another algorithm, or no key named")
        claims: dict[str, Any] = jwt.decode(
            token,
            keys.find(key_id),
            algorithms=[ALGORITHM],
            issuer=issuer,
            # Its times are compared below: with the clock that the platform has, not with one of the library's own.
            options={
                "require": ["exp", "iat", "iss", *required],
                "verify_aud": False,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        issued_at, expires_at = int(claims["iat"]), int(claims["exp"])
    except (jwt.PyJWTError, TypeError, ValueError, OverflowError) as error:
        raise TokenRefused(type(error).__name__) from error
    moment = int(now.timestamp())
    if moment >= expires_at + leeway or issued_at > moment + leeway:
        raise TokenRefused("expired, or from the future")
    return claims
