"""What programs say now, and for which of them a client may speak."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

from loyalty.clients.errors import ClientDisabled
from loyalty.clients.store import ClientStore
from loyalty.core.clock import Clock
from loyalty.core.errors import ProgramNotFound
from loyalty.core.table import Table
from loyalty.ledger.model import Scope
from loyalty.programs.items import CURRENT_SK, ProgramItem, ShopItem, program_pk, shop_key
from loyalty.programs.model import Program, ProgramDocument
from loyalty.programs.publication import CACHE_SECONDS, Proposal, require_version
from loyalty.programs.versions import VersionStore, version_of
from loyalty_contract import PROGRAM_VERSION_PREFIX

__all__ = ["CACHE_SECONDS", "ProgramStore"]

T = TypeVar("T")


class _Cache(Generic[T]):
    """Values with an age. Misses are not kept: what was just published or bound is seen at once."""

    def __init__(self, load: Callable[[str], T | None], seconds: Callable[[], float]) -> None:
        self._load = load
        self._seconds = seconds
        self._kept: dict[str, tuple[float, T]] = {}

    def get(self, key: str) -> T | None:
        kept = self._kept.get(key)
        if kept is not None and self._seconds() - kept[0] < CACHE_SECONDS:
            return kept[1]
        value = self._load(key)
        if value is None:
            self._kept.pop(key, None)
        else:
            self._kept[key] = (self._seconds(), value)
        return value


@dataclass(frozen=True, slots=True)
class _Published:
    """What a function knows of a program: the version it found, and the one that takes its place by itself; since when."""

    found: Program
    since: datetime
    scheduled: tuple[datetime, Program] | None = None

    def at(self, clock: Clock) -> Program:
        """The version in force; the clock is asked only where that depends on it."""
        if self.scheduled is not None and self.scheduled[0] <= clock():
            return self.scheduled[1]
        return self.found

    def at_past(self, moment: datetime) -> Program | None:
        """The version that was in force at a past moment, if it is one of the two."""
        if self.scheduled is not None and self.scheduled[0] <= moment:
            return self.scheduled[1]
        return self.found if self.since <= moment else None


class ProgramStore:
    """What programs say now. Reads are cached for :data:`CACHE_SECONDS` per process.

    So a version that was published is in force for whatever is asked after that time, in every function. One that is
    scheduled is remembered with the one before it, and the clock decides between the two at every request: it is in force
    for the first request after its moment, without another read or any job.

    Args:
        table: the table.
        clock: the present moment, which decides what is in force.
        seconds: a clock that only runs forward, for the age of what is cached.
    """

    def __init__(self, table: Table, clock: Clock, *, seconds: Callable[[], float] = monotonic) -> None:
        self._table = table
        self._clock = clock
        self._versions = VersionStore(table, clock)
        self._programs = _Cache(self._load_program, seconds)
        self.clients = ClientStore(table, clock)
        """The registry of clients, whose reads are not cached; here they are."""
        self._clients = _Cache(self.clients.find, seconds)
        self._shops = _Cache(self._load_shop, seconds)

    def current(self, program: str) -> Program:
        """The version in force.

        Raises:
            ProgramNotFound: nothing was ever published under that id.
        """
        found = self._programs.get(program)
        if found is None:
            raise _not_found(program)
        return found.at(self._clock)

    def at(self, program: str, moment: datetime) -> Program | None:
        """The version that was in force at a past moment; None where there was none yet.

        It is nearly always the one in force now, and then nothing is read.

        Raises:
            ProgramNotFound: nothing was ever published under that id.
        """
        found = self._programs.get(program)
        if found is None:
            raise _not_found(program)
        known = found.at_past(moment)
        if known is not None:
            return known
        version = self._versions.in_force_at(program, moment)
        return None if version is None else version.program

    def changes_at(self, program: str) -> datetime | None:
        """When another version takes the place of :meth:`current` by itself, as far as is known; None: it does not."""
        found = self._programs.get(program)
        if found is None or found.scheduled is None or found.scheduled[0] <= self._clock():
            return None
        return found.scheduled[0]

    def for_client(self, program: str, client_id: str) -> Program:
        """The version in force, for a client bound to the program.

        Raises:
            ProgramNotFound: no such program, or the client is not bound to it; the two look alike on purpose.
            ClientDisabled: it is shut out.
        """
        self.require_client(program, client_id)
        return self.current(program)

    def require_client(self, program: str, client_id: str) -> None:
        """Lets through a client that is bound to the program, whether there is a version of it yet or not.

        Raises:
            ProgramNotFound: it is not bound to it.
            ClientDisabled: it is shut out. The authorizer knows it first: here it is known when the cached client is over.
        """
        client = self._clients.get(client_id)
        if client is not None and client.disabled:
            raise ClientDisabled("This client was shut out; ask the operator of the platform.")
        if client is None or program not in client.programs:
            raise _not_found(program)

    def for_shop(self, domain: str) -> str | None:
        """The id of the program that a Shopify shop's events belong to, or None."""
        return self._shops.get(domain)

    def scopes(self, program: str) -> dict[int, Scope]:
        """What the ledger was told of each version, current and past, by its number; for audits."""
        items = self._table.query_all(program_pk(program), where=ProgramItem.sk.startswith(PROGRAM_VERSION_PREFIX))
        versions = [version_of(ProgramItem.from_raw_data(raw)).program for raw in items]
        return {version.version: version.scope for version in versions}

    def version(self, program: str) -> int:
        """The number of the version in force, uncached; 0 where there is none."""
        return self._versions.state(program).number

    def publish(self, document: ProgramDocument, *, expected_version: int, actor: str) -> Program:
        """Makes ``document`` the next version, from now on the one in force.

        Raises:
            ProgramChanged: the version in force is not ``expected_version``.
            LoyaltyError: :meth:`loyalty.programs.versions.VersionStore.publish` refused it.
        """
        require = partial(require_version, document.id, expected=expected_version)
        return self._versions.publish(document.id, Proposal(document, actor), require=require).program

    def _load_program(self, program: str) -> _Published | None:
        item = self._table.get(ProgramItem, program_pk(program), CURRENT_SK)
        if item is None:
            return None
        version = version_of(item)
        if item.scheduled_version is None:
            return _Published(version.program, version.effective_at)
        named = self._versions.get(program, item.scheduled_version)
        return _Published(version.program, version.effective_at, (named.effective_at, named.program))

    def _load_shop(self, domain: str) -> str | None:
        item = self._table.get(ShopItem, *shop_key(domain))
        return None if item is None else item.program


def _not_found(program: str) -> ProgramNotFound:
    return ProgramNotFound(f"There is no program '{program}' that this client may see.")
