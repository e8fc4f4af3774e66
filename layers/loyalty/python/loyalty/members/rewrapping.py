"""Wrapping the data keys of members anew: under the newest material of the stage's key, or under another key.

The data keys stay the same and nobody sees them in the clear, so that whatever is sealed under them opens as before. A
record that still has a key of its own, from before members had keys, is moved under its member's.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock
from loyalty.core.keys import RewrapPort
from loyalty.core.pii import Ciphertext, Sealed, profile_of
from loyalty.core.table import Table, TransactionRefused
from loyalty.ledger.store import LedgerStore
from loyalty.members.errors import MemberChanged
from loyalty.members.keys import MemberKey
from loyalty.members.store import FoundMember, MemberStore
from loyalty.members.vault import MemberVault, wrapping_context
from loyalty.walking.runs import SHARDS, Run, Walked
from loyalty.walking.walk import PAGE, WORKERS, Walk, Work

ATTEMPTS: Final = 6
"""Times that one member is tried while other writers get in first."""
_BACKOFF_SECONDS: Final = 0.02
_BACKOFF_CAP_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class RewrapRun(Run):
    """One occasion: ``key_id`` is the ARN under which all keys are to lie, each wrapped after ``before`` (UTC)."""

    kind: ClassVar[str] = "REWRAP"

    key_id: str
    before: datetime

    @property
    def whom(self) -> str:
        """See :class:`Run`."""
        return f"everybody, under {self.key_id}"

    def is_due(self, key: MemberKey) -> bool:
        """Whether a key lies under another one, or was wrapped too long ago."""
        return key.stored.key_id != self.key_id or key.wrapped_at < self.before


class State(StrEnum):
    """How a member's data is sealed, as far as a run is concerned."""

    KEPT = "kept"
    """Nothing is to be done."""
    DUE = "due"
    """The key is to be wrapped anew."""
    SINGLE = "single"
    """The profile has a key of its own, and is to be moved under the member's."""
    GONE = "gone"
    """There is no key: nothing can be done, and nothing is to be."""


class Rewrapping:
    """Rewraps the keys of members; safe at any time, beside whatever else is written, and again.

    Args:
        table: the table.
        keys: wraps anew, under the run's key.
        vault: opens records that have a key of their own, and makes keys for their members.
        clock: the present moment.
        workers: members worked on side by side.
        page: members listed at once.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        table: Table,
        keys: RewrapPort,
        vault: MemberVault,
        clock: Clock,
        *,
        workers: int = WORKERS,
        page: int = PAGE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._walk = Walk(table, clock, workers=workers, page=page)
        self._ledger = LedgerStore(table)
        self._members = MemberStore(table)
        self._keys = keys
        self._vault = vault
        self._clock = clock
        self._workers = workers
        self._page = page
        self._sleep = sleep

    def progress(self, run: RewrapRun) -> Walked:
        """How far the run is. Raises ``RunDiffers`` where under its name another key was meant."""
        return self._walk.progress(run)

    def many(self, run: RewrapRun, *, progress: Callable[[Walked], None] = lambda _: None) -> Walked:
        """All members from where the run is; ``changed`` are those of whom something was wrapped or moved.

        Raises:
            RunDiffers, RunStopped: see :meth:`Walk.shard`.
        """
        return self._walk.many(run, Work(lambda member_id: self.one(run, member_id)), progress=progress)

    def one(self, run: RewrapRun, member_id: str) -> bool:
        """Whether something was changed, of the member or of those whom they absorbed: merged members are in no index.

        Raises:
            MemberChanged: others kept changing one of them through :data:`ATTEMPTS` tries.
        """
        changed = [self._one(run, found) for found in self._family(run.program, member_id)]
        return True in changed

    def survey(self, run: RewrapRun) -> Counter[State]:
        """How many members are in which state; nothing is written, and no key is used."""
        found: Counter[State] = Counter()
        with ThreadPoolExecutor(self._workers) as pool:
            for page in self._pages(run):
                for states in pool.map(lambda one: self._states(run, one), page):
                    found.update(states)
        return found

    def _states(self, run: RewrapRun, member_id: str) -> list[State]:
        return [_state(run, found) for found in self._family(run.program, member_id)]

    def _pages(self, run: RewrapRun) -> Iterator[list[str]]:
        for shard in SHARDS:
            after: str | None = None
            while True:
                page = self._ledger.members(run.program, shard, limit=self._page, after=after)
                yield [one.member_id for one in page.members]
                after = page.next_after
                if after is None:
                    break

    def _family(self, program: str, member_id: str) -> Iterator[FoundMember]:
        """The member and whom they absorbed, as far as there are any."""
        member = self._members.find(program, member_id)
        if member is not None:
            yield member
            absorbed = (self._members.find(program, each) for each in member.book.absorbed)
            yield from (each for each in absorbed if each is not None)

    def _one(self, run: RewrapRun, member: FoundMember) -> bool:
        found: FoundMember | None = member
        for attempt in range(ATTEMPTS):
            if found is None or _state(run, found) in {State.KEPT, State.GONE}:
                return False
            key, sealed = self._renewed(run, found)
            try:
                if self._members.rewrap(found, key, sealed):
                    return True
            except TransactionRefused:
                pass  # the item is held at this moment: as good as changed
            self._sleep(jitter(attempt, base=_BACKOFF_SECONDS, cap=_BACKOFF_CAP_SECONDS))
            found = self._members.find(run.program, member.member.member_id)
        raise MemberChanged("Others kept changing this member; start the run again.")

    def _renewed(self, run: RewrapRun, found: FoundMember) -> tuple[MemberKey, Ciphertext | None]:
        """The key as it is to be stored, and the profile where it moves under it."""
        member, sealed = found.member, found.member.sealed
        key = found.key or self._vault.new_key(member.program, member.member_id)
        if run.is_due(key):
            stored = self._keys.rewrap(key.stored, wrapping_context(member.program, member.member_id))
            key = replace(key, stored=stored, rewrapped_at=self._clock(), version=key.version + 1)
        if not isinstance(sealed, Sealed):
            return key, None
        subject = profile_of(member.program, member.member_id)
        return key, self._vault.seal(subject, key, self._vault.open_single(subject, sealed))


def _state(run: RewrapRun, found: FoundMember) -> State:
    if isinstance(found.member.sealed, Sealed):
        return State.SINGLE
    if found.key is None:
        return State.GONE
    return State.DUE if run.is_due(found.key) else State.KEPT
