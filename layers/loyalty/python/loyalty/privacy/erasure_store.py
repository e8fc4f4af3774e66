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

from pynamodb.expressions.update import Action

from loyalty.abuse.store import WATCH_SK
from loyalty.attribution.codes import code_digest
from loyalty.attribution.store import ReferralItem, ReferralStore
from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.commerce.items import PURCHASE_SK, UNCLAIMED_PREFIX, PurchaseItem, UnclaimedItem, record_key, unclaimed_sk
from loyalty.core import origin
from loyalty.core.clock import to_text
from loyalty.core.table import MOST_READS, Delete, Item, Operation, Put, RawItem, Table, Update
from loyalty.fulfillment.recent import RECENT_SK
from loyalty.fulfillment.run import Run
from loyalty.fulfillment.runs import run_of, run_pk
from loyalty.ledger.keys import HOUSEHOLD_SK, partition
from loyalty.members.erasure import Erasure
from loyalty.members.erasure_items import ERASURE_SK, erasure_of, erasure_put
from loyalty.members.items import LookupItem, MemberItem, codes_of, lookup_key, lookup_partition
from loyalty.members.keys import KEY_SK
from loyalty.privacy.consent_items import CONSENTS_SK, KEY_PREFIX, PREFERENCES_SK
from loyalty.privacy.export_store import EXPORT_PREFIX
from loyalty.programs.rewards import RewardType
from loyalty.rewards.model import RedemptionStatus
from loyalty.rewards.store import RedemptionItem, redemption_of
from loyalty.segments.items import SEGMENTS_SK
from loyalty.vault.store import CARD_SK, card_pk
from loyalty_contract import MEMBER_SK, REDEMPTION_PREFIX, REFERRAL_SK, RISK_SK, RUN_SK, SHARE_PREFIX

NOBODY: Final = "-"
"""In the place of what a stub must have and may not say."""
_AT_ONCE: Final = 25
_GOES: Final = frozenset({SEGMENTS_SK, CONSENTS_SK, PREFERENCES_SK, RISK_SK})
_GO: Final = (KEY_PREFIX, EXPORT_PREFIX, SHARE_PREFIX)
"""Sort keys, and what they begin with, of all that is simply deleted."""
_ALIKE: Final = frozenset({"likenesses", "likenesses_before", "email_stem", "flags"})
"""Attributes of a member, and of the referral by which they came, that say what they were like."""


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

    def unsettled_run(self, program: str, member_id: str) -> Run | None:
        """A fulfilment run of this very member that goes on, whatever became of the points: one read for each gift card."""
        cards = (
            raw["sk"]["S"].removeprefix(REDEMPTION_PREFIX)
            for raw in self._items(program, member_id, REDEMPTION_PREFIX)
            if raw["reward_type"]["S"] == RewardType.GIFT_CARD
        )
        while some := list(islice(cards, MOST_READS)):
            for raw in self._table.get_many([(run_pk(program, one), RUN_SK) for one in some]).values():
                run = run_of(raw)
                if not run.settled:
                    return run
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
        self._write(self._unmarked(program, member_id))

    def _unmarked(self, program: str, member_id: str) -> Iterator[Update]:
        """Takes from referrals what was the member's: by what they were like others, and their code in those of their friends.

        What is done already is not done again, so that who brought a million is erased in as many runs as it takes.
        """
        own = self._table.read(partition(program, member_id), REFERRAL_SK)
        if own is not None and {"likenesses", "flags"} & own.keys():
            yield _changed(own, ReferralItem.likenesses.remove(), ReferralItem.flags.remove())
        friends = ReferralStore(self._table).friends(program, member_id)
        while some := [(partition(program, one), REFERRAL_SK) for one in islice(friends, MOST_READS)]:
            for raw in self._table.get_many(some).values():
                if raw["code"]["S"] != NOBODY:
                    yield _changed(raw, ReferralItem.code.set(NOBODY))

    def left(self, program: str, member_id: str) -> list[str]:
        """Sort keys of what should be gone and is there, in the member's partition."""
        found = []
        for raw in self._table.query_all(partition(program, member_id)):
            sk = raw["sk"]["S"]
            alike = sk in {MEMBER_SK, REFERRAL_SK} and _ALIKE & raw.keys()
            personal = alike or (sk == MEMBER_SK and ("pii" in raw or raw.get("lookups", {}).get("M")))
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
            MemberItem.likenesses.remove(),
            MemberItem.likenesses_before.remove(),
            MemberItem.email_stem.remove(),
            MemberItem.flags.remove(),
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


def _changed(raw: RawItem, *actions: Action) -> Update:
    """Changes a referral as it was read: whoever writes it at the same time must read it again, or would write it all back."""
    item = ReferralItem.from_raw_data(raw)
    next_one = ReferralItem.revision.set(item.revision + 1)
    return Update(ReferralItem, item.pk, item.sk, [*actions, next_one], ReferralItem.revision == item.revision)


def _is_elses(operation: Operation, held: dict[tuple[str, str], RawItem], owners: Sequence[str]) -> bool:
    """Whether it would delete a lookup that leads to somebody else by now."""
    owner = held.get(operation.key, {}).get("member_id", {}).get("S")
    return isinstance(operation, Delete) and owner is not None and owner not in owners
