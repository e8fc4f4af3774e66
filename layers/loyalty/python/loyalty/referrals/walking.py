"""Walks over a program's referrals by when they were claimed: for reports, never for a request that has to be quick.

Sixteen partitions of the due index, one after the other, and 100 referrals in a read. Memory is one page.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from loyalty.attribution.model import Referral
from loyalty.attribution.store import SHARDS, program_shard, referral_of
from loyalty.core.clock import to_text
from loyalty.core.listing import Key
from loyalty.core.table import MOST_READS, Table
from loyalty.ledger.keys import partition
from loyalty_contract import DUE_AT, REFERRAL_SK

PAGE: Final = MOST_READS


def claimed_between(table: Table, program: str, since: datetime, until: datetime) -> Iterator[Referral]:
    """Referrals claimed from ``since`` on and before ``until`` (UTC), each as it is now; shard by shard, in each by time.

    Eventually consistent: one that was claimed a moment ago may be missing.

    Raises:
        Unavailable: the table was too busy to answer.
    """
    for shard in range(SHARDS):
        for keys in _pages(table, program, program_shard(program, shard), to_text(since), to_text(until)):
            found = table.get_many(keys)
            yield from (referral_of(found[key]) for key in keys if key in found)


def _pages(table: Table, program: str, shard: str, after: str, until: str) -> Iterator[list[Key]]:
    """Keys of referrals, a page at a time. What is claimed at a moment sorts behind the moment alone."""
    while True:
        page = table.sorted_page(shard, after=after, limit=PAGE)
        claims = [raw[DUE_AT]["S"] for raw in page.items]
        within = [one for one in claims if one < until]
        yield [(partition(program, one.split("#", 1)[1]), REFERRAL_SK) for one in within]
        if page.last_key is None or len(within) < len(claims):
            return
        after = claims[-1]
