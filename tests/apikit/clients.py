"""Cognito and API Gateway as far as clients go, in memory, with the limits that they have."""
# ruff: noqa: N803, ARG002 -- the names are those of AWS's requests

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from botocore.exceptions import ClientError

FIRST: Final = datetime(2026, 3, 15, 12, tzinfo=UTC)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "x"}}, "X")


class FakeCognito:
    """One pool. An update forgets what it does not name, as Cognito's does."""

    def __init__(self) -> None:
        self.clients: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self._made = 0

    def create_user_pool_client(self, **request: Any) -> dict[str, Any]:
        self._made += 1
        client_id = f"client{self._made:020d}"
        self.clients[client_id] = {**request, "ClientId": client_id}
        self.secrets[client_id] = {}
        secret = self.add_user_pool_client_secret(UserPoolId="p", ClientId=client_id)["ClientSecretDescriptor"]
        return {"UserPoolClient": {**self.clients[client_id], "ClientSecret": secret["ClientSecretValue"]}}

    def describe_user_pool_client(self, *, UserPoolId: str, ClientId: str) -> dict[str, Any]:
        return {"UserPoolClient": dict(self._client(ClientId))}

    def update_user_pool_client(self, *, UserPoolId: str, ClientId: str, **settings: Any) -> None:
        self._client(ClientId)
        self.clients[ClientId] = {**settings, "ClientId": ClientId}

    def delete_user_pool_client(self, *, UserPoolId: str, ClientId: str) -> None:
        self._client(ClientId)
        del self.clients[ClientId], self.secrets[ClientId]

    def list_user_pool_clients(self, *, UserPoolId: str, MaxResults: int, NextToken: str = "0") -> dict[str, Any]:
        """Two on a page, so that a second page is asked for."""
        first = int(NextToken)
        found = [{"ClientId": one, "ClientName": of["ClientName"]} for one, of in self.clients.items()]
        more = {"NextToken": str(first + 2)} if len(found) > first + 2 else {}
        return {"UserPoolClients": found[first : first + 2], **more}

    def add_user_pool_client_secret(self, *, UserPoolId: str, ClientId: str) -> dict[str, Any]:
        self._client(ClientId)
        if len(self.secrets[ClientId]) == 2:
            raise refused("LimitExceededException")
        self._made += 1
        secret_id, value = f"secret-{self._made}", f"value-{self._made}"
        self.secrets[ClientId][secret_id] = value
        return {"ClientSecretDescriptor": {**self._shown(secret_id), "ClientSecretValue": value}}

    def list_user_pool_client_secrets(self, *, UserPoolId: str, ClientId: str) -> dict[str, Any]:
        self._client(ClientId)
        return {"ClientSecrets": [self._shown(one) for one in self.secrets[ClientId]]}

    def delete_user_pool_client_secret(self, *, UserPoolId: str, ClientId: str, ClientSecretId: str) -> None:
        del self.secrets[ClientId][ClientSecretId]

    def gives_tokens(self, client_id: str) -> bool:
        client = self.clients[client_id]
        return bool(client.get("AllowedOAuthFlowsUserPoolClient") and client.get("AllowedOAuthFlows"))

    def _client(self, client_id: str) -> dict[str, Any]:
        if client_id not in self.clients:
            raise refused("ResourceNotFoundException")
        return self.clients[client_id]

    def _shown(self, secret_id: str) -> dict[str, Any]:
        made = FIRST + timedelta(days=int(secret_id.rpartition("-")[2]))
        return {"ClientSecretId": secret_id, "ClientSecretCreateDate": made}


class FakeGateway:
    """Usage plans and keys. A key is in one plan of a stage, or the gateway refuses it."""

    def __init__(self, *plans: str) -> None:
        self.plans: dict[str, set[str]] = {name: set() for name in plans}
        self.keys: dict[str, str] = {}
        self.broken = False

    def get_paginator(self, call: str) -> Any:
        pages: dict[str, Any] = {"get_usage_plans": self._usage_plans, "get_api_keys": self._api_keys}
        return SimpleNamespace(paginate=pages[call])

    def _usage_plans(self) -> Iterator[dict[str, Any]]:
        for name in self.plans:
            yield {"items": [{"name": name, "id": f"id-{name}"}]}

    def _api_keys(self, nameQuery: str) -> Iterator[dict[str, Any]]:
        yield {"items": [{"id": f"key-{one}", "name": one} for one in self.keys if one.startswith(nameQuery)]}

    def create_api_key(self, *, name: str, value: str, enabled: bool, description: str) -> dict[str, Any]:
        assert enabled
        assert description
        assert 20 <= len(value) <= 128
        assert value.isalnum()
        self.keys[name] = value
        return {"id": f"key-{name}"}

    def delete_api_key(self, *, apiKey: str) -> None:
        del self.keys[apiKey.removeprefix("key-")]
        for keys in self.plans.values():
            keys.discard(apiKey)

    def get_usage_plan_key(self, *, usagePlanId: str, keyId: str) -> dict[str, Any]:
        if keyId not in self.plans[usagePlanId.removeprefix("id-")]:
            raise refused("NotFoundException")
        return {"id": keyId}

    def create_usage_plan_key(self, *, usagePlanId: str, keyId: str, keyType: str) -> None:
        assert keyType == "API_KEY"
        if self.broken:
            raise refused("TooManyRequestsException")
        if any(keyId in keys for keys in self.plans.values()):
            raise refused("ConflictException")
        self.plans[usagePlanId.removeprefix("id-")].add(keyId)

    def delete_usage_plan_key(self, *, usagePlanId: str, keyId: str) -> None:
        self.plans[usagePlanId.removeprefix("id-")].remove(keyId)
