"""Two secrets of one client, as Cognito keeps them; ministack keeps one, and has none of the three calls.

Where a client has two, ``ClientSecret`` is one of them, and ``_loyalty_secrets`` describes both. They are part of the client's
record, and so survive a stop with it.
"""
# ruff: noqa: SLF001 -- what is wrapped here is private to ministack; tests notice when it changes

import functools
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from ministack.core.responses import error_response_json, json_response  # type: ignore[import-untyped]
from ministack.services import cognito  # type: ignore[import-untyped]

KEPT: Final = "_loyalty_secrets"
MOST: Final = 2

Answer = tuple[Any, ...]


def patch() -> None:
    """Wrap the loaded Cognito; call it once, before the server starts."""
    cognito._dispatch_idp = with_secrets(cognito._dispatch_idp)
    cognito._authenticate_client = with_either(cognito._authenticate_client)


def with_secrets(dispatch: Callable[[str, Any], Awaitable[Answer]]) -> Callable[[str, Any], Awaitable[Answer]]:
    """Wrap the choice of what answers a call so that the three calls about secrets are answered here."""
    ours: dict[str, Callable[[dict[str, Any], Mapping[str, Any]], Answer]] = {
        "AddUserPoolClientSecret": _add,
        "ListUserPoolClientSecrets": _list,
        "DeleteUserPoolClientSecret": _delete,
    }

    @functools.wraps(dispatch)
    async def wrapper(action: str, data: Any) -> Answer:
        if action not in ours:
            return await dispatch(action, data)
        pool, error = cognito._resolve_pool(data.get("UserPoolId"))
        if error:
            refused: Answer = error
            return refused
        client = pool["_clients"].get(data.get("ClientId"))
        if client is None or not client.get("ClientSecret"):
            return _refused("ResourceNotFoundException", "There is no confidential client of that id.")
        return ours[action](client, data)

    return wrapper


def with_either(authenticate: Callable[..., tuple[str, str]]) -> Callable[..., tuple[str, str]]:
    """Wrap the reading of a client's credentials so that each of its secrets is taken for the one that ministack compares."""

    @functools.wraps(authenticate)
    def wrapper(headers: Any, form: Any) -> tuple[str, str]:
        client_id, secret = authenticate(headers, form)
        _, _, client = cognito._find_pool_by_client_id(client_id)
        if client and any(secrets.compare_digest(one["value"].encode(), secret.encode()) for one in _kept(client)):
            return client_id, client["ClientSecret"]
        return client_id, secret

    return wrapper


def _kept(client: dict[str, Any]) -> list[dict[str, Any]]:
    """The client's secrets; the one that it was made with, where nothing else was ever said."""
    found: list[dict[str, Any]] = client.setdefault(KEPT, [])
    if not found and client.get("ClientSecret"):
        found.append(_described(client["ClientSecret"], client["CreationDate"]))
    return found


def _described(value: str, made_at: float) -> dict[str, Any]:
    return {"id": f"{uuid.uuid4()}", "value": value, "made_at": made_at}


def _add(client: dict[str, Any], data: Mapping[str, Any]) -> Answer:
    kept = _kept(client)
    if len(kept) >= MOST:
        return _refused("LimitExceededException", f"A client has {MOST} secrets at most.")
    given = data.get("ClientSecret")
    added = _described(given or cognito._client_secret(), time.time())
    kept.append(added)
    return _answer({"ClientSecretDescriptor": _shown(added) | ({} if given else {"ClientSecretValue": added["value"]})})


def _list(client: dict[str, Any], _data: Mapping[str, Any]) -> Answer:
    return _answer({"ClientSecrets": [_shown(one) for one in _kept(client)]})


def _delete(client: dict[str, Any], data: Mapping[str, Any]) -> Answer:
    kept = _kept(client)
    left = [one for one in kept if one["id"] != data.get("ClientSecretId")]
    if len(left) == len(kept):
        return _refused("ResourceNotFoundException", "There is no secret of that id.")
    if not left:
        return _refused("InvalidParameterException", "The last secret of a client cannot be deleted.")
    client[KEPT] = left
    client["ClientSecret"] = left[0]["value"]
    return _answer({})


def _shown(secret: Mapping[str, Any]) -> dict[str, Any]:
    return {"ClientSecretId": secret["id"], "ClientSecretCreateDate": secret["made_at"]}


def _answer(body: dict[str, Any]) -> Answer:
    answer: Answer = json_response(body)
    return answer


def _refused(code: str, message: str) -> Answer:
    answer: Answer = error_response_json(code, message, 400)
    return answer
