"""ID tokens of the user pool: got for a code, and believed only where everything about them is right."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Protocol

from loyalty.console.errors import SignInRefused
from loyalty.core.clock import Clock
from loyalty.core.errors import Unavailable
from loyalty.core.tokens import Keys, TokenRefused, claims_of

LEEWAY_SECONDS: Final = 30
_CLAIMS: Final = ("aud", "sub", "nonce", "token_use")


class Web(Protocol):
    """Two calls to the user pool's own addresses."""

    def get(self, url: str) -> bytes:
        """The body of a 200."""

    def post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body."""


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
        self._keys = Keys(pool.jwks_url, web, seconds=seconds)

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
        try:
            claims = claims_of(
                token,
                self._keys,
                issuer=self._pool.issuer,
                required=_CLAIMS,
                now=self._clock(),
                leeway=LEEWAY_SECONDS,
            )
        except TokenRefused as error:
            raise SignInRefused(f"The ID token is not good: {error}.") from error
        if claims["aud"] != self._pool.client_id:
            raise SignInRefused("The ID token is for another client.")
        if (claims["token_use"], claims["nonce"]) != ("id", nonce):
            raise SignInRefused("The token is no ID token of this sign-in.")
        return claims
