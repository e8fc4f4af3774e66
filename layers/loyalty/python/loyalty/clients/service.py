"""What operators do with clients. The registry decides what is in force; the user pool and the gateway follow it."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from loyalty.clients.errors import ClientNotFound, LastSecret, ScopeUnknown, SecretNotFound, TwoSecretsAlready
from loyalty.clients.model import Client
from loyalty.clients.plans import Plans
from loyalty.clients.pool import Made, UserPool
from loyalty.clients.store import ClientStore
from loyalty_contract import SCOPES

MOST_SECRETS = 2
"""That Cognito keeps of a client."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A client of the pool, and what the registry has of it, if anything."""

    id: str
    name: str
    client: Client | None


class Clients:
    """Clients in the registry, the user pool and the gateway.

    What lets nobody in is done first where a client is restricted, and last where it is admitted: whatever is cut off in the
    middle leaves it with less than was meant, and the same command again finishes it.

    Args:
        store: the registry.
        pool: of the clients' credentials.
        plans: of the gateway.
    """

    def __init__(self, store: ClientStore, pool: UserPool, plans: Plans) -> None:
        self._store = store
        self._pool = pool
        self._plans = plans

    def create(self, name: str, programs: set[str], scopes: set[str], plan: str) -> Made:
        """A new client with its first secret, which is told here and never again. Of what fails half-way nothing stays.

        Raises:
            ScopeUnknown: there is no such scope.
            PlanNotFound: the stage has no such plan.
        """
        require_scopes(scopes)
        self._plans.require(plan)
        made = self._pool.create(name, sorted(scopes))
        with ExitStack() as undo:
            undo.callback(self._pool.delete, made.client_id)
            undo.callback(self._plans.drop, made.client_id)
            self._plans.assign(made.client_id, plan)
            secrets = self._pool.secrets(made.client_id)
            self._store.add(made.client_id, name, programs=programs, scopes=scopes, plan=plan, secrets=secrets)
            undo.pop_all()
        return made

    def bind(self, client_id: str, programs: set[str]) -> Client:
        """Says which programs a client may speak for, in place of what was said before. A client of the pool is registered by it.

        Raises:
            ClientNotFound: neither registry nor pool know it.
        """
        if self._store.find(client_id) is None and client_id not in self._pool.names():
            raise ClientNotFound(
                f"There is no client '{client_id}', neither registered nor in the user pool; loyalty client list shows "
                "those that there are."
            )
        return self._store.bind(client_id, programs)

    def limit(self, client_id: str, scopes: set[str]) -> Client:
        """Says which scopes a client has, in place of what was said before; of its tokens too, from the next verdict on.

        Raises:
            ScopeUnknown: there is no such scope.
            ClientNotFound: it is not registered.
        """
        require_scopes(scopes)
        client = self._store.limit(client_id, scopes)
        if not client.disabled:
            self._pool.open(client_id, sorted(scopes))
        return client

    def assign(self, client_id: str, plan: str) -> Client:
        """Puts a client into another usage plan.

        Raises:
            ClientNotFound: it is not registered.
            PlanNotFound: the stage has no such plan.
        """
        self._store.require(client_id)
        self._plans.assign(client_id, plan)
        return self._store.assign(client_id, plan)

    def disable(self, client_id: str) -> Client:
        """Shuts a client out, whatever tokens it has, and gives it no more of them.

        Raises:
            ClientNotFound: it is not registered.
        """
        client = self._store.disable(client_id)
        if client.scopes is None:
            # The pool forgets them when it gives no more tokens; whoever enables the client must find them.
            scopes = self._pool.scopes(client_id)
            client = self._store.limit(client_id, scopes) if scopes else client
        self._pool.shut(client_id)
        return client

    def enable(self, client_id: str) -> Client:
        """Lets a client in again, with the scopes and secrets that it had.

        Raises:
            ClientNotFound: it is not registered.
        """
        client = self._store.require(client_id)
        if client.scopes is not None:
            self._pool.open(client_id, sorted(client.scopes))
        return self._store.enable(client_id)

    def listed(self) -> list[Listed]:
        """Every client of the pool, by name."""
        names = self._pool.names()
        known = self._store.find_all(list(names))
        found = [Listed(client_id, name, known.get(client_id)) for client_id, name in names.items()]
        return sorted(found, key=lambda one: (one.name, one.id))

    def show(self, client_id: str) -> Client:
        """What the registry has of a client.

        Raises:
            ClientNotFound: it is not registered.
        """
        return self._store.require(client_id)

    def secrets(self, client_id: str) -> Client:
        """The client with the secrets that the pool lists now; what the registry has of them is brought up to date.

        Raises:
            ClientNotFound: it is not registered.
        """
        client = self._store.require(client_id)
        listed = self._pool.secrets(client_id)
        known = {name: made.replace(microsecond=0) for name, made in client.secrets.items()}
        current = {name: made.replace(microsecond=0) for name, made in listed.items()}
        return client if known == current else self._store.note_secrets(client_id, listed, "secrets_noted")

    def add_secret(self, client_id: str) -> Made:
        """Another secret beside the one that a client has; both are good.

        Raises:
            ClientNotFound: it is not registered.
            TwoSecretsAlready: it has two.
        """
        self._store.require(client_id)
        if len(self._pool.secrets(client_id)) >= MOST_SECRETS:
            raise TwoSecretsAlready("It has two secrets; remove the old one first: loyalty client secret remove.")
        made = self._pool.add_secret(client_id)
        self._store.note_secrets(client_id, self._pool.secrets(client_id), "secret_added")
        return made

    def remove_secret(self, client_id: str, secret_id: str) -> Client:
        """Makes a secret void. Tokens that were got with it end by themselves, within the hour.

        Raises:
            ClientNotFound: it is not registered.
            SecretNotFound: it has none of that id.
            LastSecret: it has no other.
        """
        self._store.require(client_id)
        known = self._pool.secrets(client_id)
        if secret_id not in known:
            raise SecretNotFound("It has no secret of that id; loyalty client secret list shows those that it has.")
        if len(known) == 1:
            raise LastSecret(
                "It is the only secret: add another first, or shut the client out with loyalty client disable."
            )
        self._pool.remove_secret(client_id, secret_id)
        return self._store.note_secrets(client_id, self._pool.secrets(client_id), "secret_removed")


def require_scopes(scopes: Iterable[str]) -> None:
    """Lets through scopes that there are, one at least.

    Raises:
        ScopeUnknown: there is none, or one that is not known.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ScopeUnknown(f"There is no scope {', '.join(unknown) or 'named'}; there are {', '.join(sorted(SCOPES))}.")
