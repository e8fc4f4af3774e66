"""What an erasure reads, writes and deletes in the table.

::

    M#{program}#{member}   ERASURE   who asked for it and who decided, how far it is; it stays
                           MEMBER    stays as a stub that says ``erased_at`` and nothing of the person
                           CONSENT#… stays: the proof of what had been agreed to, by whom no longer
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.abuse.store import WATCH_SK
from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.commerce.items import PURCHASE_SK, UNCLAIMED_PREFIX, PurchaseItem, UnclaimedItem, record_key, unclaimed_sk
from loyalty.core import origin
from loyalty.core.clock import from_text, to_text
from loyalty.core.table import Delete, IntegerAttribute, Item, Operation, Put, RawItem, Table, Update
from loyalty.fulfillment.recent import RECENT_SK
from loyalty.ledger.keys import HOUSEHOLD_SK, partition
from loyalty.members.keys import KEY_SK
from loyalty.members.store import LookupItem, MemberItem, codes_of, lookup_key, lookup_partition
from loyalty.privacy.consent_store import CONSENTS_SK, KEY_PREFIX, PREFERENCES_SK
from loyalty.privacy.erasure import Erasure, ErasureReason, ErasureStatus
from loyalty.privacy.export_store import EXPORT_PREFIX
from loyalty.referrals.codes import code_digest
from loyalty.referrals.store import ReferralItem, ReferralStore
from loyalty.rewards.model import RedemptionStatus
from loyalty.rewards.store import RedemptionItem, redemption_of
from loyalty.segments.items import SEGMENTS_SK
from loyalty.vault.store import CARD_SK, card_pk
from loyalty_contract import MEMBER_SK, REDEMPTION_PREFIX, REFERRAL_SK, RISK_SK, SHARE_PREFIX

ERASURE_SK: Final = "ERASURE"
NOBODY: Final = "-"
"""In the place of what a stub must have and may not say."""
_AT_ONCE: Final = 25
_GOES: Final = frozenset({SEGMENTS_SK, CONSENTS_SK, PREFERENCES_SK, RISK_SK})
_GO: Final = (KEY_PREFIX, EXPORT_PREFIX, SHARE_PREFIX)
"""Sort keys, and what they begin with, of all that is simply deleted."""


class ErasureItem(Item):
    """``M#{program}#{member}`` / ``ERASURE``."""

    status = UnicodeAttribute()
    reason = UnicodeAttribute()
    asked_by = UnicodeAttribute()
    asked_through = UnicodeAttribute(null=True)
    asked_at = UnicodeAttribute()
    version = IntegerAttribute()
    decided_by = UnicodeAttribute(null=True)
    decided_through = UnicodeAttribute(null=True)
    decided_at = UnicodeAttribute(null=True)
    erased_at = UnicodeAttribute(null=True)
    problem = UnicodeAttribute(null=True)


class ErasureStore:
    """Reads and writes of erasures."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, program: str, member_id: str) -> Erasure | None:
        """The member's erasure, or None."""
        return erasure_of(program, member_id, self._table.read(partition(program, member_id), ERASURE_SK))

    def save(self, after: Erasure, action: str, now: datetime) -> None:
        """Writes the next version, with its line of the audit trail.

        Raises:
            TransactionRefused: it is not the next one any more.
        """
        self._table.write([erasure_put(after), line(after, action, now)])

    def open_redemption(self, program: str, member_id: str, now: datetime) -> str | None:
        """The id of a redemption of this very member that nobody has ended; pages of all that there are."""
        for raw in self._items(program, member_id, REDEMPTION_PREFIX):
            redemption = redemption_of(RedemptionItem.from_raw_data(raw), now)
            if redemption.status is RedemptionStatus.HELD:
                return redemption.redemption_id
        return None

    def digests(self, program: str, member_id: str) -> list[str]:
        """Under what the member is found, but for their referral code; none once they are a stub."""
        raw = self._table.read(partition(program, member_id), MEMBER_SK)
        return [] if raw is None else sorted(MemberItem.from_raw_data(raw).lookups.values())

    def forget_unclaimed(self, program: str, digest: str) -> None:
        """Deletes what waits under a digest, under the others that it waits under too, and that it came."""
        where = UnclaimedItem.sk.startswith(UNCLAIMED_PREFIX)
        for raw in self._table.query_all(lookup_partition(program, digest), where=where):
            item = UnclaimedItem.from_raw_data(raw)
            operations: list[Operation] = []
            digests = {digest}
            for owner in (program, None):
                pk, _ = record_key(owner, item.source, item.source_id)
                record = self._table.get(PurchaseItem, pk, PURCHASE_SK)
                if record is not None and record.member_id is None:
                    digests |= set(record.digests or ())
                    operations.append(Delete(PurchaseItem, pk, PURCHASE_SK, PurchaseItem.version == record.version))
            sk = unclaimed_sk(item.source, item.source_id)
            operations += [Delete(UnclaimedItem, lookup_partition(program, one), sk) for one in sorted(digests)]
            self._table.write(operations)

    def erase_member(self, program: str, member_id: str, *, owner: str, now: datetime) -> None:
        """Makes a stub of somebody whom ``owner`` absorbed; nothing happens where they are one already.

        Raises:
            TransactionRefused: somebody is writing the same; do it again.
        """
        raw = self._table.read(partition(program, member_id), MEMBER_SK)
        found = stub(program, member_id, raw, owners=(owner, member_id), now=now)
        held = self._table.get_many([operation.key for operation in found if isinstance(operation, Delete)])
        kept = [one for one in found if not _is_elses(one, held, (owner, member_id))]
        if kept:
            self._table.write(kept)

    def sweep(self, program: str, member_id: str) -> None:
        """Deletes whatever else tells of the person, in one partition and beside it. Again, it finds nothing."""
        # What was watched may be written again by an event that comes late: it goes with its time to live.
        deletes: list[Operation] = [
            Delete(Item, partition(program, member_id), sk) for sk in sorted({*_GOES, WATCH_SK})
        ]
        for prefix in _GO:
            deletes += [Delete(Item, raw["pk"]["S"], raw["sk"]["S"]) for raw in self._items(program, member_id, prefix)]
        deletes.append(Delete(Item, card_pk(program, member_id), RECENT_SK))
        self._write(deletes)
        self._write(
            Delete(Item, card_pk(program, raw["sk"]["S"].removeprefix(REDEMPTION_PREFIX)), CARD_SK)
            for raw in self._items(program, member_id, REDEMPTION_PREFIX)
        )
        self._write(
            Update(
                RedemptionItem,
                raw["pk"]["S"],
                raw["sk"]["S"],
                [RedemptionItem.tracking_url.remove()],
                RedemptionItem.pk.exists(),
            )
            for raw in self._items(program, member_id, REDEMPTION_PREFIX)
            if "tracking_url" in raw
        )
        self._write(
            self._unmarked(program, one, referrer=one != member_id)
            for one in (member_id, *ReferralStore(self._table).friends(program, member_id))
            if self._table.read(partition(program, one), REFERRAL_SK) is not None
        )

    @staticmethod
    def _unmarked(program: str, member_id: str, *, referrer: bool) -> Update:
        """Of a referral what was the referrer's, a code, or the other's: by what they were like others."""
        actions = [ReferralItem.code.set(NOBODY)] if referrer else [ReferralItem.likenesses.remove()]
        return Update(ReferralItem, partition(program, member_id), REFERRAL_SK, actions, ReferralItem.pk.exists())

    def left(self, program: str, member_id: str) -> list[str]:
        """Sort keys of what should be gone and is there, in the member's partition."""
        found = []
        for raw in self._table.query_all(partition(program, member_id)):
            sk = raw["sk"]["S"]
            personal = sk == MEMBER_SK and ("pii" in raw or raw.get("lookups", {}).get("M"))
            # Where a parcel is, is a page with a name and an address on it.
            parcel = sk.startswith(REDEMPTION_PREFIX) and "tracking_url" in raw
            if personal or parcel or sk in {*_GOES, KEY_SK, HOUSEHOLD_SK} or sk.startswith(_GO):
                found.append(sk)
        return found

    def _items(self, program: str, member_id: str, prefix: str) -> Iterator[RawItem]:
        return self._table.query_all(partition(program, member_id), where=Item.sk.startswith(prefix))

    def _write(self, operations: Iterable[Operation]) -> None:
        left = iter(operations)
        while some := list(islice(left, _AT_ONCE)):
            self._table.write(some)


def stub(program: str, member_id: str, raw: RawItem | None, *, owners: Sequence[str], now: datetime) -> list[Operation]:
    """Takes from a member whatever is theirs: key, profile, lookups; nothing of who is a stub already, or has no profile.

    ``owners``: to whom the lookups may lead.
    """
    member = None if raw is None else MemberItem.from_raw_data(raw)
    if member is None or member.erased_at is not None:
        return []
    emptied = Update(
        MemberItem,
        member.pk,
        member.sk,
        [
            MemberItem.erased_at.set(to_text(now)),
            MemberItem.updated_at.set(to_text(now)),
            MemberItem.version.set(member.version + 1),
            MemberItem.lookups.set({}),
            MemberItem.request_hash.set(NOBODY),
            MemberItem.referral_code.set(NOBODY),
            MemberItem.earlier_codes.remove(),
            MemberItem.pii_key.remove(),
            MemberItem.pii_nonce.remove(),
            MemberItem.pii.remove(),
        ],
        MemberItem.version == member.version,
    )
    digests = sorted({*member.lookups.values(), *map(code_digest, codes_of(member))})
    mine = LookupItem.member_id.is_in(*owners)
    free = LookupItem.pk.does_not_exist() | mine
    lookups = [Delete(LookupItem, *lookup_key(program, digest), free) for digest in digests]
    return [emptied, Delete(Item, partition(program, member_id), KEY_SK), *lookups]


def erasure_put(after: Erasure) -> Put:
    """Writes an erasure, if it is the next version of what is stored."""
    item = ErasureItem(
        partition(after.program, after.member_id),
        ERASURE_SK,
        status=after.status.value,
        reason=after.reason.value,
        asked_by=after.asked_by,
        asked_through=after.asked_through,
        asked_at=to_text(after.asked_at),
        version=after.version,
        decided_by=after.decided_by,
        decided_through=after.decided_through,
        decided_at=_text(after.decided_at),
        erased_at=_text(after.erased_at),
        problem=after.problem,
    )
    first = ErasureItem.pk.does_not_exist()
    return Put(item, first if after.version == 1 else ErasureItem.version == after.version - 1)


def erasure_of(program: str, member_id: str, raw: RawItem | None) -> Erasure | None:
    """The erasure that a stored item holds."""
    if raw is None:
        return None
    item = ErasureItem.from_raw_data(raw)
    return Erasure(
        program=program,
        member_id=member_id,
        status=ErasureStatus(item.status),
        reason=ErasureReason(item.reason),
        asked_by=item.asked_by,
        asked_through=item.asked_through,
        asked_at=from_text(item.asked_at),
        version=item.version,
        decided_by=item.decided_by,
        decided_through=item.decided_through,
        decided_at=_moment(item.decided_at),
        erased_at=_moment(item.erased_at),
        problem=item.problem,
    )


def line(erasure: Erasure, action: str, now: datetime) -> Put:
    """The line of the audit trail for what was done with an erasure."""
    actor = erasure.asked_by if erasure.decided_by is None else erasure.decided_by
    return line_put(
        Line(
            scope=erasure.program,
            action=action,
            target=f"members/{erasure.member_id}/erasure",
            at=now,
            actor=actor,
            origin=origin.current(),
            after={"status": erasure.status.value, "reason": erasure.reason.value},
        )
    )


def _is_elses(operation: Operation, held: dict[tuple[str, str], RawItem], owners: Sequence[str]) -> bool:
    """Whether it would delete a lookup that leads to somebody else by now."""
    owner = held.get(operation.key, {}).get("member_id", {}).get("S")
    return isinstance(operation, Delete) and owner is not None and owner not in owners


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
