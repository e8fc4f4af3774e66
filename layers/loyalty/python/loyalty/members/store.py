"""Members and their lookups in the table, as :mod:`loyalty.members.items` says what they are. The only place that speaks DynamoDB for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from loyalty.attribution.clicks import click_key, click_of
from loyalty.attribution.codes import GivenCode, code_digest
from loyalty.attribution.links import Click
from loyalty.attribution.model import Referral
from loyalty.attribution.store import claim_puts
from loyalty.core.pii import Ciphertext
from loyalty.core.table import (
    Operation,
    Put,
    Table,
    TransactionRefused,
)
from loyalty.ledger.items import book_of, new_book_put
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Book
from loyalty.members.items import (
    REFERRAL_CODE,
    LookupItem,
    MemberItem,
    StoredMember,
    code_put,
    given_code_of,
    item_of,
    lookup_delete,
    lookup_key,
    lookup_put,
    member_of,
    owner_of,
)
from loyalty.members.keys import KEY_SK, MemberKey, key_of, new_key_put, rewrapped_put
from loyalty_contract import MEMBER_SK

MEMBER: Final = "member"
KEY: Final = "key"


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
        return Trail(given, [click_of(one) for one in found.values()], owner_of(owner))

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
            MEMBER: Put(item_of(member), MemberItem.pk.does_not_exist()),
            KEY: new_key_put(member.program, member.member_id, key),
            "wallet": new_book_put(member.program, member.member_id, member.entry_tier, member.created_at),
            **{kind: lookup_put(member, digest) for kind, digest in member.lookups.items()},
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
                MEMBER: Put(item_of(after), MemberItem.version == before.version),
                **({KEY: new_key_put(after.program, after.member_id, new_key)} if new_key else {}),
                **{f"old {kind}": lookup_delete(before, digest) for kind, digest in gone.items()},
                **{kind: lookup_put(after, digest) for kind, digest in new.items()},
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
            operations[MEMBER] = Put(item_of(replace(member, sealed=sealed)), same)
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
        return {names[place]: owner_of(raw) for place, raw in refusal.failed.items()}
    return {}
