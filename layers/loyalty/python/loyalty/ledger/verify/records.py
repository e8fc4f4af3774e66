"""Whether what is kept beside the entries agrees with them: expired points, waiting reversals, adjustments."""

from collections.abc import Iterator

from loyalty.core.four_eyes import same_hands
from loyalty.ledger.keys import ADJUSTMENT_PREFIX, AWAITED_PREFIX, BOOK_SK, LAPSED_PREFIX, WAITING_PREFIX
from loyalty.ledger.model import Account, Entry, EntryKey, EntryKind
from loyalty.ledger.verify.family import Family
from loyalty.ledger.verify.kept import Adjusted, Awaited, Lapsed, Waiting
from loyalty.ledger.verify.report import Problem, Problems
from loyalty.ledger.verify.reversals import expired_points
from loyalty.ledger.verify.sums import added

_MOST_AWAITED = 20
"""Reversals that may wait for one accrual."""


def check_lapses(family: Family) -> Problems:
    """What reversals took of expired points: as much as their records say, and of no lot more than had expired."""
    expired = {
        (entry.member_id, entry.key.source, entry.key.source_id): _expired(entry)
        for entry in family.entries(EntryKind.EXPIRY)
    }
    said = []
    for member_id, sk, record in family.records(Lapsed):
        wallet_id, _, lot = sk.removeprefix(LAPSED_PREFIX).partition("#")
        said.append({wallet_id: record.points})
        gone = expired.get((member_id, wallet_id, lot), 0)
        if not 0 < record.points <= gone:
            detail = f"{gone} points of lot {lot} expired, {record.points} were taken of them"
            yield Problem("lapsed_over_expired", sk, detail, member_id)
    taken = added(expired_points(entry) for entry in family.entries(EntryKind.REVERSAL))
    totals = added(said)
    for wallet_id in sorted(taken.keys() | totals.keys()):
        if taken.get(wallet_id, 0) != totals.get(wallet_id, 0):
            detail = f"reversals took {taken.get(wallet_id, 0)} expired points, it says {totals.get(wallet_id, 0)}"
            member_id = family.partitions[0].member_id
            yield Problem("lapsed_record_wrong", f"{LAPSED_PREFIX}{wallet_id}", detail, member_id)


def _expired(entry: Entry) -> int:
    return entry.movement.change(entry.key.source).postings.get(Account.EXPIRED, 0)


def check_waiting(family: Family) -> Problems:
    """What waits is on its accrual's list and on no other, and neither it nor the accrual was posted."""
    posted = {entry.key for entry in family.entries(EntryKind.ACCRUAL, EntryKind.REVERSAL)}
    waiting = {(member_id, sk): record for member_id, sk, record in family.records(Waiting)}
    listed = dict(_listed(family))
    for (member_id, sk), accrual in listed.items():
        record = waiting.get((member_id, sk))
        if record is None or record.refused or record.accrual_source_id != accrual.source_id:
            yield Problem("awaited_without_waiting", sk, f"it is listed as waiting for {accrual.entry_id}", member_id)
    for (member_id, sk), record in waiting.items():
        source, _, source_id = sk.removeprefix(WAITING_PREFIX).partition("#")
        accrual = EntryKey(EntryKind.ACCRUAL, source, record.accrual_source_id)
        if record.refused:
            continue
        if (member_id, sk) not in listed:
            yield Problem("waiting_without_awaited", sk, f"{accrual.entry_id} would not find it", member_id)
        for key in (accrual, EntryKey(EntryKind.REVERSAL, source, source_id)):
            if key in posted:
                yield Problem("waiting_although_posted", sk, f"{key.entry_id} was posted", member_id)
    yield from _check_awaiting(family, sum(not record.refused for record in waiting.values()))
    for member_id, sk, awaited in family.records(Awaited):
        if len(awaited.refunds) > _MOST_AWAITED:
            yield Problem("awaited_too_many", sk, f"{len(awaited.refunds)} reversals wait", member_id)


def _check_awaiting(family: Family, waiting: int) -> Problems:
    """The book that is posted to says how many wait, or its accruals would not look for them; the others say none."""
    for one in family.partitions:
        if one.book is None:
            continue
        expected = 0 if one.book.merged_into else waiting
        if one.book.awaiting != expected:
            detail = f"{expected} reversals wait, it says {one.book.awaiting}"
            yield Problem("wallet_awaiting_wrong", BOOK_SK, detail, one.member_id)


def _listed(family: Family) -> Iterator[tuple[tuple[str, str], EntryKey]]:
    """Whose reversals wait, under which sort keys, for which accrual."""
    for member_id, sk, record in family.records(Awaited):
        source, _, source_id = sk.removeprefix(AWAITED_PREFIX).partition("#")
        for refund in record.refunds:
            yield (member_id, f"{WAITING_PREFIX}{source}#{refund}"), EntryKey(EntryKind.ACCRUAL, source, source_id)


def check_adjustments(family: Family) -> Problems:
    """Every adjustment has a record that says the same, and a proposed one was approved by somebody else."""
    entries = {(entry.member_id, entry.key.source_id): entry for entry in family.entries(EntryKind.ADJUSTMENT)}
    records = {
        sk.removeprefix(ADJUSTMENT_PREFIX): (member_id, sk, record)
        for member_id, sk, record in family.records(Adjusted)
    }
    for (_, adjustment_id), entry in entries.items():
        if adjustment_id not in records:
            yield Problem("adjustment_without_record", entry.entry_id, "nobody asked for it", entry.member_id)
    for adjustment_id, (member_id, sk, record) in records.items():
        posted = [entry for (_, name), entry in entries.items() if name == adjustment_id]
        if record.status != "posted" and posted:
            detail = f"{posted[0].entry_id} was posted, it says '{record.status}'"
            yield Problem("adjustment_wrong", sk, detail, member_id)
        elif record.status == "posted" and (record.posted_to, adjustment_id) not in entries:
            yield Problem(
                "adjustment_missing", sk, f"it was posted to nobody's book, not {record.posted_to}'s", member_id
            )
        elif posted and (problem := _difference(posted[0], record)) is not None:
            yield Problem("adjustment_wrong", sk, problem, member_id)
        if _by_one(record):
            yield Problem("adjustment_by_one_person", sk, "whoever asked for it decided on it", member_id)


def _by_one(record: Adjusted) -> bool:
    """People and clients have ids of their own kinds: each is compared with its like."""
    people = same_hands((record.actor,), (record.decided_by,))
    return people or same_hands((record.client_id,), (record.decided_through,))


def _difference(entry: Entry, record: Adjusted) -> str | None:
    moved = {name: -change.postings.get(Account.ADJUSTED, 0) for name, change in entry.movement.changes.items()}
    said = ({record.wallet: record.points}, record.reason, record.actor, record.decided_by)
    found = (moved, entry.facts.reason, entry.facts.actor, entry.facts.approved_by)
    return None if found == said else f"the entry says {found}, it says {said}"
