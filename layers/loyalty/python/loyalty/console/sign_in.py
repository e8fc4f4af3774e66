"""Signing in: authorization code with PKCE at the user pool's own pages.

::

    browser ─ GET /sign-in ─► state, nonce, verifier into a sealed cookie; to the pool's page
    browser ─ GET /signed-in?code&state ─► state as in the cookie → token for code + verifier → checked → session
"""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from loyalty.console.cookies import Cookies, Sealer
from loyalty.console.errors import SignInRefused
from loyalty.console.session import Session
from loyalty.console.tokens import Pool, Tokens
from loyalty.core.clock import Clock

FLOW: Final = "sign-in"
FLOW_LASTS: Final = timedelta(minutes=10)
SCOPES: Final = "openid email"


class SignIn:
    """Begins and ends sign-ins.

    Args:
        pool: the user pool.
        tokens: gets and checks its tokens.
        sealer: seals the cookie that keeps what a sign-in began with.
        cookies: writes it.
        clock: the present moment.
        console_url: where the console is reached from outside, without a slash at its end.
    """

    def __init__(
        self, *, pool: Pool, tokens: Tokens, sealer: Sealer, cookies: Cookies, clock: Clock, console_url: str
    ) -> None:
        self._pool = pool
        self._tokens = tokens
        self._sealer = sealer
        self._cookies = cookies
        self._clock = clock
        self._console_url = console_url

    def begin(self, page: str = "") -> tuple[str, str]:
        """Where to send the browser, and the cookie to send along; it keeps which page was asked for."""
        flow = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")} | {"page": page}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(flow["verifier"].encode()).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "client_id": self._pool.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": SCOPES,
            "state": flow["state"],
            "nonce": flow["nonce"],
            # The pool remembers people for an hour: who left the console idle is asked for the password all the same.
            "prompt": "login",
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        cookie = self._cookies.set(FLOW, self._sealer.seal(FLOW, flow, FLOW_LASTS), FLOW_LASTS)
        return f"{self._pool.sign_in_url}/oauth2/authorize?{urlencode(query)}", cookie

    def finish(self, cookie_header: str, code: str | None, state: str | None) -> tuple[Session, str]:
        """The session of who signed in, and the page that they asked for before; empty: none.

        Raises:
            SignInRefused: this browser began no such sign-in, or what came back is not good.
            Unavailable: the user pool does not answer.
        """
        flow: dict[str, Any] | None = self._sealer.open(FLOW, self._cookies.read(cookie_header, FLOW))
        if flow is None or not code or not state or not hmac.compare_digest(flow["state"].encode(), state.encode()):
            raise SignInRefused("This browser began no such sign-in.")
        token = self._tokens.exchange(code, flow["verifier"], self._redirect_uri)
        claims = self._tokens.verify(token, flow["nonce"])
        person_id = str(claims.get("cognito:username") or claims["sub"])
        session = Session.begin(person_id, str(claims.get("email") or person_id), self._clock())
        return session, str(flow.get("page", ""))

    def forget(self) -> str:
        """The header that removes what a sign-in began with: it is good once."""
        return self._cookies.clear(FLOW)

    def out(self) -> str:
        """Where the browser is sent to end the session at the user pool too."""
        query = {"client_id": self._pool.client_id, "logout_uri": self._console_url}
        return f"{self._pool.sign_in_url}/logout?{urlencode(query)}"

    @property
    def _redirect_uri(self) -> str:
        return f"{self._console_url}/signed-in"
