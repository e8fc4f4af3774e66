"""What a merge writes beside the two books: the absorbed member's profile and lookups; segments, consents, preferences and cases of both."""

from loyalty.abuse.model import joined as joined_cases
from loyalty.abuse.store import case_check, case_of, case_put
from loyalty.attribution.codes import code_digest
from loyalty.core.clock import to_text
from loyalty.core.table import Check, Delete, Operation, Put, RawItem, Update
from loyalty.ledger.draft import Situation
from loyalty.ledger.keys import partition
from loyalty.members.items import LookupItem, MemberItem, codes_of, lookup_key
from loyalty.privacy.consent_items import (
    CONSENTS_SK,
    PREFERENCES_SK,
    ConsentsItem,
    PreferencesItem,
    consents_of,
    consents_put,
    preferences_of,
    preferences_put,
    unchanged,
)
from loyalty.privacy.consents import joined_consents, joined_preferences
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


def consents_of_both(survivor: Situation, absorbed: Situation) -> list[Operation]:
    """Lets the later answer of the two count, purpose by purpose; the log of each stays. Both situations have the records."""
    program = survivor.book.program
    into, gone = (consents_of(one.book.member_id, one.records.get(CONSENTS_SK)) for one in (survivor, absorbed))
    as_read = unchanged(ConsentsItem, gone.version)
    pk = partition(program, gone.member_id)
    if not gone.version:  # nothing that is said at that moment is lost
        return [Check(ConsentsItem, pk, CONSENTS_SK, as_read)]
    return [Delete(ConsentsItem, pk, CONSENTS_SK, as_read), consents_put(program, into, joined_consents(into, gone))]


def preferences_of_both(survivor: Situation, absorbed: Situation) -> list[Operation]:
    """The same of channels. Both situations have the records."""
    program = survivor.book.program
    into, gone = (preferences_of(one.book.member_id, one.records.get(PREFERENCES_SK)) for one in (survivor, absorbed))
    as_read = unchanged(PreferencesItem, gone.version)
    pk = partition(program, gone.member_id)
    if not gone.version:
        return [Check(PreferencesItem, pk, PREFERENCES_SK, as_read)]
    together = joined_preferences(into, gone)
    return [Delete(PreferencesItem, pk, PREFERENCES_SK, as_read), preferences_put(program, into, together)]


def _moved(absorbed: Situation, digest: str, into: str) -> Update:
    # All else stays: a referral code is as old as it is.
    key, still_theirs = lookup_key(absorbed.book.program, digest), LookupItem.member_id == absorbed.book.member_id
    return Update(LookupItem, *key, [LookupItem.member_id.set(into)], still_theirs)
