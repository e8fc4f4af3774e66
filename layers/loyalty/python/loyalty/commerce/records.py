"""What commerce remembers of an event, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from loyalty.accruals.service import Activity
from loyalty.core.money import Money


@dataclass(frozen=True, slots=True)
class KeptRefund:
    """Money given back on a purchase that is kept."""

    occurred_at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class Record:
    """What became of an event of this identity, as it was read; version 0 where nothing did yet."""

    source: str
    source_id: str
    program: str | None
    version: int = 0
    member_id: str | None = None
    """Whom it counted for."""
    digests: frozenset[str] = frozenset()
    """Where it is kept. None, of one that is kept: nobody can claim it."""
    currency: str | None = None
    refunds: Mapping[str, KeptRefund] = field(default_factory=dict)
    """By their ``source_id``: what came while it was kept, and is not posted yet."""
    expires_at: int | None = None
    """Seconds of the epoch; None of what counted."""

    @property
    def seen(self) -> bool:
        """Whether such an event came before, and is not forgotten."""
        return self.version > 0

    @property
    def counted(self) -> bool:
        """Whether it counted for a member."""
        return self.member_id is not None

    @property
    def kept(self) -> bool:
        """Whether it waits for a member."""
        return self.seen and not self.counted


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An activity that may be claimed, and the digest under which it was found."""

    activity: Activity
    digest: str
