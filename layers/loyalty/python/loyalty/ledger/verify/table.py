"""The proof of a whole table, in one pass over it."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Final

from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock, system_clock
from loyalty.core.table import RawItem, Table
from loyalty.ledger.keys import BOOK_SK, BUDGET_PREFIX, parse_partition, partition
from loyalty.ledger.model import Scope
from loyalty.ledger.stock import STOCK_PREFIX
from loyalty.ledger.verify.counts import Budgets
from loyalty.ledger.verify.family import Family
from loyalty.ledger.verify.forgotten import Forgotten
from loyalty.ledger.verify.member import audit_family, audit_partition, is_alone
from loyalty.ledger.verify.pairs import Pairs
from loyalty.ledger.verify.read import Partition, read
from loyalty.ledger.verify.referrals import Referrals
from loyalty.ledger.verify.report import Finding, Report, ScopesOf, scopes_unknown
from loyalty.ledger.verify.stock import Stocks
from loyalty_contract import ENTRY_PREFIX

_CONFIRMATIONS: Final = 10
_WAIT_SECONDS: Final = 0.01
_LONGEST_WAIT_SECONDS: Final = 0.5

_Audit = Callable[[list[Partition]], list[Finding]]


def audit_table(
    table: Table,
    *,
    scopes_of: ScopesOf = scopes_unknown,
    progress: Callable[[int], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Clock = system_clock,
) -> Report:
    """Audits every member in one pass over the table; ``progress`` is told the members read so far.

    A scan is no snapshot: what looks wrong is read again by itself, and counts only if it stays wrong. Where
    ``scopes_of`` knows a program, what falls due is proved to the moment; else to within the width of the world's zones.
    By the ``clock`` goes only what follows from an entry within a day.

    Members who were merged are read once more, at the end. Kept in memory are: one member, the ids of those who were
    merged, and one side of each transfer, merge, referral or membership whose other side was not read yet; of budgets and stock some numbers a shard.
    """
    audit = _TableAudit(table, cache(scopes_of), sleep, Forgotten(clock()))
    entries = 0
    for members, (pk, items) in enumerate(_members(table, audit), start=1):
        entries += sum(raw["sk"]["S"].startswith(ENTRY_PREFIX) for raw in items)
        audit.add(pk, items)
        progress(members)
    return Report(audit.members, entries, audit.findings())


def _members(table: Table, audit: "_TableAudit") -> Iterator[tuple[str, list[RawItem]]]:
    for pk, group in groupby(table.scan(), key=lambda raw: str(raw["pk"]["S"])):
        items = list(group)
        if pk.startswith("M#"):
            yield pk, items
        elif pk.startswith(BUDGET_PREFIX):
            audit.budgets.add_shard(pk, items)
        elif pk.startswith(STOCK_PREFIX):
            audit.stocks.add_items(pk, items)


class _TableAudit:
    def __init__(self, table: Table, scopes_of: ScopesOf, sleep: Callable[[float], None], forgotten: Forgotten) -> None:
        self.members = 0
        self._table = table
        self._scopes_of = scopes_of
        self._sleep = sleep
        self._pairs = Pairs()
        self._referrals = Referrals()
        self._forgotten = forgotten
        self.budgets = Budgets()
        self.stocks = Stocks()
        self._found: list[Finding] = []
        self._into: dict[str, str | None] = {}
        """Partitions of members who were merged or absorbed somebody: the partition of whom they were merged into."""

    def add(self, pk: str, items: list[RawItem]) -> None:
        self.members += 1
        one = read(pk, items)
        scopes = self._scopes_of(one.program)
        alone = is_alone(one)
        if one.book is not None and not alone:
            into = one.book.merged_into
            self._into[pk] = partition(one.program, into) if into else None
        self._pairs.add(one)
        self._referrals.add(one)
        self._forgotten.add(one)
        self.budgets.add(one)
        self.stocks.add(one)

        def audit(partitions: list[Partition]) -> list[Finding]:
            (single,) = partitions
            by_itself = is_alone(single)
            return audit_partition(single, scopes) + (audit_family(Family([single], scopes)) if by_itself else [])

        self._found += audit([one]) and self._confirmed([pk], audit)

    def findings(self) -> list[Finding]:
        families: dict[str, list[str]] = {}
        for pk in self._into:
            families.setdefault(self._survivor(pk), []).append(pk)
        for survivor, pks in families.items():
            scopes = self._scopes_of(parse_partition(survivor)[0])
            self._found += self._confirmed(sorted({survivor, *pks}), _of_family(scopes))
        shared = self.budgets.findings(self._table) + self.stocks.findings(self._table)
        members = self._pairs.findings(self._table) + self._referrals.findings(self._table)
        return self._found + members + list(self._forgotten.findings(self._table)) + shared

    def _survivor(self, pk: str) -> str:
        """Whom a member was merged into in the end."""
        seen = {pk}
        while (into := self._into.get(pk)) is not None and into not in seen:
            pk = into
            seen.add(pk)
        return pk

    def _confirmed(self, pks: list[str], audit: _Audit) -> list[Finding]:
        """What is wrong in a reading during which nothing was posted: each book before it is the book after it."""
        found: list[Finding] = []
        for attempt in range(_CONFIRMATIONS):
            before = self._books(pks)
            found = audit([read(pk, list(self._table.query_all(pk))) for pk in pks])
            if not found or self._books(pks) == before:
                break
            self._sleep(jitter(attempt, base=_WAIT_SECONDS, cap=_LONGEST_WAIT_SECONDS))
        return found

    def _books(self, pks: list[str]) -> list[RawItem | None]:
        return [self._table.read(pk, BOOK_SK) for pk in pks]


def _of_family(scopes: Mapping[int, Scope]) -> _Audit:
    return lambda partitions: audit_family(Family(partitions, scopes))
