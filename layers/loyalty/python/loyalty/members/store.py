"""Members and their lookups in the table. The only place that speaks DynamoDB for members.

::

    M#{program}#{member}   MEMBER    profile as ciphertext, hashes of its lookups, referral code, version
    M#{program}#{member}   KEY       the member's data key, wrapped: see ``members.keys``
    U#{program}#{digest}   LOOKUP    the one member who has this e-mail, phone, platform's customer id or code; of a code, since when
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.core.attributes import MomentAttribute, TextSetAttribute
from loyalty.core.clock import from_text, to_text
from loyalty.core.pii import Ciphertext, Sealed
from loyalty.core.table import (
    Delete,
    IntegerAttribute,
    IntegerMapAttribute,
    Item,
    Operation,
    Put,
    RawItem,
    Table,
    TextMapAttribute,
    TransactionRefused,
)
from loyalty.ledger.items import book_of, new_book_put
from loyalty.ledger.keys import BOOK_SK, parse_partition, partition
from loyalty.ledger.model import Book
from loyalty.members.keys import KEY_SK, MemberKey, key_of, new_key_put, rewrapped_put
from loyalty.referrals.clicks import click_key, click_of
from loyalty.referrals.codes import GivenCode, code_digest
from loyalty.referrals.likenesses import EMAIL_STEM
from loyalty.referrals.links import Click
from loyalty.referrals.model import Referral
from loyalty.referrals.store import claim_puts
from loyalty_contract import MEMBER_SK

LOOKUP_SK: Final = "LOOKUP"
REFERRAL_CODE: Final = "referral_code"
"""The kind of lookup that a member's own referral code is."""
MEMBER: Final = "member"
KEY: Final = "key"


class MemberItem(Item):
    """A member; nothing personal stands here in the clear. ``pii_key`` is of records from before members had keys.

    ``likenesses`` are the keyed hashes of what the member may share with others, by kind, but for ``email_stem``: too many have
    the same to be remembered by it. ``likenesses_before`` are those of addresses and phones that they had, by version and kind: an
    erasure takes them out of what is remembered too. Who was erased has none of these, no ``pii``, and no lookups.
    """

    version = IntegerAttribute()
    referral_code = UnicodeAttribute()
    earlier_codes = TextSetAttribute(null=True)
    entry_tier = UnicodeAttribute()
    referred_by = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    request_hash = UnicodeAttribute()
    lookups = TextMapAttribute()
    likenesses = TextMapAttribute(null=True)
    likenesses_before = TextMapAttribute(null=True)
    email_stem = UnicodeAttribute(null=True)
    flags = IntegerMapAttribute(null=True)
    pii_key = BinaryAttribute(legacy_encoding=False, null=True)
    pii_nonce = BinaryAttribute(legacy_encoding=False, null=True)
    pii = BinaryAttribute(legacy_encoding=False, null=True)
    merged_into = UnicodeAttribute(null=True)
    erased_at = UnicodeAttribute(null=True)


class LookupItem(Item):
    """Makes its digest unique within the program, and leads to the member.

    That of a referral code says what the code is and since when; ``uses`` is how many its owner had brought when their codes
    were marked as exhausted. Codes from before have none of these.
    """

    member_id = UnicodeAttribute()
    code = UnicodeAttribute(null=True)
    created_at = MomentAttribute(null=True)
    uses = IntegerAttribute(null=True)


@dataclass(frozen=True, slots=True)
class StoredMember:
    """A member as the table holds them: ``lookups`` maps kinds to keyed hashes, ``sealed`` is the profile.

    ``entry_tier`` is the tier on the day of enrollment, ``request_hash`` the keyed hash of that request;
    ``merged_into`` names the member who has everything now that this one had. ``sealed`` is a :class:`Sealed` with a key
    of its own where it was written before members had keys, and has not been since. ``likenesses`` maps kinds to keyed
    hashes as well, see :mod:`loyalty.referrals.likenesses`; ``flags`` are what is known of the e-mail address and is no hash.
    """

    program: str
    member_id: str
    version: int
    referral_code: str
    entry_tier: str
    referred_by: str | None
    created_at: datetime
    updated_at: datetime
    request_hash: str
    lookups: Mapping[str, str]
    sealed: Ciphertext | Sealed
    merged_into: str | None = None
    erased_at: datetime | None = None
    likenesses: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)
    likenesses_before: Mapping[str, str] = field(default_factory=dict)
    """Version and kind (``000002#phone``) → the likeness that they had up to that version."""
    earlier_codes: frozenset[str] = frozenset()
    """Codes that they showed before, and that lead to them still."""

    @property
    def codes(self) -> frozenset[str]:
        """All codes that lead to them."""
        return self.earlier_codes | {self.referral_code}


@dataclass(frozen=True, slots=True)
class Trail:
    """What an enrollment finds of what was sent with it: the code as somebody has it, links, whose the e-mail address is."""

    given: GivenCode | None
    clicks: Sequence[Click]
    email_owner: str | None


@dataclass(frozen=True, slots=True)
class FoundMember:
    """A member, their book as it was last written, and their data key: None where it is gone, or they never had one."""

    member: StoredMember
    book: Book
    key: MemberKey | None


def lookup_key(program: str, digest: str) -> tuple[str, str]:
    """Partition and sort key of a lookup."""
    return lookup_partition(program, digest), LOOKUP_SK


def lookup_partition(program: str, digest: str) -> str:
    """The partition of a digest: its lookup, and what is kept until somebody has it."""
    return f"U#{program}#{digest}"


class MemberStore:
    """Reads and writes members; every write is one transaction with its lookups."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, program: str, member_id: str) -> StoredMember | None:
        """The member, or None."""
        raw = self._table.read(partition(program, member_id), MEMBER_SK)
        return None if raw is None else member_of(raw)

    def find(self, program: str, member_id: str) -> FoundMember | None:
        """The member with book and key, in one round trip; None where there is no such member."""
        pk = partition(program, member_id)
        found = self._table.get_many([(pk, MEMBER_SK), (pk, BOOK_SK), (pk, KEY_SK)])
        if (pk, MEMBER_SK) not in found:
            return None
        return FoundMember(
            member_of(found[pk, MEMBER_SK]), book_of(found[pk, BOOK_SK]), key_of(found.get((pk, KEY_SK)))
        )

    def owners(self, program: str, *digests: str) -> dict[str, str]:
        """Digest → member id, for those that somebody has; one round trip."""
        return {digest: item.member_id for digest, item in lookups_of(self._table, program, *digests).items()}

    def trail(self, program: str, *, code: str | None, clicks: Sequence[str], email: str) -> Trail:
        """A code in its normal form, links by their ids, the owner of an e-mail address by its digest; one round trip."""
        by_code, by_email = lookup_key(program, code_digest(code or "")), lookup_key(program, email)
        found = self._table.get_many(
            [*([by_code] if code else []), by_email, *(click_key(program, one) for one in clicks)]
        )
        raw, owner = found.pop(by_code, None), found.pop(by_email, None)
        given = None if raw is None else given_code_of(code or "", LookupItem.from_raw_data(raw))
        return Trail(given, [click_of(one) for one in found.values()], _owner(owner))

    def create(
        self, member: StoredMember, key: MemberKey, *, referral: Referral | None = None
    ) -> dict[str, str | None]:
        """Writes a new member, their key, wallet and lookups, and where they came by a code, their referral.

        That the code is still its owner's is not checked: all who come by it at once would wait for each other.

        Returns:
            Nothing where it was written; else what stood in the way: kind of lookup → its owner's member id.

        Raises:
            TransactionRefused: another transaction held one of the items; the same call may be made again.
        """
        operations: dict[str, Operation] = {
            MEMBER: Put(_item_of(member), MemberItem.pk.does_not_exist()),
            KEY: new_key_put(member.program, member.member_id, key),
            "wallet": new_book_put(member.program, member.member_id, member.entry_tier, member.created_at),
            **{kind: _lookup_put(member, digest) for kind, digest in member.lookups.items()},
            REFERRAL_CODE: code_put(member.program, member.member_id, member.referral_code, member.created_at),
        }
        if referral is not None:
            operations |= claim_puts(referral)
        return written(self._table, operations)

    def replace(
        self, before: StoredMember, after: StoredMember, *, new_key: MemberKey | None = None
    ) -> dict[str, str | None]:
        """Writes the next version of a member, with ``new_key`` where they had none, and moves the lookups that changed.

        Returns and raises like :meth:`create`; ``member`` → None where ``before`` is no longer the current version.
        """
        gone = {kind: digest for kind, digest in before.lookups.items() if after.lookups.get(kind) != digest}
        new = {kind: digest for kind, digest in after.lookups.items() if before.lookups.get(kind) != digest}
        return written(
            self._table,
            {
                MEMBER: Put(_item_of(after), MemberItem.version == before.version),
                **({KEY: new_key_put(after.program, after.member_id, new_key)} if new_key else {}),
                **{f"old {kind}": lookup_delete(before, digest) for kind, digest in gone.items()},
                **{kind: _lookup_put(after, digest) for kind, digest in new.items()},
            },
        )

    def rewrap(self, found: FoundMember, key: MemberKey, sealed: Ciphertext | None) -> bool:
        """Writes a member's key as it is wrapped now, and the profile under it where it is given: no new version of it.

        Returns:
            False where one of them was changed since it was found, or the key was deleted; nothing is written then.

        Raises:
            TransactionRefused: another transaction held one of the items; the same call may be made again.
        """
        member = found.member
        operations: dict[str, Operation] = {}
        if found.key is None:
            operations[KEY] = new_key_put(member.program, member.member_id, key)
        elif key != found.key:
            operations[KEY] = rewrapped_put(member.program, member.member_id, found.key, key)
        if sealed is not None:
            same = (MemberItem.version == member.version) & MemberItem.pii_key.exists()
            operations[MEMBER] = Put(_item_of(replace(member, sealed=sealed)), same)
        return not written(self._table, operations)


def lookups_of(table: Table, program: str, *digests: str) -> dict[str, LookupItem]:
    """Digest → lookup, of those that lead to somebody; one round trip."""
    keys = {lookup_key(program, digest): digest for digest in digests}
    return {keys[key]: LookupItem.from_raw_data(raw) for key, raw in table.get_many(list(keys)).items()}


def written(table: Table, operations: Mapping[str, Operation]) -> dict[str, str | None]:
    """Writes all or nothing; by its name what stood in the way, and whose it is.

    Raises:
        TransactionRefused: another transaction held one of the items; the same call may be made again.
    """
    names = list(operations)
    try:
        table.write(list(operations.values()))
    except TransactionRefused as refusal:
        if not refusal.failed:
            raise
        return {names[place]: _owner(raw) for place, raw in refusal.failed.items()}
    return {}


def code_put(program: str, member_id: str, code: str, now: datetime, *, uses: int | None = None) -> Put:
    """Gives a member a code at ``now`` (UTC), unless somebody has it. ``uses``: how many they are known to have brought by others."""
    item = LookupItem(
        *lookup_key(program, code_digest(code)), member_id=member_id, code=code, created_at=now, uses=uses
    )
    return Put(item, _free_for(member_id))


def given_code_of(code: str, item: LookupItem) -> GivenCode:
    """The code that a lookup is of, as it was given; ``code`` is as it was typed, in its normal form."""
    return GivenCode(item.code or code, item.member_id, item.created_at, item.uses)


def codes_of(item: MemberItem) -> set[str]:
    """All codes that lead to a member, as it is stored."""
    return {item.referral_code, *(item.earlier_codes or ())}


def _owner(raw: RawItem | None) -> str | None:
    return raw.get("member_id", {}).get("S") if raw else None


def _lookup_put(member: StoredMember, digest: str) -> Put:
    item = LookupItem(*lookup_key(member.program, digest), member_id=member.member_id)
    return Put(item, _free_for(member.member_id))


def _free_for(member_id: str) -> Condition:
    # Their own it is already where they have absorbed the member who had it.
    free: Condition = LookupItem.pk.does_not_exist() | (LookupItem.member_id == member_id)
    return free


def lookup_delete(member: StoredMember, digest: str) -> Delete:
    """Takes from a member what leads to them, if it still does."""
    return Delete(LookupItem, *lookup_key(member.program, digest), LookupItem.member_id == member.member_id)


def _item_of(member: StoredMember) -> MemberItem:
    return MemberItem(
        partition(member.program, member.member_id),
        MEMBER_SK,
        version=member.version,
        referral_code=member.referral_code,
        earlier_codes=member.earlier_codes or None,
        entry_tier=member.entry_tier,
        referred_by=member.referred_by,
        created_at=to_text(member.created_at),
        updated_at=to_text(member.updated_at),
        request_hash=member.request_hash,
        lookups=dict(member.lookups),
        likenesses={kind: digest for kind, digest in member.likenesses.items() if kind != EMAIL_STEM} or None,
        likenesses_before=dict(member.likenesses_before) or None,
        email_stem=member.likenesses.get(EMAIL_STEM),
        flags=dict(member.flags) or None,
        pii_key=member.sealed.key if isinstance(member.sealed, Sealed) else None,
        pii_nonce=member.sealed.nonce,
        pii=member.sealed.ciphertext,
        merged_into=member.merged_into,
    )


def member_of(raw: RawItem) -> StoredMember:
    """The member that a stored item holds."""
    item = MemberItem.from_raw_data(raw)
    program, member_id = parse_partition(item.pk)
    return StoredMember(
        program=program,
        member_id=member_id,
        version=item.version,
        referral_code=item.referral_code,
        entry_tier=item.entry_tier,
        referred_by=item.referred_by,
        created_at=from_text(item.created_at),
        updated_at=from_text(item.updated_at),
        request_hash=item.request_hash,
        lookups=item.lookups,
        sealed=_sealed_of(item),
        merged_into=item.merged_into,
        erased_at=from_text(item.erased_at) if item.erased_at else None,
        likenesses=(item.likenesses or {}) | ({EMAIL_STEM: item.email_stem} if item.email_stem else {}),
        flags=item.flags or {},
        likenesses_before=item.likenesses_before or {},
        earlier_codes=frozenset(item.earlier_codes or ()),
    )


def _sealed_of(item: MemberItem) -> Ciphertext | Sealed:
    if item.pii_key is None:
        return Ciphertext(item.pii_nonce or b"", item.pii or b"")  # nothing opens what was erased
    return Sealed(item.pii_key, item.pii_nonce, item.pii)
