"""The chains of the audit trail in the table, in partitions that one function alone may write.

::

    AL#{scope}#{day}   LINK#{nnnnnnnn}      a link
                       LINKED#{line}        that the line is linked, and as which one: once
                       HEAD                 the last link's number and hash, and what the day's first one follows
    AL#_scopes         SCOPE#{scope}        the scope's day that was begun last
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.audit.chain import Follows, Head, Link, digest_of, grown
from loyalty.audit.store import LINE_PREFIX, trail
from loyalty.core.backoff import jitter
from loyalty.core.errors import Unavailable
from loyalty.core.table import MOST_READS, IntegerAttribute, Item, Operation, Put, RawItem, Table, TransactionRefused
from loyalty_contract import AUDIT_LINKS_PREFIX

LINK_PREFIX: Final = "LINK#"
MARK_PREFIX: Final = "LINKED#"
HEAD_SK: Final = "HEAD"
SCOPES_PK: Final = f"{AUDIT_LINKS_PREFIX}_scopes"
SCOPE_PREFIX: Final = "SCOPE#"
AT_ONCE: Final = 40
"""Lines that one transaction links: two items each, beside the head and the scope's day."""
_CAUGHT_UP_AT_ONCE: Final = 1_000
_ATTEMPTS: Final = 8
_BASE_SECONDS: Final = 0.02
_CAP_SECONDS: Final = 0.5


class LinkItem(Item):
    """See :class:`loyalty.audit.chain.Link`."""

    line = UnicodeAttribute()
    digest = UnicodeAttribute()
    previous = UnicodeAttribute()
    hash = UnicodeAttribute()


class MarkItem(Item):
    """That a line is linked."""

    number = IntegerAttribute()


class HeadItem(Item):
    """See :class:`loyalty.audit.chain.Head`."""

    number = IntegerAttribute()
    hash = UnicodeAttribute()
    follows_day = UnicodeAttribute(null=True)
    follows_number = IntegerAttribute(null=True)
    follows_hash = UnicodeAttribute(null=True)


class ScopeItem(Item):
    """A scope, and its day that was begun last."""

    day = UnicodeAttribute()


class ChainStore:
    """Links lines, each once, and reads chains."""

    def __init__(self, table: Table, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._sleep = sleep

    def link(self, scope: str, day: date, lines: Sequence[RawItem]) -> int:
        """Links those of a day's lines that are not linked yet, in their order; how many.

        Raises:
            Unavailable: others linked lines of this day all the time.
        """
        found = {raw["sk"]["S"]: digest_of(raw) for raw in lines}
        waiting = self._missing(scope, day, list(found))
        made, attempt = 0, 0
        while waiting:
            chunk = waiting[:AT_ONCE]
            try:
                self._append(scope, day, [(sk, found[sk]) for sk in chunk])
            except TransactionRefused:
                self._sleep(jitter(attempt, base=_BASE_SECONDS, cap=_CAP_SECONDS))
                attempt += 1
                if attempt == _ATTEMPTS:
                    raise Unavailable(f"The chain of '{scope}' on {day} is being written at this moment.") from None
                waiting = self._missing(scope, day, waiting)  # whoever was faster may have linked some
                continue
            made, attempt, waiting = made + len(chunk), 0, waiting[AT_ONCE:]
        return made

    def catch_up(self, scope: str, day: date) -> int:
        """Links what the table has of a day and its chain has not, as after the stream lost it; how many."""
        lines = (raw for raw in self._table.query_all(trail(scope, day)) if raw["sk"]["S"].startswith(LINE_PREFIX))
        made = 0
        while some := list(islice(lines, _CAUGHT_UP_AT_ONCE)):  # a day may be longer than the function's memory
            made += self.link(scope, day, some)
        return made

    def head(self, scope: str, day: date) -> Head | None:
        """How far the chain of a day is; None where none was begun."""
        item = self._table.get(HeadItem, links_pk(scope, day), HEAD_SK)
        return None if item is None else head_of(scope, day, item)

    def scopes(self) -> dict[str, date]:
        """Every scope that has a chain, and the day that was begun last."""
        found = self._table.query_all(SCOPES_PK)
        items = (ScopeItem.from_raw_data(raw) for raw in found)
        return {item.sk.removeprefix(SCOPE_PREFIX): date.fromisoformat(item.day) for item in items}

    def days(self, scope: str) -> Iterator[Head]:
        """The heads of a scope's days, the one that was begun last first; ends where one is missing."""
        day = self.scopes().get(scope)
        while day is not None and (head := self.head(scope, day)) is not None:
            yield head
            day = head.follows.day if head.follows else None

    def stored(self, scope: str, day: date) -> Iterator[RawItem]:
        """Everything of a day's chain, in the order of the sort keys: the head, the links, the marks."""
        return self._table.query_all(links_pk(scope, day))

    def behind(self, scope: str, day: date, number: int) -> list[RawItem]:
        """The head as it is now, the links behind that of ``number``, and their marks: what came while a chain was read."""
        pk = links_pk(scope, day)
        later = LinkItem.sk.between(link_sk(number + 1), f"{LINK_PREFIX}:")
        links = list(self._table.query_all(pk, where=later))
        wanted = [HEAD_SK, *(mark_sk(raw["line"]["S"]) for raw in links)]
        for first in range(0, len(wanted), MOST_READS):
            keys = [(pk, sk) for sk in wanted[first : first + MOST_READS]]
            links += self._table.get_many(keys).values()
        return links

    def lines(self, scope: str, day: date) -> Iterator[RawItem]:
        """A day's lines, in the order of their moments."""
        return self._table.query_all(trail(scope, day))

    def _missing(self, scope: str, day: date, lines: Sequence[str]) -> list[str]:
        pk = links_pk(scope, day)
        marked: set[str] = set()
        for first in range(0, len(lines), MOST_READS):
            keys = [(pk, mark_sk(one)) for one in lines[first : first + MOST_READS]]
            marked |= {sk for _, sk in self._table.get_many(keys)}
        return [one for one in lines if mark_sk(one) not in marked]

    def _append(self, scope: str, day: date, lines: Sequence[tuple[str, str]]) -> None:
        pk, known = links_pk(scope, day), self.head(scope, day)
        operations: list[Operation] = []
        before = known or self._cut(scope, day)
        if before is None:
            before, begin = self._begin(scope, day)
            operations.append(begin)
        after, links = grown(before, lines)
        still = (HeadItem.number == before.number) & (HeadItem.hash == before.hash)
        operations.append(Put(_head_item(after), still if known else HeadItem.pk.does_not_exist()))
        for link in links:
            operations.append(Put(link_item(pk, link), LinkItem.pk.does_not_exist()))
            mark = MarkItem(pk, mark_sk(link.line), number=link.number)
            operations.append(Put(mark, MarkItem.pk.does_not_exist()))
        self._table.write(operations)

    def _cut(self, scope: str, day: date) -> Head | None:
        """Of a chain whose head somebody removed: where its links end. What it followed is lost, and verify tells of that.

        Without it every later line of the day would be refused, and those behind them in the stream would wait.
        """
        last = self._table.query(
            links_pk(scope, day), where=LinkItem.sk.startswith(LINK_PREFIX), newest_first=True, limit=1
        ).items
        if not last:
            return None
        link = link_of(last[0])
        return Head(scope, day, link.number, link.hash, None)

    def _begin(self, scope: str, day: date) -> tuple[Head, Put]:
        """A day's empty chain, which follows the one that was begun last; and what says that it is this one now."""
        known = self._table.get(ScopeItem, SCOPES_PK, SCOPE_PREFIX + scope)
        item = ScopeItem(SCOPES_PK, SCOPE_PREFIX + scope, day=day.isoformat())
        if known is None:
            return Head.begun(scope, day, None), Put(item, ScopeItem.pk.does_not_exist())
        last = self.head(scope, date.fromisoformat(known.day))
        if last is None:
            # Linking goes on all the same: what happens now is worth more than what somebody did to that day.
            last = Head.begun(scope, date.fromisoformat(known.day), None)
        follows = Follows(last.day, last.number, last.hash)
        return Head.begun(scope, day, follows), Put(item, ScopeItem.day == known.day)


def links_pk(scope: str, day: date) -> str:
    """The partition of the chain of a scope's day."""
    return f"{AUDIT_LINKS_PREFIX}{scope}#{day.isoformat()}"


def link_sk(number: int) -> str:
    """The sort key of a link; in the order of the numbers."""
    return f"{LINK_PREFIX}{number:08d}"


def mark_sk(line: str) -> str:
    """The sort key of what says that a line is linked."""
    return MARK_PREFIX + line.removeprefix(LINE_PREFIX)


def link_of(raw: RawItem) -> Link:
    """The link that an item holds."""
    item = LinkItem.from_raw_data(raw)
    return Link(int(item.sk.removeprefix(LINK_PREFIX)), item.line, item.digest, item.previous, item.hash)


def head_of(scope: str, day: date, item: HeadItem) -> Head:
    """The head that an item holds."""
    follows = None
    if item.follows_day is not None:
        follows = Follows(date.fromisoformat(item.follows_day), item.follows_number or 0, item.follows_hash or "")
    return Head(scope, day, item.number, item.hash, follows)


def _head_item(head: Head) -> HeadItem:
    follows = head.follows
    return HeadItem(
        links_pk(head.scope, head.day),
        HEAD_SK,
        number=head.number,
        hash=head.hash,
        follows_day=follows.day.isoformat() if follows else None,
        follows_number=follows.number if follows else None,
        follows_hash=follows.hash if follows else None,
    )


def link_item(pk: str, link: Link) -> LinkItem:
    """The item that holds a link."""
    return LinkItem(
        pk, link_sk(link.number), line=link.line, digest=link.digest, previous=link.previous, hash=link.hash
    )
