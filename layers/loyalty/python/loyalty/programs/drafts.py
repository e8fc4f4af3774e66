"""The draft of a program: a document that may still be wrong, until it is published."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.core.clock import from_text, to_text
from loyalty.core.errors import Stale, Unavailable
from loyalty.core.four_eyes import same_hands
from loyalty.core.table import Put, Table, TransactionRefused
from loyalty.programs.errors import DraftNotFound
from loyalty.programs.items import DRAFT_SK, DraftItem, program_pk


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as somebody saved it. ``based_on``: the version in force that it is meant to follow, 0 for none."""

    program: str
    revision: int
    text: str
    based_on: int
    saved_at: datetime
    saved_by: str
    saved_through: str | None = None
    """Whose credentials the author had, where those are not the author: an operator's."""

    def is_by(self, *hands: str | None) -> bool:
        """Whether one of these saved it."""
        return same_hands((self.saved_by, self.saved_through), hands)


class DraftStore:
    """At most one draft of a program. Every write is conditional on the revision that was read."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, program: str) -> Draft:
        """The draft.

        Raises:
            DraftNotFound: there is none.
        """
        item = self._item(program)
        if item is None or not item.document:
            raise DraftNotFound(f"Program '{program}' has no draft{_why(item)}. PUT one with If-None-Match: *.")
        return _draft_of(program, item)

    def expect(self, program: str, revision: int | None) -> Draft:
        """The draft, if it is still of that revision; None: of any.

        Raises:
            Stale: there is none, or it was changed since.
        """
        item = self._item(program)
        if item is None or not item.document:
            raise Stale(f"Program '{program}' has no draft any more{_why(item)}.")
        if revision is not None and item.revision != revision:
            raise Stale(
                "The draft was changed since you read it; read it again, and send your change for its new ETag."
            )
        return _draft_of(program, item)

    def create(
        self, program: str, text: str, *, based_on: int, by: str, at: datetime, through: str | None = None
    ) -> Draft:
        """Saves the first draft, or the first one since the last was published or discarded.

        Raises:
            Stale: there is a draft.
        """
        item = self._item(program)
        if item is not None and item.document:
            raise Stale(f"Program '{program}' has a draft already; read it, and send If-Match with its ETag.")
        revision = item.revision if item else 0
        return self._save(Draft(program, revision + 1, text, based_on, at, by, through))

    def replace(
        self, before: Draft, text: str, *, based_on: int, by: str, at: datetime, through: str | None = None
    ) -> Draft:
        """Saves another document in the place of ``before``.

        Raises:
            Stale: the draft was changed since it was read.
        """
        return self._save(Draft(before.program, before.revision + 1, text, based_on, at, by, through))

    def discard(self, before: Draft, *, by: str, at: datetime) -> None:
        """Removes the document.

        Raises:
            Stale: the draft was changed since it was read.
        """
        self._write(gone_put(before, by=by, at=at), before.program)

    def _save(self, draft: Draft) -> Draft:
        item = DraftItem(
            program_pk(draft.program),
            DRAFT_SK,
            revision=draft.revision,
            document=draft.text,
            based_on=draft.based_on,
            saved_at=to_text(draft.saved_at),
            saved_by=draft.saved_by,
            saved_through=draft.saved_through,
        )
        condition = DraftItem.revision == draft.revision - 1 if draft.revision > 1 else DraftItem.pk.does_not_exist()
        self._write(Put(item, condition), draft.program)
        return draft

    def _write(self, put: Put, program: str) -> None:
        try:
            self._table.write([put])
        except TransactionRefused as refusal:
            if refusal.failed:
                raise Stale(f"The draft of '{program}' was changed meanwhile; read it again.") from refusal
            raise Unavailable("The draft is being saved at this moment; send the same request again.") from refusal

    def _item(self, program: str) -> DraftItem | None:
        return self._table.get(DraftItem, program_pk(program), DRAFT_SK)


def gone_put(before: Draft, *, by: str, at: datetime, published_as: int | None = None) -> Put:
    """Leaves of a draft that it was discarded, or which version it became; if it is still as it was read."""
    item = DraftItem(
        program_pk(before.program),
        DRAFT_SK,
        revision=before.revision + 1,
        based_on=before.based_on,
        saved_at=to_text(at),
        saved_by=by,
        published_as=published_as,
    )
    return Put(item, DraftItem.revision == before.revision)


def _draft_of(program: str, item: DraftItem) -> Draft:
    return Draft(
        program=program,
        revision=item.revision,
        text=item.document or "",
        based_on=item.based_on,
        saved_at=from_text(item.saved_at),
        saved_by=item.saved_by,
        saved_through=item.saved_through,
    )


def _why(item: DraftItem | None) -> str:
    if item is None or not item.published_as:
        return ""
    return f": it became version {item.published_as} at {item.saved_at}"
