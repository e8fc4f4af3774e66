"""Whether a request is let in: whose token it bears, and whether that client may use the route's scope now.

The user pool says what a token may be used for when it is made, and cannot take that back. The registry can: what it says
holds from the next look at it, whatever tokens there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from loyalty.clients.store import ClientStore
from loyalty.core.clock import Clock
from loyalty.core.tokens import Keys, TokenRefused, claims_of
from loyalty_contract import SCOPE_SERVER

LEEWAY_SECONDS: Final = 5
"""By which the pool's clock and ours may differ."""
KEYS_CONNECT_SECONDS: Final = 1.0
KEYS_READ_SECONDS: Final = 2.0
KEYS_ATTEMPTS: Final = 2
"""A caller waits for the pool's keys: six seconds at most, and six for the table, are within the authorizer's time."""
_BEARER: Final = "bearer "
_CLAIMS: Final = ("sub", "client_id", "token_use", "scope")


class Refusal(StrEnum):
    """Why a request is not let in, in the two ways that a caller is told of it."""

    UNAUTHENTICATED = "unauthenticated"
    INSUFFICIENT_SCOPE = "insufficient_scope"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about a request.

    Args:
        client_id: whose token it is, once that is proved.
        usage_key: the key by which the gateway counts its requests; of who is let in.
        refusal: None: it is let in.
        reason: for the log; no part of a token.
    """

    client_id: str | None = None
    usage_key: str | None = None
    refusal: Refusal | None = None
    reason: str = ""


class Access:
    """Decides about requests; reads the registry once for each.

    Args:
        issuer: the user pool of clients.
        keys: its public keys.
        clients: the registry.
        scopes: the scope of each route, by ``METHOD /path/{parameter}``.
        shared_key: the usage key of clients that have no plan of their own.
        clock: the present moment.
    """

    def __init__(
        self,
        issuer: str,
        keys: Keys,
        clients: ClientStore,
        *,
        scopes: Mapping[str, str],
        shared_key: str,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._keys = keys
        self._clients = clients
        self._scopes = scopes
        self._shared_key = shared_key
        self._clock = clock

    def decide(self, authorization: Sequence[str], route: str) -> Verdict:
        """Whether a request is let in.

        Args:
            authorization: the values of its ``Authorization`` headers.
            route: that it matched, as ``METHOD /path/{parameter}``.

        Raises:
            Unavailable: the pool's keys cannot be read.
            KeyError: the route has no scope; the gateway and what was packaged differ.
        """
        scope = self._scopes[route]
        try:
            client_id, granted = self._claimed(authorization)
        except TokenRefused as error:
            return Verdict(refusal=Refusal.UNAUTHENTICATED, reason=str(error))
        client = self._clients.find(client_id)
        if client is None or client.disabled:
            reason = "client is not registered" if client is None else "client is disabled"
            return Verdict(client_id, refusal=Refusal.UNAUTHENTICATED, reason=reason)
        if f"{SCOPE_SERVER}/{scope}" not in granted:
            return Verdict(client_id, refusal=Refusal.INSUFFICIENT_SCOPE, reason=f"token lacks {scope}")
        if not client.may(scope):
            return Verdict(client_id, refusal=Refusal.INSUFFICIENT_SCOPE, reason=f"registry does not give {scope}")
        return Verdict(client_id, usage_key=client_id if client.plan else self._shared_key)

    def _claimed(self, authorization: Sequence[str]) -> tuple[str, frozenset[str]]:
        """The client and scopes of the one bearer token that a request has.

        Raises:
            TokenRefused: there is none, or it is not for this API.
            Unavailable: the pool's keys cannot be read.
        """
        if len(authorization) != 1 or not authorization[0].lower().startswith(_BEARER):
            raise TokenRefused("not one bearer token")
        token = authorization[0][len(_BEARER) :].strip()
        claims = claims_of(
            token, self._keys, issuer=self._issuer, required=_CLAIMS, now=self._clock(), leeway=LEEWAY_SECONDS
        )
        client_id, scope = claims["client_id"], claims["scope"]
        if not isinstance(client_id, str) or not isinstance(scope, str):
            raise TokenRefused("claims of another type")
        if claims["token_use"] != "access":  # noqa: S105 - the name of a claim
            raise TokenRefused("no access token")
        if claims["sub"] != client_id:
            raise TokenRefused("a person's token, not a client's")
        # Cognito names an audience only where a client asked for one: then it is the one for which alone the token is good.
        if claims.get("aud", SCOPE_SERVER) != SCOPE_SERVER:
            raise TokenRefused("for another audience")
        return client_id, frozenset(scope.split())
