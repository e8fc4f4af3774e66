"""The versions of programs in the table: read, published, cancelled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pynamodb.expressions.condition import Condition

from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import Stale, Unavailable, VersionNotFound
from loyalty.core.table import MOST_OPERATIONS, Delete, Operation, Put, Table, TransactionRefused
from loyalty.programs import publication
from loyalty.programs.errors import ProgramChanged, ShopsLimitExceeded, ShopTaken
from loyalty.programs.items import CURRENT_SK, DRAFT_SK, ProgramItem, ShopItem, program_pk, shop_key, version_sk
from loyalty.programs.model import ProgramDocument
from loyalty.programs.publication import Cancellation, Proposal, Publication, State, Version
from loyalty.programs.trail import published_line, unscheduled_line
from loyalty_contract import PROGRAM_VERSION_PREFIX

MOST_SHOPS: Final = MOST_OPERATIONS - 5
"""Shops that may come or go with one version: its transaction also writes two or three of its items, the draft, and a
line of the audit trail."""


_MOST_AT_ONCE: Final = 10
"""Versions that are read at once in looking for an old one: each may be as large as a document."""


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Versions, newest first, and the number below which the next page starts (None after the last)."""

    versions: list[Version]
    next_before: int | None


class VersionStore:
    """Every write is conditional on the state that it was decided on: of several at once, one happens."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def state(self, program: str) -> State:
        """What is published of a program now: one read, two where a version is scheduled; none where nothing is."""
        return self._read(program)[1]

    def get(self, program: str, number: int) -> Version:
        """One version.

        Raises:
            VersionNotFound: there is none of that number.
        """
        item = self._table.get(ProgramItem, program_pk(program), version_sk(number))
        if item is None:
            raise VersionNotFound(f"Program '{program}' has no version {number}.")
        return version_of(item)

    def page(self, program: str, *, limit: int, before: int | None = None) -> VersionPage:
        """Up to ``limit`` versions below ``before``."""
        # ':' sorts behind every digit.
        last = f"{PROGRAM_VERSION_PREFIX}:" if before is None else version_sk(before - 1)
        within = ProgramItem.sk.between(version_sk(0), last)
        page = self._table.query(program_pk(program), where=within, newest_first=True, limit=limit)
        versions = [version_of(ProgramItem.from_raw_data(raw)) for raw in page.items]
        return VersionPage(versions, versions[-1].number if page.last_key and versions else None)

    def in_force_at(self, program: str, moment: datetime) -> Version | None:
        """The version that was in force at a past moment; None where there was none yet. Reads back from the newest."""
        before: int | None = None
        while True:
            page = self.page(program, limit=_MOST_AT_ONCE, before=before)
            for version in page.versions:
                if version.cancelled_at is None and version.effective_at <= moment:
                    return version
            if page.next_before is None:
                return None
            before = page.next_before

    def publish(
        self,
        program: str,
        proposal: Proposal,
        *,
        require: Callable[[State], None],
        also: Callable[[Version], Sequence[Operation]] | None = None,
    ) -> Version:
        """Makes the proposal the next version.

        Args:
            program: its id.
            proposal: what is to be published.
            require: raises where the state is not the one that the proposal was made for.
            also: what is written in the same transaction as the version.

        Raises:
            ProgramChanged: something else was published at the same moment.
            Stale: the draft was changed at the same moment.
            ShopTaken: a shop belongs to another program.
            ShopsLimitExceeded: too many shops come or go at once.
            LoyaltyError: ``require`` or :func:`loyalty.programs.publication.publish` refused it.
        """
        stored, before = self._read(program)
        require(before)
        step = publication.publish(before, proposal, self._clock())
        # Of a version that is scheduled none: its shops are those of the one in force.
        shops = _shops(before.in_force, proposal.document)
        line = published_line(program, before, step)
        self._write(program, stored, step, [*(also(step.new) if also else ()), *shops, line])
        return step.new

    def cancel(self, program: str, actor: str, *, require: Callable[[State], None]) -> Version:
        """Takes the scheduled version back.

        Raises:
            ProgramChanged: something else was published or cancelled at the same moment.
            LoyaltyError: ``require`` or :func:`loyalty.programs.publication.cancel` refused it.
        """
        stored, before = self._read(program)
        require(before)
        now = self._clock()
        step = publication.cancel(before, actor, now)
        self._write(program, stored, step, [unscheduled_line(program, actor, step, now)])
        return step.cancelled

    def _read(self, program: str) -> tuple[ProgramItem | None, State]:
        item = self._table.get(ProgramItem, program_pk(program), CURRENT_SK)
        if item is None:
            return None, State()
        named = self.get(program, item.scheduled_version) if item.scheduled_version else None
        return item, state_of(item, named, self._clock())

    def _write(
        self, program: str, stored: ProgramItem | None, step: Publication | Cancellation, also: Sequence[Operation]
    ) -> None:
        pk = program_pk(program)
        operations: list[Operation] = [Put(_current_item(pk, step.after), _still(stored)), *also]
        if isinstance(step, Publication):
            operations.append(Put(_version_item(pk, step.new), ProgramItem.pk.does_not_exist()))
        if step.cancelled is not None:
            operations.append(Put(_version_item(pk, step.cancelled), ProgramItem.cancelled_at.does_not_exist()))
        try:
            self._table.write(operations)
        except TransactionRefused as refusal:
            raise _refused(program, [operations[place].key for place in refusal.failed]) from refusal


def state_of(current: ProgramItem, named: Version | None, now: datetime) -> State:
    """What ``CONFIG`` says at a moment; ``named`` is the version that it names as scheduled, if it does.

    That this one came into force counts as a change of what is published: the revision is one more from then on.
    """
    latest = current.latest or current.version
    revision = current.revision or current.version
    if named is None:
        return State(version_of(current), None, latest, revision)
    if named.effective_at <= now:
        return State(named, None, latest, revision + 1)
    return State(version_of(current), named, latest, revision)


def version_of(item: ProgramItem) -> Version:
    """The version that an item holds."""
    return Version(
        number=item.version,
        text=item.document,
        digest=item.digest or publication.digest_of(item.document),
        published_at=from_text(item.published_at),
        published_by=item.published_by,
        effective_at=from_text(item.effective_at or item.published_at),
        comment=item.comment,
        changes=item.changes,
        rolled_back_to=item.rolled_back_to,
        cancelled_at=from_text(item.cancelled_at) if item.cancelled_at else None,
        cancelled_by=item.cancelled_by,
    )


def _version_item(pk: str, version: Version, sk: str | None = None) -> ProgramItem:
    return ProgramItem(
        pk,
        sk or version_sk(version.number),
        version=version.number,
        document=version.text,
        digest=version.digest,
        published_at=to_text(version.published_at),
        published_by=version.published_by,
        effective_at=to_text(version.effective_at),
        comment=version.comment,
        changes=version.changes,
        rolled_back_to=version.rolled_back_to,
        cancelled_at=to_text(version.cancelled_at) if version.cancelled_at else None,
        cancelled_by=version.cancelled_by,
    )


def _current_item(pk: str, state: State) -> ProgramItem:
    if state.in_force is None:
        raise AssertionError("a program without a version has nothing scheduled")
    item = _version_item(pk, state.in_force, CURRENT_SK)
    item.latest, item.revision = state.latest, state.revision
    if state.scheduled is not None:
        item.scheduled_version = state.scheduled.number
        item.scheduled_at = to_text(state.scheduled.effective_at)
    return item


def _still(stored: ProgramItem | None) -> Condition:
    """That ``CONFIG`` is as it was read."""
    if stored is None:
        return ProgramItem.pk.does_not_exist()
    if stored.revision is None:
        return ProgramItem.revision.does_not_exist() & (ProgramItem.version == stored.version)
    return ProgramItem.revision == stored.revision


def _shops(before: Version | None, after: ProgramDocument) -> list[Operation]:
    """Binds the shops that are new, and lets those go that are no longer named."""
    had, has = set(before.program.document.shopify_shops if before else ()), set(after.shopify_shops)
    if len(had ^ has) > MOST_SHOPS:
        raise ShopsLimitExceeded(
            f"{len(had ^ has)} shops would come or go; change {MOST_SHOPS} in one version at most, and the rest in another.",
            pointer="/shopify_shops",
        )
    free = ShopItem.pk.does_not_exist() | (ShopItem.program == after.id)
    bound = [Put(ShopItem(*shop_key(shop), program=after.id), free) for shop in sorted(has - had)]
    return [*bound, *(Delete(ShopItem, *shop_key(shop), ShopItem.program == after.id) for shop in sorted(had - has))]


def _refused(program: str, failed: Sequence[tuple[str, str]]) -> ProgramChanged | ShopTaken | Stale | Unavailable:
    """Why the transaction was refused, by the keys of what was not as expected."""
    if not failed:
        return Unavailable("The program is being published at this moment; send the same request again.")
    if any(sk == CURRENT_SK or sk.startswith(PROGRAM_VERSION_PREFIX) for _, sk in failed):
        return ProgramChanged(f"Another version of '{program}' was published meanwhile; read it and publish again.")
    if any(sk == DRAFT_SK for _, sk in failed):
        return Stale("The draft was changed meanwhile; read it and publish again.")
    taken = sorted(pk.rsplit("#", 1)[-1] for pk, _ in failed)
    return ShopTaken(
        f"Another program already receives the events of {', '.join(taken)}; take it out of shopify_shops, or out of "
        "the other program first.",
        pointer="/shopify_shops",
    )
