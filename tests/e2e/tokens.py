"""Tokens of every kind that the API must refuse, made from a good one."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any, Final

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import loyalty_contract as contract
from infra.local.cloud import SCOPE_PREFIX, LocalCloud
from infra.local.tokens import fetch_token
from loyalty.clients.access import LEEWAY_SECONDS

SCOPES: Final = [SCOPE_PREFIX + scope for scope in contract.SCOPES]


def bad_tokens(cloud: LocalCloud, good: str, expired: str) -> dict[str, str | None]:
    """The value of ``Authorization`` for each kind in ``infra.authorization.BAD_TOKENS``; None: no header at all."""
    header, claims = _part(good, 0), _part(good, 1)
    signed = good.rpartition(".")[0]
    access, identity = _tokens_of_person(cloud)
    found: dict[str, str | None] = {
        "garbage": "not-a-token",
        "tampered": f"{good.split('.', maxsplit=1)[0]}.{_encoded(claims | {'scope': SCOPES[0]})}.{good.split('.')[2]}",
        "forged": _signed_by_own_key(signed),
        "algorithm_none": f"{_encoded(header | {'alg': 'none'})}.{_encoded(claims)}.",
        "public_key_as_secret": _hs256(cloud, header, claims),
        "expired": expired,
        "other_issuer": _of_other_pool(cloud),
        "person": access,
        "identity": identity,
    }
    return {"none": None, "empty": "Bearer "} | {kind: f"Bearer {token}" for kind, token in found.items()}


def _signed_by_own_key(signed: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return f"{signed}.{_base64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _hs256(cloud: LocalCloud, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """What a verifier takes that reads the algorithm from the token and gives the public key to it."""
    url = f"{cloud.endpoint}/{cloud.platform.user_pool}/.well-known/jwks.json"
    keys = {key["kid"]: key for key in requests.get(url, timeout=10).json()["keys"]}
    numbers = [int.from_bytes(_decoded(keys[header["kid"]][name])) for name in ("e", "n")]
    pem = (
        rsa.RSAPublicNumbers(*numbers)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signed = f"{_encoded(header | {'alg': 'HS256'})}.{_encoded(claims)}"
    return f"{signed}.{_base64(hmac.digest(pem, signed.encode(), hashlib.sha256))}"


def short_lived(cloud: LocalCloud) -> str:
    """A token that lives for a second, of a client with every scope."""
    cognito = cloud.client("cognito-idp")
    client_id, secret = cloud.new_client("short-lived", list(contract.SCOPES), [cloud.program])
    described = cognito.describe_user_pool_client(UserPoolId=cloud.platform.user_pool, ClientId=client_id)
    kept = {
        name: described["UserPoolClient"][name]
        for name in ("AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient", "AllowedOAuthScopes")
    }
    cognito.update_user_pool_client(
        UserPoolId=cloud.platform.user_pool,
        ClientId=client_id,
        AccessTokenValidity=1,
        TokenValidityUnits={"AccessToken": "seconds"},
        **kept,
    )
    return cloud.token(client_id=client_id, client_secret=secret)


def wait_for_end_of(token: str) -> None:
    """Until it has expired, by more than the clocks may differ."""
    time.sleep(max(0.0, _part(token, 1)["exp"] + LEEWAY_SECONDS + 1 - time.time()))


def _of_other_pool(cloud: LocalCloud) -> str:
    """Of a pool of the same account whose resource server and scopes have the names of ours."""
    cognito = cloud.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="not-ours")["UserPool"]["Id"]
    scopes = [{"ScopeName": scope, "ScopeDescription": scope} for scope in contract.SCOPES]
    cognito.create_resource_server(
        UserPoolId=pool, Identifier=contract.SCOPE_SERVER, Name=contract.SCOPE_SERVER, Scopes=scopes
    )
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="not-ours", GenerateSecret=True, AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthScopes=SCOPES,
    )["UserPoolClient"]  # fmt: skip
    cognito.create_user_pool_domain(Domain="not-ours", UserPoolId=pool)
    return fetch_token(cloud.token_url, client["ClientId"], client["ClientSecret"], SCOPES)


def _tokens_of_person(cloud: LocalCloud) -> tuple[str, str]:
    """Access and identity token of who may sign in to the console, by a client of the test's own in their pool."""
    assert cloud.person is not None
    cognito, pool = cloud.client("cognito-idp"), cloud.platform.people_pool
    flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="e2e", ExplicitAuthFlows=flows)
    answer = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client["UserPoolClient"]["ClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": cloud.person.id, "PASSWORD": cloud.person.password},
    )["AuthenticationResult"]
    return answer["AccessToken"], answer["IdToken"]


def _part(token: str, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_decoded(token.split(".")[number]))
    return found


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
