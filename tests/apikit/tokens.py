"""Access tokens as the clients' user pool makes them, and whatever else one might send instead."""

import base64
import json
from collections import Counter
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization

from loyalty.core.clock import Clock
from loyalty.core.errors import Unavailable
from tests.financekit.pool import signing_key

ISSUER: Final = "https://cognito-idp.eu-south-1.amazonaws.com/eu-south-1_Clients"
KEYS_URL: Final = f"{ISSUER}/.well-known/jwks.json"


class Issuer:
    """The pool: its keys, by the web that reads them, and tokens signed with one of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.keys = ["first"]
        self.calls: Counter[str] = Counter()
        self.away = False

    def get(self, url: str) -> bytes:
        assert url == KEYS_URL
        self.calls["keys"] += 1
        if self.away:
            raise Unavailable("The sign-in service does not answer; try again.")
        jwks = {
            name: jwt.algorithms.RSAAlgorithm.to_jwk(signing_key(name).public_key(), as_dict=True) for name in self.keys
        }
        return json.dumps({"keys": [{**key, "kid": name} for name, key in jwks.items()]}).encode()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of a client's access token; None takes one away."""
        now = int(self._clock().timestamp())
        made = {
            "sub": "app",
            "client_id": "app",
            "token_use": "access",
            "scope": "loyalty/wallet.read loyalty/accruals.write",
            "iss": ISSUER,
            "iat": now,
            "auth_time": now,
            "exp": now + 3600,
            "version": 2,
            "jti": "b6ba1a2e",
        } | changes
        return {name: value for name, value in made.items() if value is not None}

    def token(self, *, key: str = "first", kid: str | None = "", **changes: Any) -> str:
        """A token signed with a key; ``kid`` names another one, or none."""
        headers = {} if kid is None else {"kid": kid or key}
        return jwt.encode(self.claims(**changes), signing_key(key), algorithm="RS256", headers=headers)

    def unsigned(self, **changes: Any) -> str:
        """A token of the algorithm ``none``."""
        return jwt.encode(self.claims(**changes), "", algorithm="none", headers={"kid": "first"})

    def by_public_key(self) -> str:
        """A token signed by HS256 with what everybody knows: the pool's public key."""
        public = signing_key("first").public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'first'})}.{_part(self.claims())}"
        digest = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signed.encode(), pem)
        return f"{signed}.{_encoded(digest)}"

    def tampered(self, **changes: Any) -> str:
        """A good token whose claims were changed after it was signed."""
        header, _, signature = self.token().split(".")
        return f"{header}.{_part(self.claims(**changes))}.{signature}"


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
