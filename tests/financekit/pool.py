"""A user pool of people in memory: gives codes, tokens for them, and keys to check these with."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from loyalty.console.tokens import Pool
from loyalty.core.clock import Clock


@cache
def signing_key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name: making one takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class FakePool:
    """Answers as the pool's token endpoint and its list of keys."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._codes: dict[str, tuple[str, str, str]] = {}
        self.key_names = ["first"]
        self.calls: Counter[str] = Counter()
        self.changes: dict[str, Any] = {}
        """Claims that are other than they should be."""

    def approve(self, authorize_url: str, username: str) -> dict[str, str]:
        """What the browser brings back after somebody signed in on the pool's page."""
        query = dict(parse_qsl(urlsplit(authorize_url).query))
        code = f"code-{len(self._codes)}"
        self._codes[code] = (query["code_challenge"], query["nonce"], username)
        return {"code": code, "state": query["state"]}

    def token(self, nonce: str, username: str, *, key: str = "first", algorithm: str = "RS256") -> str:
        now = int(self._clock().timestamp())
        claims = {
            "iss": self._pool.issuer,
            "aud": self._pool.client_id,
            "sub": "5f1c",
            "token_use": "id",
            "nonce": nonce,
            "iat": now,
            "exp": now + 3600,
            "cognito:username": username,
            "email": f"{username}@example.com",
        } | self.changes
        claims = {name: value for name, value in claims.items() if value is not None}
        secret = signing_key(key) if algorithm == "RS256" else "x" * 32
        return jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": key})

    def get(self, url: str) -> bytes:
        self.calls["keys"] += 1
        assert url == self._pool.jwks_url
        keys = [
            jwt.algorithms.RSAAlgorithm.to_jwk(signing_key(name).public_key(), as_dict=True) for name in self.key_names
        ]
        return json.dumps(
            {"keys": [{**key, "kid": name} for key, name in zip(keys, self.key_names, strict=True)]}
        ).encode()

    def post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        self.calls["token"] += 1
        assert url == f"{self._pool.sign_in_url}/oauth2/token"
        challenge, nonce, username = self._codes.pop(form["code"], ("", "", ""))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            return 400, b'{"error": "invalid_grant"}'
        return 200, json.dumps({"id_token": self.token(nonce, username)}).encode()
