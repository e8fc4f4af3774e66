"""What commerce remembers of an event, as values. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from loyalty.accruals.model import Activity
from loyalty.commerce.model import PLATFORMS, Refund
from loyalty.core.money import Money

WAIT: Final = timedelta(days=30)
"""How long a refund waits for its purchase before it goes to the dead letters."""


def identity(program: str | None, source: str, source_id: str) -> str:
    """One text for one event: a platform's ids are its own, any other source's are each program's."""
    return f"{source}#{source_id}" if source in PLATFORMS else f"{program}#{source}#{source_id}"


@dataclass(frozen=True, slots=True)
class KeptRefund:
    """Money given back on a purchase that is kept, or has not come. Came at ``since`` (UTC)."""

    occurred_at: datetime
    amount: Money
    since: datetime | None = field(default=None, compare=False)

    @property
    def due_at(self) -> datetime:
        """When it has waited long enough. What was kept before ``since`` was written down goes by its own time."""
        return (self.since or self.occurred_at) + WAIT


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
    """By their ``source_id``: what came before it or while it was kept, and is not posted yet."""
    expires_at: int | None = None
    """Seconds of the epoch; of what is kept alone."""
    shop: str | None = None
    """Of one that has not come: the shop that its refunds are from."""

    @property
    def identity(self) -> str:
        """See :func:`identity`."""
        return identity(self.program, self.source, self.source_id)

    @property
    def seen(self) -> bool:
        """Whether anything was written of it, and is not forgotten."""
        return self.version > 0

    @property
    def counted(self) -> bool:
        """Whether it counted for a member."""
        return self.member_id is not None

    @property
    def kept(self) -> bool:
        """Whether it waits for a member."""
        return self.seen and not self.counted and self.expires_at is not None

    @property
    def awaited(self) -> bool:
        """Whether it has not come, and refunds of it wait."""
        return self.seen and not self.counted and self.expires_at is None

    @property
    def due_at(self) -> datetime | None:
        """When the first of its refunds has waited long enough (UTC). None while the record itself expires."""
        return None if self.kept else min((refund.due_at for refund in self.refunds.values()), default=None)

    def due(self, now: datetime) -> dict[str, KeptRefund]:
        """The refunds that have waited long enough."""
        return {} if self.kept else {key: refund for key, refund in self.refunds.items() if refund.due_at <= now}


def refund_of(record: Record, refund_id: str, kept: KeptRefund) -> Refund:
    """A refund that waits beside a record, as it came."""
    return Refund(
        record.source, refund_id, record.source_id, kept.occurred_at, kept.amount, record.program, record.shop
    )


def in_order(refunds: Mapping[str, KeptRefund]) -> Iterable[tuple[str, KeptRefund]]:
    """Refunds with their ids, in the order in which the money was given back."""
    return sorted(refunds.items(), key=lambda item: (item[1].occurred_at, item[0]))


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An activity that may be claimed, and the digest under which it was found."""

    activity: Activity
    digest: str
