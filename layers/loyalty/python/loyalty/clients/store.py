"""Clients in the table: ``C#{client_id}`` / ``CLIENT``. Every change writes a line of the audit trail with it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.audit.model import PLATFORM, Facts, Line
from loyalty.audit.store import line_put
from loyalty.clients.errors import ClientNotFound
from loyalty.clients.model import Client
from loyalty.core import origin
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import RecordChanged
from loyalty.core.table import (
    MOST_READS,
    IntegerAttribute,
    Item,
    Put,
    Table,
    TextMapAttribute,
    TextSetAttribute,
    TransactionRefused,
)

CLIENT_SK: Final = "CLIENT"


class ClientItem(Item):
    """``C#{client_id}`` / ``CLIENT``. What was bound before there was a registry has ``programs`` and ``bound_at`` alone."""

    programs = TextSetAttribute(null=True)
    bound_at = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    scopes = TextSetAttribute(null=True)
    plan = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    disabled_at = UnicodeAttribute(null=True)
    secrets = TextMapAttribute(null=True)
    revision = IntegerAttribute(null=True)


class ClientStore:
    """Reads are consistent and never cached here; each write is refused if another came between."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def find(self, client_id: str) -> Client | None:
        """The client, or None."""
        item = self._table.get(ClientItem, *_key(client_id))
        return None if item is None else _client(item)

    def find_all(self, client_ids: Sequence[str]) -> dict[str, Client]:
        """Those of these clients that are registered, by id."""
        found = dict[str, Client]()
        for first in range(0, len(client_ids), MOST_READS):
            keys = [_key(one) for one in client_ids[first : first + MOST_READS]]
            items = map(ClientItem.from_raw_data, self._table.get_many(keys).values())
            found |= {client.id: client for client in map(_client, items)}
        return found

    def require(self, client_id: str) -> Client:
        """The client.

        Raises:
            ClientNotFound: none is registered under that id.
        """
        client = self.find(client_id)
        if client is None:
            raise ClientNotFound(
                f"No client is registered under the id '{client_id}'; loyalty client list shows those that are."
            )
        return client

    def add(
        self,
        client_id: str,
        name: str,
        *,
        programs: set[str],
        scopes: set[str],
        plan: str,
        secrets: dict[str, datetime],
    ) -> Client:
        """Registers a client that was just made.

        Raises:
            RecordChanged: one is registered under that id.
        """
        now = self._clock()
        client = Client(
            client_id, frozenset(programs), now, name, frozenset(scopes), plan, created_at=now, secrets=secrets
        )
        return self._put(None, client, "created")

    def bind(self, client_id: str, programs: set[str]) -> Client:
        """Says which programs a client may speak for, in place of what was said before; one that is not known is registered.

        Raises:
            RecordChanged: it was changed at the same moment.
        """
        known, now = self.find(client_id), self._clock()
        if known is None:
            return self._put(None, Client(client_id, frozenset(programs), now), "bound")
        return self._put(known, replace(known, programs=frozenset(programs), bound_at=now), "bound")

    def limit(self, client_id: str, scopes: set[str]) -> Client:
        """Says which scopes a client may use at most, in place of what was said before.

        Raises:
            ClientNotFound: it is not registered.
            RecordChanged: it was changed at the same moment.
        """
        known = self.require(client_id)
        return self._put(known, replace(known, scopes=frozenset(scopes)), "limited")

    def assign(self, client_id: str, plan: str) -> Client:
        """Says by which usage plan a client is throttled.

        Raises:
            ClientNotFound: it is not registered.
            RecordChanged: it was changed at the same moment.
        """
        known = self.require(client_id)
        return self._put(known, replace(known, plan=plan), "assigned")

    def disable(self, client_id: str) -> Client:
        """Shuts a client out. Done again, it changes nothing.

        Raises:
            ClientNotFound: it is not registered.
            RecordChanged: it was changed at the same moment.
        """
        known = self.require(client_id)
        return known if known.disabled else self._put(known, replace(known, disabled_at=self._clock()), "disabled")

    def enable(self, client_id: str) -> Client:
        """Lets a client in again. Done again, it changes nothing.

        Raises:
            ClientNotFound: it is not registered.
            RecordChanged: it was changed at the same moment.
        """
        known = self.require(client_id)
        return self._put(known, replace(known, disabled_at=None), "enabled") if known.disabled else known

    def note_secrets(self, client_id: str, secrets: dict[str, datetime], action: str) -> Client:
        """Writes down the ids of a client's secrets and when each was made, as the user pool lists them.

        Args:
            client_id: the client.
            secrets: what the pool lists.
            action: for the trail: ``secret_added`` or ``secret_removed``.

        Raises:
            ClientNotFound: it is not registered.
            RecordChanged: it was changed at the same moment.
        """
        known = self.require(client_id)
        return self._put(known, replace(known, secrets=secrets), action)

    def _put(self, before: Client | None, after: Client, action: str) -> Client:
        """One transaction: the client, if it is still as it was, and the line that tells of it."""
        changed = replace(after, revision=after.revision + 1)
        unchanged: Condition
        if before is None:
            unchanged = ClientItem.pk.does_not_exist()
        elif before.revision:
            unchanged = ClientItem.revision == before.revision
        else:
            unchanged = ClientItem.pk.exists() & ClientItem.revision.does_not_exist()
        was, now = _difference(before, changed)
        line = Line(
            scope=PLATFORM,
            action=f"client.{action}",
            target=f"clients/{changed.id}",
            at=self._clock(),
            origin=origin.current(),
            before=was,
            after=now,
        )
        try:
            self._table.write([Put(_item(changed), unchanged), line_put(line)])
        except TransactionRefused as error:
            raise RecordChanged(
                f"The client '{changed.id}' was changed at the same moment; look at it and try again."
            ) from error
        return changed


def _key(client_id: str) -> tuple[str, str]:
    return f"C#{client_id}", CLIENT_SK


def _client(item: ClientItem) -> Client:
    return Client(
        item.pk.removeprefix("C#"),
        frozenset(item.programs or ()),
        from_text(item.bound_at),
        name=item.name,
        scopes=frozenset(item.scopes) if item.scopes else None,
        plan=item.plan,
        created_at=from_text(item.created_at) if item.created_at else None,
        disabled_at=from_text(item.disabled_at) if item.disabled_at else None,
        secrets={name: from_text(made) for name, made in (item.secrets or {}).items()},
        revision=item.revision or 0,
    )


def _item(client: Client) -> ClientItem:
    return ClientItem(
        *_key(client.id),
        programs=set(client.programs) or None,
        bound_at=to_text(client.bound_at),
        name=client.name,
        scopes=None if client.scopes is None else set(client.scopes),
        plan=client.plan,
        created_at=to_text(client.created_at) if client.created_at else None,
        disabled_at=to_text(client.disabled_at) if client.disabled_at else None,
        secrets={name: to_text(made) for name, made in client.secrets.items()} or None,
        revision=client.revision,
    )


def _difference(before: Client | None, after: Client) -> tuple[Facts, Facts]:
    """The facts that a change is about, as they were and as they are."""
    now = _facts(after)
    if before is None:
        return {}, now
    was = _facts(before)
    changed = [name for name in now if was[name] != now[name]]
    return {name: was[name] for name in changed}, {name: now[name] for name in changed}


def _facts(client: Client) -> dict[str, str | int | bool | None]:
    return {
        "programs": " ".join(sorted(client.programs)),
        "scopes": None if client.scopes is None else " ".join(sorted(client.scopes)),
        "plan": client.plan,
        "disabled": client.disabled,
        "secrets": " ".join(sorted(client.secrets)),
    }
