"""Referral codes in the table. They are lookups of members (``members.store``), and this speaks DynamoDB for what is theirs alone.

::

    U#{program}#referral#{code}   LOOKUP   whose a code is, how it is written, since when; ``uses`` once its owner brought as many as they may
    M#{program}#{member}          MEMBER   ``referral_code``, which they show, and ``earlier_codes``
"""

from collections.abc import Collection

from loyalty.attribution.codes import GivenCode, code_digest
from loyalty.core.clock import to_text
from loyalty.core.table import Operation, Table, Update
from loyalty.ledger.keys import partition
from loyalty.members.items import (
    REFERRAL_CODE,
    LookupItem,
    MemberItem,
    StoredMember,
    code_put,
    given_code_of,
    lookup_delete,
    lookup_key,
)
from loyalty.members.store import MEMBER, lookups_of, written
from loyalty_contract import MEMBER_SK


class CodeStore:
    """Reads and writes of codes."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def given_code(self, program: str, code: str, *digests: str) -> tuple[GivenCode | None, dict[str, str]]:
        """A code in its normal form as somebody has it, and the owners of other digests; one round trip."""
        by_code = code_digest(code)
        found = lookups_of(self._table, program, by_code, *digests)
        item = found.pop(by_code, None)
        given = None if item is None else given_code_of(code, item)
        return given, {digest: one.member_id for digest, one in found.items()}

    def given_codes(self, program: str, codes: Collection[str]) -> dict[str, GivenCode]:
        """Those of these codes that somebody has, as they have them; one round trip."""
        found = lookups_of(self._table, program, *map(code_digest, codes))
        return {code: given_code_of(code, found[code_digest(code)]) for code in codes if code_digest(code) in found}

    def change(
        self, before: StoredMember, after: StoredMember, *, new: str | None = None, uses: int | None = None
    ) -> dict[str, str | None]:
        """Writes which codes a member has, and no more of them: ``new`` is given now, those that are gone lead nowhere.

        ``uses`` is what the member's other codes are marked with, if they are: a new one brings no more than they.

        Returns:
            Nothing where it was written; else what stood in the way: ``member`` where ``before`` is no longer the current version,
            ``referral_code`` → who has the new code.

        Raises:
            TransactionRefused: another transaction held one of the items; the same call may be made again.
        """
        pk, earlier = partition(after.program, after.member_id), MemberItem.earlier_codes
        actions = [
            MemberItem.version.set(after.version),
            MemberItem.updated_at.set(to_text(after.updated_at)),
            MemberItem.referral_code.set(after.referral_code),
            earlier.set(set(after.earlier_codes)) if after.earlier_codes else earlier.remove(),
        ]
        operations: dict[str, Operation] = {
            MEMBER: Update(MemberItem, pk, MEMBER_SK, actions, MemberItem.version == before.version),
            **{f"old {code}": lookup_delete(before, code_digest(code)) for code in before.codes - after.codes},
        }
        if new is not None:
            operations[REFERRAL_CODE] = code_put(after.program, after.member_id, new, after.updated_at, uses=uses)
        return written(self._table, operations)

    def exhaust(self, program: str, code: str, uses: int) -> bool:
        """Writes down that a code's owner brought ``uses``, as many as they may; whether the code is there and had no higher number."""
        fewer = LookupItem.uses.does_not_exist() | (LookupItem.uses < uses)
        there = LookupItem.pk.exists() & fewer
        key = lookup_key(program, code_digest(code))
        return not written(self._table, {"uses": Update(LookupItem, *key, [LookupItem.uses.set(uses)], there)})
