"""Whether what two members share is in both: transfers, merges, and who is in which household.

One pass over the table meets the two sides one after the other, in any order. What is kept is what has not met its
other side yet, and what does not agree with it; at the end those alone are read again, since a scan is no snapshot.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.core.table import RawItem, Table
from loyalty.ledger.keys import HOUSEHOLD_SK, entry_sk, partition
from loyalty.ledger.model import Account, Change, Entry, EntryKey, EntryKind
from loyalty.ledger.verify.kept import Household, Membership
from loyalty.ledger.verify.read import Partition, read
from loyalty.ledger.verify.report import Finding, Problem
from loyalty.ledger.verify.sums import added

_OUT_OF: Final = {EntryKind.TRANSFER_IN: EntryKind.TRANSFER_OUT, EntryKind.MERGE_IN: EntryKind.MERGE_OUT}
_INTO: Final = {out: into for into, out in _OUT_OF.items()}
_NAMES: Final = {EntryKind.TRANSFER_OUT: "transfer", EntryKind.MERGE_OUT: "merge"}
_ATTEMPTS: Final = 5
"""Times that who is in a household is read again where it changes meanwhile."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """What makes two entries the sides of one thing: who gave, who got, and the name of it."""

    program: str
    kind: EntryKind
    """Of the giver's entry."""
    source: str
    name: str
    giver: str
    receiver: str

    @classmethod
    def of(cls, entry: Entry) -> "_Pair":
        other, key = entry.facts.other_member or "", entry.key
        out = _OUT_OF.get(key.kind, key.kind)
        giver, receiver = (entry.member_id, other) if key.kind is out else (other, entry.member_id)
        # Each side of a merge is named after the other.
        name = key.source_id if out is EntryKind.TRANSFER_OUT else f"{giver} into {receiver}"
        return cls(entry.program, out, key.source, name, giver, receiver)

    def places(self) -> Iterator[tuple[str, str]]:
        """Where the giver's entry is, and the receiver's."""
        merge = self.kind is EntryKind.MERGE_OUT
        names = (self.receiver, self.giver) if merge else (self.name, self.name)
        kinds = (self.kind, _INTO[self.kind])
        for member_id, kind, name in zip((self.giver, self.receiver), kinds, names, strict=True):
            yield partition(self.program, member_id), entry_sk(EntryKey(kind, self.source, name))


@dataclass(frozen=True, slots=True)
class _Half:
    """What one side says: enough to compare it with the other."""

    entry_id: str
    changes: Mapping[str, Change]
    qualifying: Mapping[str, int]
    posted_at: datetime


class Pairs:
    """The sides that have not met their other side, and the pairs that do not agree."""

    def __init__(self) -> None:
        self._open: dict[_Pair, dict[bool, _Half]] = {}
        """By pair the giver's half (True), the receiver's (False), or both where they do not agree."""
        self._households: dict[tuple[str, str], int] = {}
        """By program and 'household/member': 1 if the household says so, -1 if the member does; agreed ones are gone."""

    def __len__(self) -> int:
        """How much is kept."""
        return len(self._open) + len(self._households)

    def add(self, one: Partition) -> None:
        """Takes what one member shares with others."""
        for entry in one.entries:
            if entry.key.kind in _INTO or entry.key.kind in _OUT_OF:
                self._add(entry)
        for household_id, member_id, said in _memberships(one):
            key = (one.program, f"{household_id}/{member_id}")
            self._households[key] = self._households.pop(key, 0) + said
            if self._households[key] == 0:
                del self._households[key]

    def _add(self, entry: Entry) -> None:
        if not entry.facts.other_member:
            return  # it names nobody, which is a problem of its own
        pair = _Pair.of(entry)
        halves = self._open.setdefault(pair, {})
        halves[entry.key.kind in _INTO] = _half(entry)
        if len(halves) == 2 and _difference(pair, halves[True], halves[False]) is None:
            del self._open[pair]

    def findings(self, table: Table) -> list[Finding]:
        """What is wrong, once everything was added; reads again what looks so."""
        found = [finding for pair in self._open for finding in _confirmed(table, pair)]
        return found + [finding for key in self._households for finding in _confirmed_household(table, *key)]


def _half(entry: Entry) -> _Half:
    return _Half(entry.entry_id, entry.movement.changes, entry.movement.qualifying, entry.posted_at)


def _confirmed(table: Table, pair: _Pair) -> Iterator[Finding]:
    """Both entries are written at once and never change: each is read by itself."""
    name = _NAMES[pair.kind]
    halves: list[_Half | None] = []
    for pk, sk in pair.places():
        raw = table.read(pk, sk)
        entries = read(pk, [raw]).entries if raw else []
        halves.append(_half(entries[0]) if entries and _Pair.of(entries[0]) == pair else None)
    given, received = halves
    if given and received:
        difference = _difference(pair, given, received)
        if difference is not None:
            yield Finding(pair.program, pair.giver, f"{name}_differs", given.entry_id, difference)
    elif given:
        yield Finding(
            pair.program, pair.giver, f"{name}_one_sided", given.entry_id, f"{pair.receiver} has no entry of it"
        )
    elif received:
        detail = f"{pair.giver} has no entry of it"
        yield Finding(pair.program, pair.receiver, f"{name}_one_sided", received.entry_id, detail)


def _difference(pair: _Pair, given: _Half, received: _Half) -> str | None:
    """What does not agree. Points keep their lots, but for what paid a debt of the receiver."""
    lost, gained = _transferred(given), _transferred(received)
    if added([lost, gained]):
        return f"{lost} were given, {gained} received"
    if given.posted_at != received.posted_at:
        return f"posted on {given.posted_at} and on {received.posted_at}"
    if pair.kind is EntryKind.MERGE_OUT and added([_by_metric(given), _by_metric(received)]):
        return f"{dict(given.qualifying)} and {dict(received.qualifying)} count towards tiers"
    for wallet_id in given.changes.keys() | received.changes.keys():
        out = given.changes.get(wallet_id) or Change()
        into = received.changes.get(wallet_id) or Change()
        if added([out.maturing, into.maturing]):
            return f"pending in '{wallet_id}': {dict(out.maturing)} and {dict(into.maturing)}"
        if any(points > -out.lots.get(lot, 0) for lot, points in into.lots.items()):
            return f"lots in '{wallet_id}': {dict(out.lots)} and {dict(into.lots)}"
    return None


def _by_metric(half: _Half) -> dict[str, int]:
    """What counts towards tiers; years from an anniversary together, since a merge moves them to another anniversary."""
    day = len("2026-03-14")
    return added({key[:-day] if key[-day:].count("-") == 2 else key: n} for key, n in half.qualifying.items())


def _transferred(half: _Half) -> dict[str, int]:
    return added({name: change.postings.get(Account.TRANSFERRED, 0)} for name, change in half.changes.items())


def _memberships(one: Partition) -> Iterator[tuple[str, str, int]]:
    """Household and member, and which of the two says so."""
    for _, household in one.of(Household):
        for member_id in household.members:
            yield one.member_id, member_id, 1
    for _, membership in one.of(Membership):
        yield membership.household_id, one.member_id, -1


def _confirmed_household(table: Table, program: str, key: str) -> Iterator[Finding]:
    """Both sides change together: what differs counts once neither changed while the other was read."""
    household_id, _, member_id = key.partition("/")
    home, own = partition(program, household_id), partition(program, member_id)
    sides: tuple[RawItem | None, RawItem | None] = (None, None)
    for _ in range(_ATTEMPTS):
        sides = (table.read(home, HOUSEHOLD_SK), table.read(own, HOUSEHOLD_SK))
        if table.read(home, HOUSEHOLD_SK) == sides[0]:
            break
    in_it = any((household_id, member_id, 1) == said for said in _read_memberships(home, sides[0]))
    says_so = any((household_id, member_id, -1) == said for said in _read_memberships(own, sides[1]))
    if in_it != says_so:
        who = household_id if in_it else member_id
        detail = f"{member_id} is in {household_id}, as {'the household' if in_it else 'the member'} says alone"
        problem = Problem("membership_one_sided", HOUSEHOLD_SK, detail)
        yield problem.in_member(program, who)


def _read_memberships(pk: str, raw: RawItem | None) -> list[tuple[str, str, int]]:
    return list(_memberships(read(pk, [raw]))) if raw else []
