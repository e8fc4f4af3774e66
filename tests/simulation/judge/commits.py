"""The table's changes, as what was committed: entries with the books after them, and records of their own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from loyalty.ledger.items import entry_of
from loyalty.ledger.keys import BOOK_SK, parse_partition
from loyalty.ledger.model import Entry, EntryKind
from loyalty_contract import ENTRY_PREFIX
from tests.simulation.dynamodb.storage import Change
from tests.simulation.dynamodb.values import copied_item
from tests.simulation.engine import SlowCommit
from tests.simulation.judge.violation import Violation, require

Raw = dict[str, dict[str, Any]]
_PAIRS: Final = {
    EntryKind.TRANSFER_OUT: "transfer",
    EntryKind.TRANSFER_IN: "transfer",
    EntryKind.MERGE_OUT: "merge",
    EntryKind.MERGE_IN: "merge",
}
RECORDS: Final = ("ADJUSTMENT#", "WAITING#", "PURCHASE")
"""Records that are written without an entry, too."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was posted to one member at once, and the stored book after it."""

    member: str
    entries: Sequence[Entry]
    book: Raw


@dataclass(slots=True)
class Commit:
    """One transaction; from ``first`` until ``number``, the numbers of its changes, it became visible."""

    number: int
    first: int
    parts: list[Part] = field(default_factory=list)
    record: Change | None = None
    """Where there are no parts: the record that was written."""
    days: tuple[str, ...] = ()
    """Of which daily limits were counted up."""
    author: str = ""
    """The client that wrote it."""


def keys_of(change: Change) -> tuple[str, str]:
    """Partition and sort key."""
    item = change.new or change.old
    if item is None:
        raise AssertionError("a change of nothing")
    return item["pk"]["S"], item["sk"]["S"]


def commits(changes: Iterable[Change], slowly: Mapping[int, SlowCommit]) -> list[Commit]:
    """In the order in which they were completed, which is the order of each member's entries.

    ``slowly`` has the changes that became visible one after the other with others of their transaction, by number.

    Raises:
        Violation: an entry was changed, deleted, or stands without its book; a book lost postings.
    """
    found: list[Commit] = []
    waiting: dict[str, list[tuple[int, Entry]]] = {}
    seqs: dict[str, int] = {}
    limits: list[tuple[str, int, str]] = []
    for change in changes:
        pk, sk = keys_of(change)
        if not pk.startswith(("M#", "O#")):
            continue
        if sk.startswith(ENTRY_PREFIX):
            require(change.old is None and change.new, "immutable", f"{pk} {sk} was changed after it was posted")
            waiting.setdefault(pk, []).append((change.number, entry_of(_raw(change))))
        elif sk == BOOK_SK:
            found.append(_of_book(change, pk, seqs))
        elif sk.startswith(RECORDS):
            found.append(Commit(change.number, change.number, record=change))
        elif sk.startswith("LIMIT#"):
            limits.append((parse_partition(pk)[1], change.number, sk.split("#")[2]))
    # An entry that became visible after its book belongs to the transaction of that book.
    joined = _joined(_completed(found, waiting))
    for member, number, day in limits:
        own = [commit for commit in joined if any(part.member == member for part in commit.parts)]
        # The member's other transactions are over before, or begin after.
        during = [commit for commit in own if commit.first - 1 <= number <= commit.number + 1]
        nearest = min(during or own, key=lambda commit: max(commit.first - number, number - commit.number, 0))
        nearest.days += (day,)
    for commit in joined:
        if commit.parts and commit.number in slowly:
            commit.number = slowly[commit.number].last_change  # its records may have come after its entries
    return sorted(joined, key=lambda commit: commit.number)


def _of_book(change: Change, pk: str, seqs: dict[str, int]) -> Commit:
    raw = _raw(change)
    after, before = int(raw["last_seq"]["N"]), seqs.get(pk, 0)
    require(after >= before, "order", f"{pk} went back from posting {before} to {after}")
    seqs[pk] = after
    part = Part(parse_partition(pk)[1], [], raw)
    return Commit(change.number, change.number, [part], author=change.author)


def _completed(found: list[Commit], waiting: Mapping[str, Sequence[tuple[int, Entry]]]) -> list[Commit]:
    """Gives each book its entries, by their seq."""
    by_pk = {pk: {entry.seq: (number, entry) for number, entry in entries} for pk, entries in waiting.items()}
    for pk, entries in waiting.items():
        require(len(by_pk[pk]) == len(entries), "order", f"two entries of {pk} have one seq")
    seqs: dict[str, int] = {}
    for commit in found:
        for place, part in enumerate(commit.parts):
            pk = part.book["pk"]["S"]
            after = int(part.book["last_seq"]["N"])
            numbered = []
            for seq in range(seqs.get(pk, 0) + 1, after + 1):
                if seq not in by_pk.get(pk, {}):
                    raise Violation("order", f"{pk} has no entry {seq}, and its book is at {after}")
                numbered.append(by_pk[pk].pop(seq))
            seqs[pk] = after
            commit.parts[place] = Part(part.member, [entry for _, entry in numbered], part.book)
            numbers = [commit.number, *(number for number, _ in numbered)]
            commit.first, commit.number = min(numbers), max(numbers)
    left = [entry.entry_id for entries in by_pk.values() for _, entry in entries.values()]
    require(not left, "order", f"entries beyond their book: {left}")
    return found


def _joined(found: Sequence[Commit]) -> list[Commit]:
    """Both sides of a transfer or a merge are one commit."""
    pairs: dict[tuple[str, ...], Commit] = {}
    joined: list[Commit] = []
    for commit in found:
        identities = {
            (_PAIRS[entry.key.kind], *_between(entry))
            for part in commit.parts
            for entry in part.entries
            if entry.key.kind in _PAIRS
        }
        require(len(identities) <= 1, "pair", f"several transfers in one transaction: {identities}")
        other = pairs.get(next(iter(identities))) if identities else None
        if other is None:
            joined.append(commit)
            pairs |= dict.fromkeys(identities, commit)
            continue
        other.parts += commit.parts
        other.first, other.number = min(other.first, commit.first), max(other.number, commit.number)
    return sorted(joined, key=lambda commit: commit.number)


def _between(entry: Entry) -> tuple[str, ...]:
    if _PAIRS[entry.key.kind] == "transfer":
        return (entry.key.source, entry.key.source_id)
    return tuple(sorted((entry.member_id, entry.facts.other_member or "")))


def _raw(change: Change) -> Raw:
    require(change.new, "lost", f"{keys_of(change)} was deleted")
    return copied_item(change.new or {})
