"""A day of the trail, held against its chain. Pure: of the items that were read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from loyalty.audit.chain import GENESIS, Head, Link, digest_of, hash_of
from loyalty.audit.links import HEAD_SK, LINK_PREFIX, MARK_PREFIX, HeadItem, MarkItem, head_of, link_of, mark_sk
from loyalty.audit.store import LINE_PREFIX
from loyalty.core.clock import from_text
from loyalty.core.table import RawItem

GRACE: Final = timedelta(minutes=15)
"""So long a line may wait for its link; then it is told."""


class Kind(StrEnum):
    """What is wrong."""

    LINE_REMOVED = "line_removed"
    LINE_CHANGED = "line_changed"
    LINE_UNLINKED = "line_unlinked"
    LINE_LINKED_TWICE = "line_linked_twice"
    LINK_MISSING = "link_missing"
    LINK_CHANGED = "link_changed"
    CHAIN_BROKEN = "chain_broken"
    MARK_WRONG = "mark_wrong"
    HEAD_MISSING = "head_missing"
    HEAD_WRONG = "head_wrong"
    DAY_MISSING = "day_missing"
    DAYS_NOT_JOINED = "days_not_joined"
    CHAIN_REWRITTEN = "chain_rewritten"
    FILE_DIFFERS = "file_differs"
    FILE_HIDDEN = "file_hidden"
    FILE_MISSING = "file_missing"
    ITEM_FOREIGN = "item_foreign"


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference: where, and in words what. ``day`` is None of what is of no day."""

    kind: Kind
    scope: str
    day: date | None
    what: str
    detail: str


@dataclass(slots=True)
class Day:
    """A day as it was read. ``lines`` and ``hashes`` have what files are held against: digests by sort key, hashes by number."""

    scope: str
    day: date
    head: Head | None = None
    links: dict[int, Link] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    waiting: int = 0
    """Lines that are so new that their link may still come."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def begun(self) -> bool:
        """Whether there is anything of it."""
        return bool(self.head or self.links or self.lines)

    def tell(self, kind: Kind, what: str, detail: str) -> None:
        """Notes a finding."""
        self.findings.append(Finding(kind, self.scope, self.day, what, detail))


@dataclass(slots=True)
class Chain:
    """A day's chain as it was read, without what is said twice in its items: so a long day takes a third of the memory."""

    scope: str
    day: date
    head: Head | None = None
    links: dict[int, Link] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)

    def add(self, raw: RawItem) -> None:
        """Takes an item of the chain's partition; one that is known already is now as ``raw`` says."""
        sk = raw["sk"]["S"]
        if sk == HEAD_SK:
            self.head = head_of(self.scope, self.day, HeadItem.from_raw_data(raw))
        elif sk.startswith(LINK_PREFIX):
            link = link_of(raw)
            self.links[link.number] = link
        elif sk.startswith(MARK_PREFIX):
            self.marks[sk] = MarkItem.from_raw_data(raw).number
        else:
            self.foreign.append(sk)

    @property
    def whole(self) -> bool:
        """Whether there are as many links as the head says."""
        return len(self.links) == (self.head.number if self.head else 0)


def check(chain: Chain, lines: Iterable[RawItem], *, now: datetime) -> Day:
    """Holds a day's lines against its chain, which was read first, so that a line that came since is not missed."""
    found = Day(chain.scope, chain.day, chain.head, chain.links)
    for sk in chain.foreign:
        found.tell(Kind.ITEM_FOREIGN, sk, "it is nothing of a chain")
    unlinked = dict(_lines(found, lines, frozenset(link.line for link in chain.links.values())))
    _check_chain(found)
    _check_head(found)
    _check_lines(found, unlinked, now)
    _check_marks(found, chain.marks)
    return found


def _lines(found: Day, lines: Iterable[RawItem], linked: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Keeps each line's digest; gives when those were written that are not ``linked``, as they say."""
    for raw in lines:
        sk = raw["sk"]["S"]
        if not sk.startswith(LINE_PREFIX):
            found.tell(Kind.ITEM_FOREIGN, sk, "it is no line")
            continue
        found.lines[sk] = digest_of(raw)
        if sk not in linked:
            yield sk, sk.removeprefix(LINE_PREFIX).partition("#")[0]


def _check_chain(found: Day) -> None:
    follows = found.head.follows if found.head else None
    previous: str | None = follows.hash if follows else GENESIS
    if found.head is None and 1 in found.links:
        previous = found.links[1].previous  # what it follows is not known any more; that is told of the head
    for number in range(1, max(found.links, default=0) + 1):
        link = found.links.get(number)
        if link is None:
            found.tell(Kind.LINK_MISSING, f"link {number}", "there is a later one")
            previous = None
            continue
        if link.hash != hash_of(found.scope, found.day, link):
            found.tell(Kind.LINK_CHANGED, f"link {number}", "its hash is not that of its content")
        if previous is not None and link.previous != previous:
            found.tell(Kind.CHAIN_BROKEN, f"link {number}", "it does not follow the link before it")
        previous = link.hash


def _check_head(found: Day) -> None:
    last = max(found.links, default=0)
    head = found.head
    if head is None:
        if last:
            found.tell(Kind.HEAD_MISSING, "head", f"the chain has {last} links and no head")
    elif head.number != last:
        found.tell(Kind.HEAD_WRONG, "head", f"it says {head.number} links, there are {last}")
    elif last and head.hash != found.links[last].hash:
        found.tell(Kind.HEAD_WRONG, "head", f"its hash is not that of link {last}")


def _check_lines(found: Day, unlinked: Mapping[str, str], now: datetime) -> None:
    linked: dict[str, int] = {}
    for number, link in sorted(found.links.items()):
        if link.line in linked:
            found.tell(Kind.LINE_LINKED_TWICE, link.line, f"as {linked[link.line]} and as {number}")
        linked[link.line] = number
        digest = found.lines.get(link.line)
        if digest is None:
            found.tell(Kind.LINE_REMOVED, link.line, f"link {number} has it, the table has not")
        elif digest != link.digest:
            found.tell(Kind.LINE_CHANGED, link.line, f"it is not what link {number} was made of")
    for line, moment in unlinked.items():
        if _is_new(moment, now):
            found.waiting += 1
        else:
            found.tell(Kind.LINE_UNLINKED, line, "no link has it")


def _check_marks(found: Day, marks: Mapping[str, int]) -> None:
    wanted = {mark_sk(link.line): number for number, link in found.links.items()}
    for mark in sorted(wanted.keys() | marks.keys()):
        if wanted.get(mark) != marks.get(mark):
            found.tell(Kind.MARK_WRONG, mark, f"it says {marks.get(mark)}, the chain {wanted.get(mark)}")


def _is_new(moment: str, now: datetime) -> bool:
    try:
        return now - from_text(moment) < GRACE
    except ValueError:
        return False
