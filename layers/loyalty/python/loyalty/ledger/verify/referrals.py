"""Whether both sides of each referral were rewarded together, as it says, and both gave back together.

One pass over the table meets three items of each: the referral, in the partition of who was brought, and two accruals of one
identity. What is kept is what has not met the others yet, and what does not agree with them; at the end those alone are read
again, and so are the counts of members whose referrals do not come to them: a scan is no snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from loyalty.core.table import RawItem, Table
from loyalty.ledger.keys import REVERSED_PREFIX, entry_sk, partition
from loyalty.ledger.model import POINTS, Account, Entry, EntryKey, EntryKind
from loyalty.ledger.verify.kept import Brought, Counted, Reversed
from loyalty.ledger.verify.read import Partition, read
from loyalty.ledger.verify.report import Finding, lasting
from loyalty_contract import REFERRAL_SK, REFERRALS_SK

_SOURCE: Final = "referral"
_ACTIVITIES: Final = frozenset({"referral", "referred"})
_ATTEMPTS: Final = 5
"""Times that a referral is read again where it changes meanwhile."""
_Name = tuple[str, str]
"""Program, and who was brought."""


@dataclass(frozen=True, slots=True)
class _Reward:
    """What one side has: points of the accrual, when, and whether all of it was taken back."""

    points: int
    at: datetime
    back: bool


@dataclass(slots=True)
class _Met:
    """What was met of one referral."""

    said: Brought | None = None
    rewards: dict[str, _Reward] = field(default_factory=dict)
    """By member in whose partition the accrual is."""


class Referrals:
    """Referrals that have not met both rewards, or do not agree with them; and counts that they do not come to."""

    def __init__(self) -> None:
        self._open: dict[_Name, _Met] = {}
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}
        """By program and referrer: referrals that say so less what is counted; rewarded, and taken back of those."""

    def __len__(self) -> int:
        """How much is kept."""
        return len(self._open) + len(self._counts)

    def add(self, one: Partition) -> None:
        """Takes what a member was rewarded with for referrals, and what their own one says."""
        for friend, reward in _rewards(one):
            self._meet((one.program, friend)).rewards[one.member_id] = reward
            self._close((one.program, friend))
        for _, said in one.of(Brought):
            if said.rewarded:
                self._meet((one.program, one.member_id)).said = said
                self._close((one.program, one.member_id))
                self._count(one.program, said.referrer, 1, int(said.back))
        for _, counted in one.of(Counted):
            self._count(one.program, one.member_id, -counted.rewarded, -counted.reversed)

    def findings(self, table: Table) -> list[Finding]:
        """What is wrong, once everything was added; reads again what looks so."""
        found = [finding for name, met in self._open.items() for finding in _confirmed(table, name, set(met.rewards))]
        return found + lasting(self.miscounted(), lambda: _all(table).miscounted())

    def _meet(self, name: _Name) -> _Met:
        return self._open.setdefault(name, _Met())

    def _close(self, name: _Name) -> None:
        met = self._open[name]
        if met.said is not None and not list(_differences(name, met)):
            del self._open[name]

    def _count(self, program: str, member_id: str, rewarded: int, back: int) -> None:
        before = self._counts.pop((program, member_id), (0, 0))
        after = before[0] + rewarded, before[1] + back
        if any(after):
            self._counts[program, member_id] = after

    def miscounted(self) -> list[Finding]:
        """Counts that referrals do not come to, in what was added."""
        return [
            Finding(program, member_id, "referrals_count_wrong", REFERRALS_SK, f"off by {off[0]} and {off[1]}")
            for (program, member_id), off in sorted(self._counts.items())
        ]


def _rewards(one: Partition) -> Iterator[tuple[str, _Reward]]:
    taken = {sk for sk, record in one.of(Reversed) if record.whole}
    for entry in one.entries:
        # A partner may have had a source of that name before the platform kept it to itself.
        posted = entry.key.kind is EntryKind.ACCRUAL and entry.key.source == _SOURCE
        if posted and entry.facts.activity in _ACTIVITIES:
            yield entry.key.source_id, _reward(entry, back=_reversed_sk(entry.key.source_id) in taken)


def _reward(entry: Entry, *, back: bool) -> _Reward:
    return _Reward(-entry.movement.change(POINTS).postings.get(Account.ISSUED, 0), entry.posted_at, back)


def _differences(name: _Name, met: _Met) -> Iterator[tuple[str, str, str]]:
    """Whose, as which code, what."""
    said = met.said
    wanted = {said.referrer: said.points, said.friend: said.friend_points} if said is not None and said.rewarded else {}
    for member_id in met.rewards.keys() - wanted.keys():
        yield member_id, "referral_reward_unsaid", f"the referral of {name[1]} says nothing of it"
    if said is None or not wanted:
        return
    for member_id, points in wanted.items():
        reward = met.rewards.get(member_id)
        if reward is None:
            yield (
                member_id,
                "referral_one_sided",
                f"the referral of {name[1]} says that it was rewarded, and it was not",
            )
        elif (reward.points, reward.at) != (points, said.at):
            detail = f"{reward.points} points at {reward.at}, the referral of {name[1]} says {points} at {said.at}"
            yield member_id, "referral_reward_wrong", detail
        elif reward.back != said.back:
            detail = f"it was {'' if reward.back else 'not '}taken back, the referral of {name[1]} says otherwise"
            yield member_id, "referral_reversal_one_sided", detail


def _confirmed(table: Table, name: _Name, rewarded: set[str]) -> Iterator[Finding]:
    """The referral is written with whatever is written of it: what differs counts while it stays the same."""
    met = _Met()
    for _ in range(_ATTEMPTS):
        before = _said(table, name)
        named = {before.referrer, before.friend} if before is not None and before.rewarded else set()
        met = _Met(before, dict(_read_rewards(table, name, rewarded | named)))
        if _said(table, name) == before:
            break
    own = EntryKey(EntryKind.ACCRUAL, _SOURCE, name[1]).entry_id
    for member_id, code, detail in _differences(name, met):
        # Of an entry that is missing, the referral says that it should be there.
        missing = member_id not in met.rewards
        yield Finding(name[0], name[1] if missing else member_id, code, REFERRAL_SK if missing else own, detail)


def _said(table: Table, name: _Name) -> Brought | None:
    pk = partition(*name)
    raw = table.read(pk, REFERRAL_SK)
    return next((said for _, said in read(pk, [raw]).of(Brought)), None) if raw is not None else None


def _read_rewards(table: Table, name: _Name, members: set[str]) -> Iterator[tuple[str, _Reward]]:
    sk = entry_sk(EntryKey(EntryKind.ACCRUAL, _SOURCE, name[1]))
    for member_id in sorted(members):
        pk = partition(name[0], member_id)
        items: list[RawItem | None] = [table.read(pk, sk), table.read(pk, _reversed_sk(name[1]))]
        for _, reward in _rewards(read(pk, [raw for raw in items if raw is not None])):
            yield member_id, reward


def _reversed_sk(friend: str) -> str:
    return f"{REVERSED_PREFIX}{_SOURCE}#{friend}"


def _all(table: Table) -> Referrals:
    found = Referrals()
    for raw in table.scan():
        if raw["sk"]["S"] in {REFERRAL_SK, REFERRALS_SK} and raw["pk"]["S"].startswith("M#"):
            found.add(read(raw["pk"]["S"], [raw]))
    return found
