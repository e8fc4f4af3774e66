"""What is stored of members: items, and what is made of them.

::

    M#{program}#{member}   MEMBER    profile as ciphertext, hashes of its lookups, referral code, version
    M#{program}#{member}   KEY       the member's data key, wrapped: see ``members.keys``
    U#{program}#{digest}   LOOKUP    the one member who has this e-mail, phone, platform's customer id or code; of a code, since when
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.attribution.codes import GivenCode, code_digest
from loyalty.attribution.likenesses import EMAIL_STEM
from loyalty.core.attributes import MomentAttribute, TextSetAttribute
from loyalty.core.clock import from_text, to_text
from loyalty.core.pii import Ciphertext, Sealed
from loyalty.core.table import (
    Delete,
    IntegerAttribute,
    IntegerMapAttribute,
    Item,
    Put,
    RawItem,
    TextMapAttribute,
)
from loyalty.ledger.keys import parse_partition, partition
from loyalty_contract import MEMBER_SK

LOOKUP_SK: Final = "LOOKUP"
REFERRAL_CODE: Final = "referral_code"
"""The kind of lookup that a member's own referral code is."""


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
    hashes as well, see :mod:`loyalty.attribution.likenesses`; ``flags`` are what is known of the e-mail address and is no hash.
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


def lookup_key(program: str, digest: str) -> tuple[str, str]:
    """Partition and sort key of a lookup."""
    return lookup_partition(program, digest), LOOKUP_SK


def lookup_partition(program: str, digest: str) -> str:
    """The partition of a digest: its lookup, and what is kept until somebody has it."""
    return f"U#{program}#{digest}"


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


def owner_of(raw: RawItem | None) -> str | None:
    """Who has a lookup, as it is stored; None: nobody."""
    return raw.get("member_id", {}).get("S") if raw else None


def lookup_put(member: StoredMember, digest: str) -> Put:
    """Has a digest lead to a member, unless it leads to somebody else."""
    item = LookupItem(*lookup_key(member.program, digest), member_id=member.member_id)
    return Put(item, _free_for(member.member_id))


def _free_for(member_id: str) -> Condition:
    # Their own it is already where they have absorbed the member who had it.
    free: Condition = LookupItem.pk.does_not_exist() | (LookupItem.member_id == member_id)
    return free


def lookup_delete(member: StoredMember, digest: str) -> Delete:
    """Takes from a member what leads to them, if it still does."""
    return Delete(LookupItem, *lookup_key(member.program, digest), LookupItem.member_id == member.member_id)


def item_of(member: StoredMember) -> MemberItem:
    """The item as which a member is stored."""
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
