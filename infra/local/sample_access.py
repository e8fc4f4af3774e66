"""How the sample day reaches a running cloud: its HTTPS API and its event bus, as ``.local/env`` names them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

import boto3
import requests

from infra.local.processes import LOOPBACK
from infra.local.tokens import TokenRefused, fetch_token

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

TIMEOUT_SECONDS: Final = 30.0
_PLACEHOLDER: Final = re.compile(r"\$\{([a-z_.]+)\}")


class SampleDayFailed(RuntimeError):
    """The day did not go as its script says. The message names the step and what the cloud answered."""


@dataclass(frozen=True)
class Access:
    """What ``.local/env`` holds. URLs end without a slash; ``endpoint`` and ``supplier`` are None on AWS."""

    api: str
    token_url: str
    client_id: str
    client_secret: str
    program: str
    bus: str
    region: str
    endpoint: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    supplier: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Reads the variables that ``source .local/env`` sets.

        Raises:
            KeyError: one is missing.
        """
        return cls(
            api=env["LOYALTY_API"].rstrip("/"),
            token_url=env["LOYALTY_TOKEN_URL"],
            client_id=env["LOYALTY_CLIENT_ID"],
            client_secret=env["LOYALTY_CLIENT_SECRET"],
            program=env["LOYALTY_PROGRAM"],
            bus=env["LOYALTY_BUS"],
            region=env.get("AWS_REGION") or env["AWS_DEFAULT_REGION"],
            endpoint=env.get("AWS_ENDPOINT_URL"),
            access_key=env.get("AWS_ACCESS_KEY_ID"),
            secret_key=env.get("AWS_SECRET_ACCESS_KEY"),
            supplier=env.get("LOYALTY_SUPPLIER_URL"),
        )

    def reachable(self, link: str) -> str:
        """The link to a gift card, where it is answered now.

        A vaulted link stays as it was delivered; the sandbox supplier may listen on another port since.
        """
        parts = urlsplit(link)
        if self.supplier is None or parts.hostname != LOOPBACK:
            return link
        return urlunsplit(parts._replace(netloc=urlsplit(self.supplier).netloc))


class Partner:
    """A partner app: calls the API with a token of its own."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._session = requests.Session()
        try:
            token = fetch_token(access.token_url, access.client_id, access.client_secret)
        except (TokenRefused, OSError) as error:
            raise SampleDayFailed(f"{access.token_url} gives no token: {error}") from error
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Sends a request as the files under ``events/`` write them: ``method``, ``path``, ``headers``, ``body``.

        Raises:
            SampleDayFailed: the answer is an error, or none came.
        """
        method, path = request["method"], request["path"]
        try:
            answer = self._session.request(
                method,
                f"{self.access.api}{path}",
                headers=request.get("headers"),
                json=request.get("body"),
                timeout=TIMEOUT_SECONDS,
            )
        except requests.RequestException as error:
            raise SampleDayFailed(f"{method} {path}: no answer ({type(error).__name__})") from error
        if not answer.ok:
            raise SampleDayFailed(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        body: dict[str, Any] = answer.json()
        return body

    def get(self, path: str) -> dict[str, Any]:
        """What a path under ``/v1/programs/{program}`` answers."""
        return self.call({"method": "GET", "path": f"/v1/programs/{self.access.program}{path}"})

    def post(self, path: str) -> dict[str, Any]:
        """What a path under ``/v1/programs/{program}`` answers to a POST without a body."""
        return self.call({"method": "POST", "path": f"/v1/programs/{self.access.program}{path}"})

    def statement(self, member_id: str) -> list[dict[str, Any]]:
        """All of a member's entries, oldest first."""
        entries: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(f"/members/{member_id}/entries?limit=100" + (f"&cursor={cursor}" if cursor else ""))
            entries += page["items"]
            cursor = page["next_cursor"]
        return entries[::-1]


class Shop:
    """A commerce platform: puts events on the bus."""

    def __init__(self, access: Access) -> None:
        self._bus = access.bus
        self._events: EventBridgeClient = boto3.client(
            "events",
            region_name=access.region,
            endpoint_url=access.endpoint,
            aws_access_key_id=access.access_key,
            aws_secret_access_key=access.secret_key,
        )

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Puts the event on the bus. ``aws.`` is cut off its source: only partners of AWS may speak in that name.

        Raises:
            SampleDayFailed: the bus refused it.
        """
        answer = self._events.put_events(
            Entries=[
                {
                    "EventBusName": self._bus,
                    "Source": str(event["source"]).removeprefix("aws."),
                    "DetailType": event["detail-type"],
                    "Detail": json.dumps(event["detail"], ensure_ascii=False),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise SampleDayFailed(f"the bus refused the event: {answer['Entries']}")


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """``value`` with every ``${name}`` in its texts replaced.

    Raises:
        SampleDayFailed: a name has no value yet; the script's steps are in the wrong order.
    """
    if isinstance(value, dict):
        return {key: filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    try:
        return _PLACEHOLDER.sub(lambda match: values[match[1]], value)
    except KeyError as error:
        raise SampleDayFailed(f"nothing is known yet under the name {error}") from error
