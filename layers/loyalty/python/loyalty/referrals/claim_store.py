"""What a claim reads and writes, and what members are shown of referrals. Speaks DynamoDB for them, beside ``store``.

::

    M#{program}#{member}          MEMBER, WALLET, REFERRAL    who claims
    U#{program}#{code}            LOOKUP                      the code, as somebody has it
    N#{program}#{referrer}#{nn}   FRIEND#…                    whom a member brought
"""

from dataclasses import dataclass

from loyalty.attribution.codes import GivenCode, code_digest
from loyalty.attribution.model import Referral
from loyalty.attribution.store import FRIEND_PREFIX, SHARDS, claim_puts, friends_partition, referral_of
from loyalty.core.errors import MemberErased, MemberNotFound
from loyalty.core.newest import newest_of
from loyalty.core.table import Check, Table
from loyalty.ledger.items import book_of
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Book
from loyalty.ledger.store import LedgerStore
from loyalty.members.items import LookupItem, MemberItem, StoredMember, given_code_of, lookup_key, member_of
from loyalty_contract import MEMBER_SK, REFERRAL_SK


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who names a code: their record, their book, the referral that they are of already, the code as somebody has it."""

    member: StoredMember
    book: Book
    referral: Referral | None
    given: GivenCode | None


class ClaimStore:
    """Reads and writes of claims."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._books = LedgerStore(table)

    def claimant(self, program: str, member_id: str, code: str) -> Claimant | None:
        """Who names a code (in its normal form), in one round trip; None: the program has no such member."""
        pk, by_code = partition(program, member_id), lookup_key(program, code_digest(code))
        found = self._table.get_many([(pk, MEMBER_SK), (pk, BOOK_SK), (pk, REFERRAL_SK), by_code])
        if (pk, MEMBER_SK) not in found:
            return None
        referral, lookup = found.get((pk, REFERRAL_SK)), found.get(by_code)
        return Claimant(
            member_of(found[pk, MEMBER_SK]),
            book_of(found[pk, BOOK_SK]),
            None if referral is None else referral_of(referral),
            None if lookup is None else given_code_of(code, LookupItem.from_raw_data(lookup)),
        )

    def create(self, member: StoredMember, referral: Referral) -> None:
        """Writes the referral of a member as they were read: neither merged, erased nor changed since.

        Raises:
            TransactionRefused: they were, or there is a referral of them; read again.
        """
        as_read = MemberItem.version == member.version
        check = Check(MemberItem, partition(member.program, member.member_id), MEMBER_SK, as_read)
        self._table.write([check, *claim_puts(referral).values()])

    def own(self, program: str, member_id: str) -> Referral | None:
        """The referral of that very member, whoever they were merged into; None: nobody brought them. One round trip.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
        """
        pk = partition(program, member_id)
        found = self._table.get_many([(pk, MEMBER_SK), (pk, REFERRAL_SK)])
        if (pk, MEMBER_SK) not in found:
            raise MemberNotFound.of(program, member_id)
        # Of the profile and not of the book: whoever they were merged into may have been erased, and they with them.
        if member_of(found[pk, MEMBER_SK]).erased_at is not None:
            raise MemberErased.of(member_id)
        raw = found.get((pk, REFERRAL_SK))
        return None if raw is None else referral_of(raw)

    def brought(
        self, program: str, member_id: str, *, limit: int, before: str | None
    ) -> tuple[list[Referral], str | None]:
        """A page of those whom a member and whoever they absorbed brought, the newest first, and where the next one begins.

        Three round trips, of which the second are 16 queries side by side for each whom they are: whoever brought a million
        is read as fast as who brought three.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
        """
        book = self._books.current(program, member_id)
        if book is None:
            raise MemberNotFound.of(program, member_id)
        shards = [
            friends_partition(program, one, shard)
            for one in (book.member_id, *book.absorbed)
            for shard in range(SHARDS)
        ]
        raws, before = newest_of(self._table, shards, prefix=FRIEND_PREFIX, limit=limit, before=before)
        keys = [(partition(program, raw["member_id"]["S"]), REFERRAL_SK) for raw in raws]
        found = self._table.get_many(keys)
        # Both are written in one transaction, and neither is ever deleted.
        return [referral_of(found[key]) for key in keys], before
