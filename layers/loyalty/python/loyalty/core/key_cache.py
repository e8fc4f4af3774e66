"""Data keys in the clear, for a few minutes: what a process may remember so that it need not ask KMS again."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from loyalty.core.clock import Clock

ENTRIES: Final = 100
"""Whose data lies open to whoever reads the memory of a process: never more members than these at once."""
AGE: Final = timedelta(minutes=5)
"""For so long a process goes on after KMS, or a policy, would have refused it."""
USES: Final = 100
"""Records that are sealed or opened by one unwrapping. Far below what AES-GCM bears; it bounds what an unseen theft gives."""


@dataclass(slots=True)
class _Kept:
    key: bytes
    since: datetime
    left: int


class KeyCache:
    """A bounded cache: who was used longest ago makes place. Safe for several threads.

    Age is told by the wall clock: a monotonic one may stand still while a function is frozen. An entry from the future,
    where a clock was set back, is no longer used either.
    """

    def __init__(self, clock: Clock, *, entries: int = ENTRIES, age: timedelta = AGE, uses: int = USES) -> None:
        self._clock = clock
        self._entries = entries
        self._age = age
        self._uses = uses
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: Hashable) -> bytes | None:
        """The key, and one use of it; None where it is not there or no longer to be used."""
        now = self._clock()
        with self._lock:
            kept = self._kept.pop(name, None)
            if kept is None or not kept.since <= now < kept.since + self._age:
                return None
            kept.left -= 1
            if kept.left > 0:
                self._kept[name] = kept
            return kept.key

    def put(self, name: Hashable, key: bytes) -> None:
        """Remembers a key that is used now for the first time."""
        now = self._clock()
        with self._lock:
            self._kept.pop(name, None)
            if self._uses > 1:
                self._kept[name] = _Kept(key, now, self._uses - 1)
            while len(self._kept) > self._entries:
                self._kept.popitem(last=False)
