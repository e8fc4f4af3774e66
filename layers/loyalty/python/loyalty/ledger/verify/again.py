"""Whether a survivor posted again what somebody had posted who was merged into it."""

from loyalty.ledger.model import EntryKey, EntryKind
from loyalty.ledger.verify.family import Family
from loyalty.ledger.verify.replay import settles
from loyalty.ledger.verify.report import Problem, Problems


def check_again(family: Family) -> Problems:
    """Entries after a merge whose identity an absorbed member has too; what falls due by itself may do so in each."""
    if len(family.partitions) == 1:
        return
    posted: dict[EntryKey, set[str]] = {}
    for one in family.partitions:
        for entry in one.entries:
            posted.setdefault(entry.key, set()).add(one.member_id)
    for one in family.partitions:
        absorbed: set[str] = set()
        for entry in one.entries:
            if entry.key.kind is EntryKind.MERGE_IN:
                absorbed |= set(entry.movement.absorbed)
            elif not settles(entry) and (others := posted[entry.key] & absorbed):
                yield Problem(
                    "posted_again_after_merge",
                    entry.entry_id,
                    f"{', '.join(sorted(others))} posted it before",
                    one.member_id,
                )
