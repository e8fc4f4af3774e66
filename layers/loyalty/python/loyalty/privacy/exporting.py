"""Copies of members' data: asked for, made, fetched."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from loyalty.core import ids
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import MemberNotFound, WalletBusy
from loyalty.core.files import FilesToForget
from loyalty.core.table import TransactionRefused
from loyalty.ledger.service import following
from loyalty.members.presence import require_present
from loyalty.privacy.archive import Archive
from loyalty.privacy.consent_store import ConsentStore
from loyalty.privacy.errors import ExportNotFound
from loyalty.privacy.export_store import Export, ExportStatus, ExportStore, expiry, key_of
from loyalty.programs.model import Program

LINK_SECONDS: Final = 15 * 60


class ExportService:
    """Exports of members; of a merged one, those of the survivor.

    Args:
        store: keeps what became of them.
        consents: say whether there is such a member.
        files: the bucket.
        clock: gives the present moment.
        days: after which an export is gone.
        start: starts the state machine; the machine's own function starts none.
    """

    def __init__(
        self,
        *,
        store: ExportStore,
        consents: ConsentStore,
        files: FilesToForget,
        clock: Clock,
        days: int,
        start: Callable[[Export], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._consents = consents
        self._files = files
        self._clock = clock
        self._days = days
        self._start = start

    def ask(self, program: Program, member_id: str, *, client_id: str, idempotency_key: str) -> tuple[Export, bool]:
        """Asks for an export, once for each idempotency key of a client; True where an earlier call did.

        Asked again while it is not made, the machine is started again: the first call may have been cut off before.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
            WalletBusy: others are writing the member.
        """
        export_id = ids.export_id(program.document.id, member_id, client_id, idempotency_key)

        def ask(holder: str) -> tuple[Export, bool]:
            standing = self._consents.standing(program.document.id, holder)
            if standing is None:
                raise MemberNotFound.of(program.document.id, holder)
            require_present(standing.book)
            now = self._now()
            wanted = Export(
                program.document.id, holder, export_id, ExportStatus.RUNNING, client_id, now, expiry(now, self._days)
            )
            try:
                export, replayed = self._store.create(wanted)
            except TransactionRefused as refusal:
                raise WalletBusy(
                    "This member has many writers at the moment; send the same request again."
                ) from refusal
            if export.status is ExportStatus.RUNNING:
                self._start(export)
            return export, replayed

        return following(member_id, ask)

    def get(self, program: str, member_id: str, export_id: str) -> Export:
        """Where an export stands.

        Raises:
            ExportNotFound: the member has none of that id, or none any more.
            MemberErased: the member is none any more, and neither is the export.
        """

        def find(holder: str) -> Export:
            standing = self._consents.standing(program, holder)
            if standing is None:
                raise MemberNotFound.of(program, holder)
            require_present(standing.book)
            return self._store.get(program, holder, export_id)

        return following(member_id, find)

    def link(self, export: Export) -> str | None:
        """A URL by which anybody reads the file, for :data:`LINK_SECONDS`; None where there is no file."""
        if export.status is not ExportStatus.READY or export.expires_at <= self._clock():
            return None
        return self._files.link(export.key, seconds=LINK_SECONDS)

    def make(self, program: Program, member_id: str, export_id: str, archive: Archive) -> Export:
        """Makes the file, and says that it is there. Of one that is made, says that.

        Raises:
            ExportNotFound, MemberErased, MemberMerged: there is none any more.
            Exception: whatever reading raises; make it again.
        """
        name = program.document.id
        export = self._found(name, member_id, export_id)
        if export.status is not ExportStatus.RUNNING:
            return export
        with archive.written(program, member_id) as path:
            self._files.put(export.key, path, "application/zip")
            ready = export.ended(ExportStatus.READY, self._now(), path.stat().st_size)
        try:
            self._store.save(ready)
        except TransactionRefused as refusal:
            found = self._found(name, member_id, export_id)
            if found.status is not ExportStatus.RUNNING:
                return found
            raise WalletBusy("Others are writing this member; make the export again.") from refusal
        return ready

    def _found(self, program: str, member_id: str, export_id: str) -> Export:
        """The export; where there is none any more, its file goes too: the member was erased while it was written."""
        try:
            return self._store.get(program, member_id, export_id)
        except ExportNotFound:
            self._files.remove(key_of(program, member_id, export_id))
            raise

    def fail(self, program: str, member_id: str, export_id: str) -> Export:
        """Says that it could not be made.

        Raises:
            ExportNotFound: there is none any more.
            TransactionRefused: somebody is writing it; say it again.
        """
        export = self._store.get(program, member_id, export_id)
        if export.status is ExportStatus.RUNNING:
            export = export.ended(ExportStatus.FAILED, self._now())
            self._store.save(export)
        return export

    def _now(self) -> datetime:
        return from_text(to_text(self._clock()))
