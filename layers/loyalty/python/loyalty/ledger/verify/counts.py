"""Whether what caps and budgets count is what accruals used of it, less what reversals gave back.

All of it is computed anew from the entries, and from the records of what was taken back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from loyalty.core.table import RawItem, Table
from loyalty.ledger.keys import BUDGET_PREFIX, CAPS_PREFIX, REVERSED_PREFIX
from loyalty.ledger.model import Account, Entry, EntryKind
from loyalty.ledger.verify.family import Family
from loyalty.ledger.verify.kept import Capped, Reversed
from loyalty.ledger.verify.read import Partition, read
from loyalty.ledger.verify.replay import without_zeros
from loyalty.ledger.verify.report import Finding, Problem, Problems, lasting


def check_caps(family: Family) -> Problems:
    """A member's counts stand beside the entries that used them."""
    for one in family.partitions:
        used = {sk: dict(names) for sk, names in _caps_used(one).items()}
        said = {sk: without_zeros(capped.used) for sk, capped in one.of(Capped)}
        for sk in sorted({*used, *said}):
            if used.get(sk, {}) != said.get(sk, {}):
                detail = f"accruals used {used.get(sk, {})}, it says {said.get(sk, {})}"
                yield Problem("caps_wrong", sk, detail, one.member_id)


@dataclass(slots=True)
class Budgets:
    """What all accruals used of budgets, and what the shards say they have spent, by partition of the shard."""

    used: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)

    def add(self, one: Partition) -> None:
        """Counts the accruals of a member."""
        for use in _net(one):
            if use.kind == "budget":
                campaign = use.owner.removeprefix("campaign:")
                self.used[f"{BUDGET_PREFIX}{one.program}#{campaign}#{use.place}"] += use.number

    def add_shard(self, pk: str, items: Iterable[RawItem]) -> None:
        """Counts a shard."""
        self.said[pk] += sum(int(raw["spent"]["N"]) for raw in items)

    def findings(self, table: Table) -> list[Finding]:
        """Shards that are off, in the pass that they were read in and in each of some more: a scan is no snapshot."""
        return lasting(self.off(), lambda: _all(table).off())

    def off(self) -> list[Finding]:
        """Shards that are not what accruals used of them, in what was read."""
        return [
            Finding(
                pk.split("#")[1], "-", "budget_wrong", pk, f"accruals used {self.used[pk]}, it says {self.said[pk]}"
            )
            for pk in sorted({*self.used, *self.said})
            if self.used[pk] != self.said[pk]
        ]


def _all(table: Table) -> Budgets:
    budgets = Budgets()
    for pk, items in groupby(table.scan(), key=lambda raw: str(raw["pk"]["S"])):
        if pk.startswith(BUDGET_PREFIX):
            budgets.add_shard(pk, items)
        elif pk.startswith("M#"):
            budgets.add(read(pk, items))
    return budgets


@dataclass(frozen=True, slots=True)
class _Use:
    """So much of a count; ``place`` is a cap's window, or a budget's shard."""

    kind: str
    wallet: str
    owner: str
    place: str
    unit: str
    number: int

    @property
    def count(self) -> tuple[str, str, str, str]:
        """Of a budget all shards are one."""
        return self.kind, self.owner, self.unit, self.place if self.kind == "cap" else ""


def _caps_used(one: Partition) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for use in _net(one):
        if use.kind == "cap" and use.number:
            found.setdefault(f"{CAPS_PREFIX}{use.place}", Counter())[f"{use.owner}|{use.unit}"] += use.number
    return found


def _net(one: Partition) -> Iterator[_Use]:
    """What accruals used, less what was given back."""
    taken = {sk.removeprefix(REVERSED_PREFIX): record for sk, record in one.of(Reversed)}
    for entry in one.entries:
        if entry.key.kind is EntryKind.ACCRUAL and entry.facts.used:
            yield from _left(entry, taken.get(f"{entry.key.source}#{entry.key.source_id}"))


def _left(entry: Entry, taken: Reversed | None) -> Iterator[_Use]:
    """Points go back in proportion, those of a budget in the order of its shards; times when nothing is left."""
    if taken is not None and taken.whole:
        return
    uses = [_use(text, number) for text, number in sorted(entry.facts.used.items())]
    together, back = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for use in uses:
        together[use.count] += use.number
    for use in uses:
        earned = -entry.movement.change(use.wallet).postings.get(Account.ISSUED, 0)
        gone = taken.points.get(use.wallet, 0) if taken is not None else 0
        share = together[use.count] * gone // earned if earned and use.unit == "points" else 0
        part = min(share - back[use.count], use.number)
        back[use.count] += part
        yield replace(use, number=use.number - part)


def _use(text: str, number: int) -> _Use:
    kind, wallet, owner, place, unit = text.split("|")
    return _Use(kind, wallet, owner, place, unit, number)
