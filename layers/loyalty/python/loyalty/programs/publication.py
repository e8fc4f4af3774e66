"""What becomes of a program's versions: published, scheduled, cancelled. Pure.

::

    publish n                 n is in force, for every function within CACHE_SECONDS
    schedule n+1 for t        n stays; from t on n+1 is in force, without anything having to happen at t
        cancel                n+1 never comes into force; the next version is n+2
        t has come            n+1 is in force as if it had been published at t

At most one version is scheduled at a time. It is scheduled, cancelled or replaced :data:`LEAD` before its moment at the
latest: every function has read of it by then, so that all of them change at the same moment, and to the same version.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from loyalty.core.clock import to_text
from loyalty.core.errors import DocumentInvalid
from loyalty.programs.diff import diff, summary
from loyalty.programs.errors import (
    NothingScheduled,
    ProgramChanged,
    ScheduleDue,
    TimeZoneFixed,
    VersionNotSchedulable,
    VersionScheduled,
    WalletFixed,
)
from loyalty.programs.model import Program, ProgramDocument
from loyalty.programs.writing import as_stored

CACHE_SECONDS: Final = 60.0
"""How long a function may go on with a program version, or a client's binding, after it was replaced."""
LEAD: Final = timedelta(seconds=2 * CACHE_SECONDS)
"""Twice as long as functions remember: once for them, once for the write itself and for clocks that differ."""
FURTHEST: Final = timedelta(days=366)
"""How far ahead a version may be scheduled."""
MAX_COMMENT: Final = 500
MAX_DOCUMENT_BYTES: Final = 300_000
"""An item of the table holds 400 KB, and every function keeps the document in memory."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version as it is kept for ever. ``text`` is its document, see :mod:`.writing`, ``digest`` that text's SHA-256 in hex.

    ``changes`` tells, for people, what it changed; ``rolled_back_to`` names the version whose document it took again. A
    version that was cancelled never came into force.
    """

    number: int
    text: str
    digest: str
    published_at: datetime
    published_by: str
    effective_at: datetime
    comment: str | None = None
    changes: str | None = None
    rolled_back_to: int | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None

    @property
    def program(self) -> Program:
        """The version as functions use it."""
        return Program(version=self.number, document=ProgramDocument.model_validate_json(self.text))


@dataclass(frozen=True, slots=True)
class State:
    """What is published of a program at a moment.

    ``revision`` changes with whatever is published, cancelled or comes into force. ``latest``: the highest number that a
    version has.
    """

    in_force: Version | None = None
    scheduled: Version | None = None
    latest: int = 0
    revision: int = 0

    @property
    def number(self) -> int:
        """Of the version in force; 0 where there is none."""
        return self.in_force.number if self.in_force else 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be published. Without ``effective_at``, at once.

    ``replace_scheduled``: instead of the version that is scheduled, which otherwise stands in the way.
    """

    document: ProgramDocument
    actor: str
    comment: str | None = None
    effective_at: datetime | None = None
    replace_scheduled: bool = False
    rolled_back_to: int | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """A version that came to be, the state after it, and the scheduled version that it took the place of."""

    after: State
    new: Version
    cancelled: Version | None


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A scheduled version that never comes into force, and the state after that."""

    after: State
    cancelled: Version


def digest_of(text: str) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def publish(before: State, proposal: Proposal, now: datetime) -> Publication:
    """The next version.

    Raises:
        VersionScheduled: another one is scheduled, and the proposal does not replace it.
        ScheduleDue: it is too late to replace that one.
        VersionNotSchedulable: the proposal cannot come into force at the moment that it names.
        DocumentInvalid: it is too long.
        TimeZoneFixed: it has another time zone than the version in force.
        WalletFixed: it drops one of that version's wallets, or gives it another currency.
    """
    document, old = proposal.document, before.in_force
    cancelled = None
    if before.scheduled is not None:
        if not proposal.replace_scheduled:
            raise _in_the_way(before.scheduled)
        cancelled = _cancelled(before.scheduled, proposal.actor, now)
    previous = old.program.document if old else None
    if previous is not None:
        require_kept(previous, document)
    if proposal.effective_at is not None:
        _require_schedulable(previous, document, proposal.effective_at, now)
    text = as_stored(document)
    if len(text.encode()) > MAX_DOCUMENT_BYTES:
        raise DocumentInvalid(
            f"The document has more than {MAX_DOCUMENT_BYTES:,} bytes; take parts of it out.", pointer=""
        )
    new = Version(
        number=before.latest + 1,
        text=text,
        digest=digest_of(text),
        published_at=now,
        published_by=proposal.actor,
        effective_at=proposal.effective_at or now,
        comment=proposal.comment,
        changes=summary(diff(previous, document)) if previous else "the first version",
        rolled_back_to=proposal.rolled_back_to,
    )
    later = proposal.effective_at is not None
    after = State(old if later else new, new if later else None, new.number, before.revision + 1)
    return Publication(after, new, cancelled)


def cancel(before: State, actor: str, now: datetime) -> Cancellation:
    """The scheduled version no longer comes into force.

    Raises:
        NothingScheduled: there is none.
        ScheduleDue: it is too late for that.
    """
    if before.scheduled is None:
        raise NothingScheduled("No version is scheduled; GET …/versions shows what is in force.")
    cancelled = _cancelled(before.scheduled, actor, now)
    return Cancellation(replace(before, scheduled=None, revision=before.revision + 1), cancelled)


def require_version(program: str, before: State, expected: int) -> None:
    """Refuses to go on from another version than the one that was looked at.

    Raises:
        ProgramChanged: ``expected`` is not in force.
    """
    if before.number != expected:
        raise ProgramChanged(
            f"The current version of '{program}' is not {expected} but {before.number}; read it and publish again."
        )


def require_kept(before: ProgramDocument, after: ProgramDocument) -> None:
    """Refuses to change what points were posted by: the days of their lots, and the unit that they are counted in.

    Raises:
        TimeZoneFixed: it has another time zone.
        WalletFixed: it drops a wallet, or gives it another currency.
    """
    if after.time_zone != before.time_zone:
        raise TimeZoneFixed(
            f"Program '{after.id}' keeps the days of its points in {before.time_zone}; leave time_zone as it is. "
            "A program with another time zone needs another id.",
            pointer="/time_zone",
        )
    for wallet in before.wallets:
        kept = after.wallet(wallet.id)
        if kept is None:
            raise WalletFixed(
                f"Members of '{after.id}' have the wallet '{wallet.id}'; leave it in wallets. To end it, drop its earn "
                "rules.",
                pointer="/wallets",
            )
        if kept.currency != wallet.currency:
            raise WalletFixed(
                f"The wallet '{wallet.id}' of '{after.id}' is counted in {_unit(wallet.currency)} and cannot be counted "
                f"in {_unit(kept.currency)}; leave its currency as it is, and add another wallet.",
                pointer=f"/wallets/{after.wallets.index(kept)}/currency",
            )


def _require_schedulable(
    previous: ProgramDocument | None, document: ProgramDocument, at: datetime, now: datetime
) -> None:
    if previous is None:
        raise VersionNotSchedulable(
            "A program's first version comes into force at once; leave effective_at out.", pointer="/effective_at"
        )
    earliest, latest = now + LEAD, now + FURTHEST
    if not earliest <= at <= latest:
        raise VersionNotSchedulable(
            f"Name a moment between {to_text(earliest)} and {to_text(latest)}, or leave effective_at out to publish at "
            "once.",
            pointer="/effective_at",
        )
    if set(document.shopify_shops) != set(previous.shopify_shops):
        raise VersionNotSchedulable(
            "Shops begin and cease to belong to a program at once; leave shopify_shops as it is, and change it by a "
            "version without effective_at.",
            pointer="/shopify_shops",
        )


def _cancelled(version: Version, actor: str, now: datetime) -> Version:
    if now > version.effective_at - LEAD:
        raise ScheduleDue(
            f"Version {version.number} comes into force at {to_text(version.effective_at)}, which is too soon to stop "
            "it everywhere; wait for it, and roll back then."
        )
    return replace(version, cancelled_at=now, cancelled_by=actor)


def _in_the_way(scheduled: Version) -> VersionScheduled:
    return VersionScheduled(
        f"Version {scheduled.number} is scheduled for {to_text(scheduled.effective_at)}; cancel it first, or say "
        "replace_scheduled to publish this one instead."
    )


def _unit(currency: str | None) -> str:
    return f"minor units of {currency}" if currency else "points"
