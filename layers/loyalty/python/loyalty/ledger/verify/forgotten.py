"""Referrals of which something is still to be done, and that nobody will look at again.

What is open is due at some moment, or waits in a list for a person. What was rewarded is woken by the event that its purchase
was given back: of that nothing is due, so that an event which never came is found here, once it would have come for long.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from loyalty.core.table import Table
from loyalty.ledger.keys import REVERSED_PREFIX, parse_entry_id, partition
from loyalty.ledger.verify.kept import Brought, Reversed
from loyalty.ledger.verify.read import Partition, read
from loyalty.ledger.verify.report import Finding
from loyalty_contract import REFERRAL_SK

TOLD_WITHIN: Final = timedelta(days=1)
"""So long an event that something was given back may take."""


class Forgotten:
    """Referrals that look so when their partition is read."""

    def __init__(self, now: datetime) -> None:
        """``now``: what was given back since a day before may be on its way."""
        self._now = now
        self._found: list[tuple[str, str]] = []

    def add(self, one: Partition) -> None:
        """Takes what a member's own referral says."""
        if any(said.asleep or _is_back(one, said) for _, said in one.of(Brought)):
            self._found.append((one.program, one.member_id))

    def findings(self, table: Table) -> Iterator[Finding]:
        """Those that still do, read again."""
        for program, member_id in self._found:
            pk = partition(program, member_id)
            one = read(pk, table.query_all(pk))
            for _, said in one.of(Brought):
                if said.asleep:
                    detail = "something is to be done of it, and it is neither due nor waits for a person"
                    yield Finding(program, member_id, "referral_forgotten", REFERRAL_SK, detail)
                elif _is_back(one, said) and _given_back_at(table, one, said.qualified_by) < self._now - TOLD_WITHIN:
                    detail = (
                        f"what both were rewarded for, {said.qualified_by}, was given back, and they kept the rewards"
                    )
                    yield Finding(program, member_id, "referral_reward_kept", REFERRAL_SK, detail)


def _is_back(one: Partition, said: Brought) -> bool:
    """Whether it is rewarded for something of which nothing is left."""
    if not said.rewarded or said.back or not said.qualified_by:
        return False
    key = parse_entry_id(said.qualified_by)
    record = one.records.get(f"{REVERSED_PREFIX}{key.source}#{key.source_id}")
    return isinstance(record, Reversed) and record.whole


def _given_back_at(table: Table, one: Partition, entry_id: str) -> datetime:
    """When the last of an accrual was given back, in the member's book or in that of whom they were merged into."""
    moments = [entry.posted_at for entry in one.entries if entry.facts.reverses == entry_id]
    while one.book is not None and one.book.merged_into is not None:
        pk = partition(one.program, one.book.merged_into)
        one = read(pk, table.query_all(pk))
        moments += [entry.posted_at for entry in one.entries if entry.facts.reverses == entry_id]
    return max(moments)
