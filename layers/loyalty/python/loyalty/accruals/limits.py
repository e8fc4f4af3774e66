"""What caps and budgets have counted, and how an accrual uses of it and a reversal gives back.

::

    M#{program}#{member}          CAPS#{window}    what one member got: rule or campaign and unit → number
    B#{program}#{campaign}#{nn}   BUDGET           what all members got, in 16 shards, each with its share of the budget

A member's counts change with the book alone, one posting after the other. A budget's shards are written by whoever posts:
each write requires that the shard is as it was read, so that none ever passes its share. An accrual looks at one shard, by
its identity, and at all of them where that has too little left.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pynamodb.expressions.condition import Condition

from loyalty.accruals.reading import Seen
from loyalty.accruals.share import Original, Reversed
from loyalty.core.table import Check, IntegerAttribute, IntegerMapAttribute, Item, Operation, Put, RawItem
from loyalty.ledger.keys import BUDGET_PREFIX, CAPS_PREFIX, partition
from loyalty.ledger.model import Book
from loyalty.ledger.movements import without_zeros
from loyalty.programs.counters import CounterKey, bounds_for, bounds_of
from loyalty.programs.deeds import Deed, Earner
from loyalty.programs.earning import Outcome, earn
from loyalty.programs.model import ProgramDocument
from loyalty.programs.worth import RuleReason

SHARDS: Final = 16
BUDGET_SK: Final = "BUDGET"

Key = tuple[str, str]


class CapsItem(Item):
    """``used`` maps ``{owner}|{unit}`` to a number."""

    used = IntegerMapAttribute()
    version = IntegerAttribute()


class BudgetItem(Item):
    """``spent`` is at most the shard's share of the budget of the day of the last accrual."""

    spent = IntegerAttribute()
    version = IntegerAttribute()


@dataclass(frozen=True, slots=True)
class Use:
    """So much of one count, for points of a wallet. ``place`` is a cap's window, or the number of a budget's shard."""

    kind: str
    wallet: str
    owner: str
    place: str
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Use":
        """The use that ``str`` wrote."""
        return cls(*text.split("|"))

    def __str__(self) -> str:
        return f"{self.kind}|{self.wallet}|{self.owner}|{self.place}|{self.unit}"

    @property
    def name(self) -> str:
        """Of a cap: what it is called in its window's item."""
        return f"{self.owner}|{self.unit}"


class Limits:
    """The caps and budgets that concern one activity."""

    def __init__(self, document: ProgramDocument, deed: Deed, identity: str) -> None:
        """``identity`` is what the activity is known by, which decides whose shards it looks at first."""
        self.document = document
        self._deed = deed
        self._bounds = {bound.key: bound.limit for bound in bounds_for(document, deed)}
        self._budgets = [key for key in self._bounds if key.kind == "budget"]
        self._day = deed.occurred_at.astimezone(document.zone).date()
        self._first = zlib.crc32(identity.encode()) % SHARDS

    @property
    def sks(self) -> list[str]:
        """Sort keys of the member's counts."""
        return list(dict.fromkeys(f"{CAPS_PREFIX}{key.window}" for key in self._bounds if key.kind == "cap"))

    @property
    def shards(self) -> list[Key]:
        """Keys of the shards that are looked at first."""
        return [self._shard(key, self._first) for key in self._budgets]

    def outcome(self, seen: Seen, book: Book, earner: Earner) -> Outcome:
        """What the activity earns within what is left of them; all shards of a budget are read where one is not enough."""
        all_shards = {key: [self._shard(key, number) for number in range(SHARDS)] for key in self._budgets}
        in_part = [key for key, shards in all_shards.items() if not seen.shared.keys() >= set(shards)]
        room = {key: max(0, self._left(seen, book, key)) for key in self._bounds if key not in in_part}
        found = earn(self.document, self._deed, earner, room)
        for key in in_part:
            if found.asked.get(key, 0) > self._left(seen, book, key):
                seen.require_shared(all_shards[key])
        return found

    def uses(self, seen: Seen, outcome: Outcome) -> dict[str, int]:
        """What the outcome uses: of each cap, and of each shard of a budget."""
        return uses_of(outcome, lambda key, number: self._spread(seen, key, number))

    def deciding(self, seen: Seen, book: Book, outcome: Outcome) -> list[Key]:
        """The counts of caps that the outcome would be another one without, by member and sort key.

        Those of which something is used, or of which a rule found nothing left: of the member, and of whoever was merged
        into them and had used any. Nothing more is ever used of theirs.
        """
        rules = [judged.rule for judged in outcome.rules if judged.reason is RuleReason.CAPPED]
        capped = [
            bound.key for rule in rules for bound in bounds_of(rule, self.document.campaign(rule.campaign), self._day)
        ]
        windows = dict.fromkeys(key.window for key in (*outcome.used, *capped) if key.kind == "cap")
        own = [(book.member_id, f"{CAPS_PREFIX}{window}") for window in windows]
        theirs = [(member_id, f"{CAPS_PREFIX}{window}") for window in windows for member_id in book.absorbed]
        return [*own, *(place for place in theirs if seen.get(*place) is not None)]

    def _left(self, seen: Seen, book: Book, key: CounterKey) -> int:
        if key.kind == "budget":
            # Of a budget that was lowered some shards have more behind them than their share.
            spent = sum(_spent(seen.shared.get(self._shard(key, number))) for number in range(SHARDS))
            return min(sum(self._left_of(seen, key, number) for number in range(SHARDS)), self._bounds[key] - spent)
        sk = f"{CAPS_PREFIX}{key.window}"
        used = [_caps(seen.get(member_id, sk)) for member_id in (book.member_id, *book.absorbed)]
        return self._bounds[key] - sum(one.get(f"{key.owner}|{key.unit}", 0) for one in used)

    def _left_of(self, seen: Seen, key: CounterKey, number: int) -> int:
        """What is left of a shard; nothing where it was not read."""
        place = self._shard(key, number)
        if place not in seen.shared:
            return 0
        return max(0, share_of(self._bounds[key], number) - _spent(seen.shared[place]))

    def _spread(self, seen: Seen, key: CounterKey, number: int) -> dict[str, int]:
        parts: dict[str, int] = {}
        for shard in ((self._first + step) % SHARDS for step in range(SHARDS)):
            part = min(number - sum(parts.values()), self._left_of(seen, key, shard))
            if part:
                parts[f"{shard:02}"] = part
        if sum(parts.values()) != number:
            raise AssertionError(f"more of the budget of '{key.owner}' would be used than is left")
        return parts

    def _shard(self, key: CounterKey, number: int) -> Key:
        return _budget_key(self.document.id, key.owner, f"{number:02}")


def uses_of(outcome: Outcome, spread: Callable[[CounterKey, int], Mapping[str, int]]) -> dict[str, int]:
    """What an outcome uses, by the names of :class:`Use`. ``spread`` divides what it uses of a budget among shards."""
    wallets = {f"rule:{one.rule.id}": one.rule.wallet for one in outcome.rules}
    wallets |= {f"campaign:{one.rule.campaign}": one.rule.wallet for one in outcome.rules if one.points}
    found: dict[str, int] = {}
    for key, number in outcome.used.items():
        places = {key.window: number} if key.kind == "cap" else spread(key, number)
        for place, part in places.items():
            found[str(Use(key.kind, wallets[key.owner], key.owner, place, key.unit))] = part
    return found


def share_of(budget: int, shard: int) -> int:
    """A shard's share of a budget: all shares add up to it."""
    each, rest = divmod(budget, SHARDS)
    return each + (shard < rest)


def given_back(original: Original, taken: Reversed) -> dict[str, int]:
    """How much of what an accrual used its reversals have given back, by the same names.

    Points in proportion to those of the wallet that were taken back, of a budget shard after shard; times once nothing is
    left.
    """
    if taken.whole:
        return dict(original.facts.used)
    back: dict[str, int] = {}
    for texts in _same_count(original.facts.used):
        use = Use.parse(texts[0])
        earned, gone = original.points.get(use.wallet, 0), taken.points.get(use.wallet, 0)
        used = sum(original.facts.used[text] for text in texts)
        left = used * gone // earned if earned and use.unit == "points" else 0
        for text in texts:
            back[text] = min(left, original.facts.used[text])
            left -= back[text]
    return back


def _same_count(used: Mapping[str, int]) -> list[list[str]]:
    """The uses of each cap, and of each budget those of all its shards, in their order."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for text in sorted(used):
        use = Use.parse(text)
        place = use.place if use.kind == "cap" else ""
        groups.setdefault((use.kind, use.owner, use.unit, place), []).append(text)
    return list(groups.values())


def less(uses: Mapping[str, int], back: Mapping[str, int]) -> dict[str, int]:
    """What remains of uses."""
    return {text: number - back.get(text, 0) for text, number in uses.items()}


def require_counts(seen: Seen, original: Original, program: str) -> None:
    """Says that the counts decide of which an accrual used something."""
    caps, shards = _touched(original.facts.used)
    if caps:
        seen.require(original.member_id, *(f"{CAPS_PREFIX}{window}" for window in caps))
    seen.require_shared([_budget_key(program, owner, place) for owner, place in shards])


def changed_counts(seen: Seen, program: str, member_id: str, changes: Mapping[str, int]) -> Iterator[Operation]:
    """Writes that change the counts of a member, and of budgets, by so much; each, if it is still as it was read."""
    caps, shards = _touched(without_zeros(changes))
    for window, uses in caps.items():
        sk = f"{CAPS_PREFIX}{window}"
        raw = seen.get(member_id, sk)
        used = dict(_caps(raw))
        for use in uses:
            used[use.name] = used.get(use.name, 0) + changes[str(use)]
        item = CapsItem(partition(program, member_id), sk, used=without_zeros(used), version=_version(raw) + 1)
        yield Put(item, _unchanged(CapsItem.version, raw))
    for (owner, place), uses in shards.items():
        key = _budget_key(program, owner, place)
        raw = seen.shared[key]
        spent = _spent(raw) + sum(changes[str(use)] for use in uses)
        yield Put(
            BudgetItem(*key, spent=spent, version=_version(raw) + 1), _unchanged(BudgetItem.version, raw), shared=True
        )


def unchanged_counts(
    seen: Seen, program: str, deciding: Sequence[Key], used: Mapping[str, int], written: Sequence[Operation]
) -> Iterator[Operation]:
    """Checks that the counts which decided, and are not written, are still as they were read.

    A read of several items is not of one moment: what was given back may be in the book already, and not in the count.
    """
    keys = {operation.key for operation in written}
    for member_id, sk in deciding:
        pk = partition(program, member_id)
        if (pk, sk) not in keys:
            yield Check(CapsItem, pk, sk, _unchanged(CapsItem.version, seen.get(member_id, sk)))
    for owner, place in _touched(used)[1]:
        key = _budget_key(program, owner, place)
        if key not in keys:
            yield Check(BudgetItem, *key, _unchanged(BudgetItem.version, seen.shared[key]))


def _touched(uses: Mapping[str, int]) -> tuple[dict[str, list[Use]], dict[Key, list[Use]]]:
    """Caps by their window, and budgets by campaign and shard."""
    caps: dict[str, list[Use]] = {}
    shards: dict[Key, list[Use]] = {}
    for use in map(Use.parse, uses):
        if use.kind == "cap":
            caps.setdefault(use.place, []).append(use)
        else:
            shards.setdefault((use.owner, use.place), []).append(use)
    return caps, shards


def _budget_key(program: str, owner: str, shard: str) -> Key:
    return f"{BUDGET_PREFIX}{program}#{owner.removeprefix('campaign:')}#{shard}", BUDGET_SK


def _caps(raw: RawItem | None) -> Mapping[str, int]:
    return CapsItem.from_raw_data(raw).used if raw else {}


def _spent(raw: RawItem | None) -> int:
    return BudgetItem.from_raw_data(raw).spent if raw else 0


def _version(raw: RawItem | None) -> int:
    return int(raw["version"]["N"]) if raw else 0


def _unchanged(version: IntegerAttribute, raw: RawItem | None) -> Condition:
    same: Condition = version == _version(raw)
    return same if raw else Item.pk.does_not_exist()
