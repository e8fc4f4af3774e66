"""ID tokens of the user pool: got for a code, and believed only where everything about them is right."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

import urllib3

from loyalty.console.errors import SignInRefused
from loyalty.core.clock import Clock
from loyalty.core.errors import Unavailable

if TYPE_CHECKING:
    from jwt import PyJWK

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 5.0
MAX_BYTES: Final = 64 * 1024
LEEWAY_SECONDS: Final = 30
KEYS_SECONDS: Final = 3_600.0
"""How long the pool's public keys are kept."""
AGAIN_SECONDS: Final = 60.0
"""A key that is not known is looked for, but no oftener than this: anybody may send tokens."""
_CLAIMS: Final = ("exp", "iat", "iss", "aud", "sub", "nonce", "token_use")
_LOOPBACK: Final = "127.0.0.1"


class Web(Protocol):
    """Two calls to the user pool's own addresses."""

    def get(self, url: str) -> bytes:
        """The body of a 200."""

    def post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body."""


class PoolWeb:
    """:class:`Web` over HTTPS; plain HTTP to loopback alone. No redirects, no retries."""

    def __init__(self) -> None:
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def get(self, url: str) -> bytes:
        """The body of a 200.

        Raises:
            Unavailable: no answer, or another one.
        """
        status, body = self._call("GET", url)
        if status != 200:
            raise Unavailable("The sign-in service does not answer as it should; try again.")
        return body

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


@dataclass(frozen=True, slots=True)
class Pool:
    """The user pool of people: who issues, where its keys are, where people sign in, and who this console is to it."""

    issuer: str
    jwks_url: str
    sign_in_url: str
    client_id: str


class Tokens:
    """Gets and checks ID tokens.

    Args:
        pool: the user pool.
        web: how it is reached.
        clock: the present moment.
        seconds: a clock that only runs forward, for the age of the keys.
    """

    def __init__(self, pool: Pool, web: Web, clock: Clock, *, seconds: Callable[[], float] = monotonic) -> None:
        self._pool = pool
        self._web = web
        self._clock = clock
        self._seconds = seconds
        self._keys: Mapping[str, PyJWK] = {}
        self._asked_at: float | None = None

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        """The ID token for an authorization code, which only who has the verifier gets.

        Raises:
            SignInRefused: the code is wrong, used or too old.
            Unavailable: no answer.
        """
        form = {
            "grant_type": "authorization_code",
            "client_id": self._pool.client_id,
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        status, body = self._web.post(f"{self._pool.sign_in_url}/oauth2/token", form)
        if status >= 500:
            raise Unavailable("The sign-in service is busy; try again.")
        try:
            token = json.loads(body).get("id_token") if status == 200 else None
        except (ValueError, AttributeError):
            token = None
        if not isinstance(token, str):
            raise SignInRefused("The user pool gave no token for the code.")
        return token

    def verify(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token: signed by the pool, for this console, current, and asked for by this browser.

        Raises:
            SignInRefused: something about it is not so.
            Unavailable: the pool's keys cannot be read.
        """
        import jwt  # noqa: PLC0415 - only who signs in waits for it

        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._pool.client_id,
                issuer=self._pool.issuer,
                # Its times are compared below: with the clock that the platform has, not with one of the library's own.
                options={"require": [*_CLAIMS], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            issued_at, expires_at = int(claims["iat"]), int(claims["exp"])
        except (jwt.PyJWTError, TypeError, ValueError) as error:
            raise SignInRefused(f"The ID token is not good: {type(error).__name__}.") from error
        now = int(self._clock().timestamp())
        if now >= expires_at + LEEWAY_SECONDS or issued_at > now + LEEWAY_SECONDS:
            raise SignInRefused("The ID token has expired, or is from the future.")
        if (claims["token_use"], claims["nonce"]) != ("id", nonce):
            raise SignInRefused("The token is no ID token of this sign-in.")
        return claims

    def _key(self, key_id: str) -> "PyJWK":
        age = None if self._asked_at is None else self._seconds() - self._asked_at
        if age is None or age >= (KEYS_SECONDS if key_id in self._keys else AGAIN_SECONDS):
            self._keys = self._read_keys()
            self._asked_at = self._seconds()
        if key_id not in self._keys:
            raise SignInRefused("The ID token is signed with a key that is none of the pool's.")
        return self._keys[key_id]

    def _read_keys(self) -> "Mapping[str, PyJWK]":
        import jwt  # noqa: PLC0415 - as above

        try:
            found = json.loads(self._web.get(self._pool.jwks_url))["keys"]
            return {one["kid"]: jwt.PyJWK(one, "RS256") for one in found if one.get("kty") == "RSA"}
        except (ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            raise Unavailable("The sign-in service gives no keys; try again.") from error
