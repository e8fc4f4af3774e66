"""The user pool of clients: which there are, what they may ask tokens for, and by which secrets. Operators' commands call it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from loyalty_contract import SCOPE_SERVER

FLOW: Final = "client_credentials"
_KEPT: Final = (
    "ClientName",
    "RefreshTokenValidity",
    "AccessTokenValidity",
    "IdTokenValidity",
    "TokenValidityUnits",
    "ExplicitAuthFlows",
    "PreventUserExistenceErrors",
    "EnableTokenRevocation",
)
"""Settings that an update must repeat: Cognito sets back to its own what an update does not name."""


@dataclass(frozen=True, slots=True)
class Made:
    """What the pool gave, once: a client's first secret, or another one."""

    client_id: str
    secret_id: str
    secret: str


class UserPool:
    """Cognito's user pool.

    Args:
        cognito: a client of Cognito.
        pool_id: of the pool.
    """

    def __init__(self, cognito: Any, pool_id: str) -> None:
        self._cognito = cognito
        self._pool = pool_id

    def create(self, name: str, scopes: Sequence[str]) -> Made:
        """A confidential client that may get tokens by its own credentials, and by no other flow."""
        made = self._cognito.create_user_pool_client(
            UserPoolId=self._pool,
            ClientName=name,
            GenerateSecret=True,
            ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
            EnableTokenRevocation=True,
            PreventUserExistenceErrors="ENABLED",
            **_open(scopes),
        )["UserPoolClient"]
        (secret_id,) = self.secrets(made["ClientId"])
        return Made(made["ClientId"], secret_id, made["ClientSecret"])

    def delete(self, client_id: str) -> None:
        """Deletes a client for ever."""
        self._cognito.delete_user_pool_client(UserPoolId=self._pool, ClientId=client_id)

    def open(self, client_id: str, scopes: Sequence[str]) -> None:
        """Lets a client get tokens with these scopes at most."""
        self._update(client_id, _open(scopes))

    def shut(self, client_id: str) -> bool:
        """Gives a client no more tokens; those that it has stay good for the pool. False: the pool has no such client."""
        try:
            self._update(
                client_id,
                {"AllowedOAuthFlows": [], "AllowedOAuthFlowsUserPoolClient": False, "AllowedOAuthScopes": []},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return False
        return True

    def scopes(self, client_id: str) -> set[str]:
        """The scopes that a client may ask for, short."""
        prefix = f"{SCOPE_SERVER}/"
        allowed = self._described(client_id).get("AllowedOAuthScopes") or ()
        return {scope.removeprefix(prefix) for scope in allowed if scope.startswith(prefix)}

    def names(self) -> dict[str, str]:
        """The name of every client, by its id."""
        pages = _pages(self._cognito.list_user_pool_clients, UserPoolId=self._pool, MaxResults=60)
        return {one["ClientId"]: one["ClientName"] for page in pages for one in page["UserPoolClients"]}

    def secrets(self, client_id: str) -> dict[str, datetime]:
        """When each secret of a client was made, by its id: the pool does not tell a secret again."""
        pages = _pages(self._cognito.list_user_pool_client_secrets, UserPoolId=self._pool, ClientId=client_id)
        found = [one for page in pages for one in page["ClientSecrets"]]
        return {one["ClientSecretId"]: one["ClientSecretCreateDate"].astimezone(UTC) for one in found}

    def add_secret(self, client_id: str) -> Made:
        """Another secret, made by the pool. It keeps two of a client at most."""
        made = self._cognito.add_user_pool_client_secret(UserPoolId=self._pool, ClientId=client_id)
        found = made["ClientSecretDescriptor"]
        return Made(client_id, found["ClientSecretId"], found["ClientSecretValue"])

    def remove_secret(self, client_id: str, secret_id: str) -> None:
        """Makes a secret void: no token is given for it from then on."""
        self._cognito.delete_user_pool_client_secret(
            UserPoolId=self._pool, ClientId=client_id, ClientSecretId=secret_id
        )

    def _update(self, client_id: str, changes: dict[str, Any]) -> None:
        known = self._described(client_id)
        kept = {name: known[name] for name in _KEPT if known.get(name) is not None}
        self._cognito.update_user_pool_client(UserPoolId=self._pool, ClientId=client_id, **kept | changes)

    def _described(self, client_id: str) -> dict[str, Any]:
        answer = self._cognito.describe_user_pool_client(UserPoolId=self._pool, ClientId=client_id)
        found: dict[str, Any] = answer["UserPoolClient"]
        return found


def _open(scopes: Sequence[str]) -> dict[str, Any]:
    return {
        "AllowedOAuthFlows": [FLOW],
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": [f"{SCOPE_SERVER}/{scope}" for scope in sorted(scopes)],
    }


def _pages(call: Callable[..., Any], **request: Any) -> Iterator[Any]:
    more = dict[str, str]()
    while True:
        answer = call(**request, **more)
        yield answer
        if not answer.get("NextToken"):
            return
        more = {"NextToken": answer["NextToken"]}
