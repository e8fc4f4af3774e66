"""What a merge writes beside the two books: the absorbed member's profile and lookups, segments and cases of both."""

from loyalty.abuse.model import joined as joined_cases
from loyalty.abuse.store import case_check, case_of, case_put
from loyalty.core.clock import to_text
from loyalty.core.table import Operation, Put, RawItem, Update
from loyalty.ledger.draft import Situation
from loyalty.members.store import LookupItem, MemberItem, codes_of, lookup_key
from loyalty.referrals.codes import code_digest
from loyalty.segments.items import SEGMENTS_SK, joined, segments_of
from loyalty_contract import MEMBER_SK, RISK_SK


def handed_over(absorbed: Situation, into: str) -> list[Operation]:
    """Marks the absorbed member, and makes whatever it was found by lead to ``into``.

    ``absorbed`` has the record of its profile; a member without one has nothing that leads to it.
    """
    raw: RawItem | None = absorbed.records.get(MEMBER_SK)
    if raw is None:
        return []
    member = MemberItem.from_raw_data(raw)
    as_read = MemberItem.version == member.version
    member.version += 1
    member.updated_at = to_text(absorbed.now)
    member.merged_into = into
    digests = [*member.lookups.values(), *map(code_digest, sorted(codes_of(member)))]
    return [Put(member, as_read), *(_moved(absorbed, digest, into) for digest in digests)]


def segments_of_both(survivor: Situation, absorbed: Situation) -> list[Operation]:
    """Puts the survivor into what either of them is in. Both situations have the record of their segments."""
    into, gone = (segments_of(one.book.member_id, one.records.get(SEGMENTS_SK)) for one in (survivor, absorbed))
    return joined(survivor.book.program, into, gone, absorbed.now)


def cases_of_both(survivor: Situation, absorbed: Situation) -> list[Operation]:
    """Carries a live case of the absorbed member over to the survivor. Both situations have the record of their cases.

    Where there is none, it is made sure that there still is none: a flag may come at the same moment.
    """
    into, gone = (case_of(raw) if raw else None for raw in (one.records.get(RISK_SK) for one in (survivor, absorbed)))
    merged, closed = joined_cases(into, gone, survivor.book.member_id, survivor.now)
    if merged is None or closed is None:
        return [case_check(absorbed.book.program, absorbed.book.member_id, gone)]
    return [case_put(into, merged), case_put(gone, closed)]


def _moved(absorbed: Situation, digest: str, into: str) -> Update:
    # All else stays: a referral code is as old as it is.
    key, still_theirs = lookup_key(absorbed.book.program, digest), LookupItem.member_id == absorbed.book.member_id
    return Update(LookupItem, *key, [LookupItem.member_id.set(into)], still_theirs)
