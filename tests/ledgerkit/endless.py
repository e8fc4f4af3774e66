"""Tables as long as one likes, of which nothing is kept: each item is made when it is read. For what memory takes."""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from loyalty.audit.chain import Head, digest_of, grown
from loyalty.audit.links import (
    HEAD_SK,
    SCOPE_PREFIX,
    SCOPES_PK,
    HeadItem,
    MarkItem,
    ScopeItem,
    link_item,
    links_pk,
    mark_sk,
)
from loyalty.audit.store import LINE_PREFIX, LineItem, trail
from loyalty.core.clock import to_text
from loyalty.core.table import Page, RawItem, Table
from tests.ledgerkit.clock import at
from tests.ledgerkit.trails import ACME

NOON = at("2026-03-16T12:00:00Z")
DAY = NOON.date()


def peak(work: Callable[[], object]) -> int:
    """Bytes that a piece of work takes at most, beside what was there."""
    work()  # whatever is made once is there
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class EndlessDay(Table):
    """A day of ``length`` lines, linked."""

    def __init__(self, length: int) -> None:
        self.length = length

    def query_all(self, pk: str, **_: Any) -> Iterator[RawItem]:
        if pk == SCOPES_PK:
            yield _raw(ScopeItem(SCOPES_PK, SCOPE_PREFIX + ACME, day=DAY.isoformat()))
        elif pk == links_pk(ACME, DAY):
            yield self.head
            yield from self._links()
            for number in range(1, self.length + 1):
                yield _raw(MarkItem(pk, mark_sk(_sk(number)), number=number))
        elif pk == trail(ACME, DAY):
            yield from (_line(number) for number in range(1, self.length + 1))

    def read(self, pk: str, sk: str) -> RawItem | None:
        return self.head if (pk, sk) == (links_pk(ACME, DAY), HEAD_SK) else None

    def get_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], RawItem]:
        return {(pk, sk): _line(int(sk.rpartition("#")[2], 16)) for pk, sk in keys if sk.startswith(LINE_PREFIX)}

    @cached_property
    def head(self) -> RawItem:
        last = Head.begun(ACME, DAY, None)
        for head, _ in self._chain():
            last = head
        return _raw(HeadItem(links_pk(ACME, DAY), HEAD_SK, number=last.number, hash=last.hash))

    def _links(self) -> Iterator[RawItem]:
        return (link for _, link in self._chain())

    def _chain(self) -> Iterator[tuple[Head, RawItem]]:
        head = Head.begun(ACME, DAY, None)
        for number in range(1, self.length + 1):
            head, (link,) = grown(head, [(_sk(number), digest_of(_line(number)))])
            yield head, _raw(link_item(links_pk(ACME, DAY), link))


class EndlessStatement(Table):
    """A member whose statement has ``length`` entries like ``entry``, and otherwise what ``table`` has."""

    def __init__(self, table: Table, entry: RawItem, length: int) -> None:
        self.__dict__ |= table.__dict__
        self.entry, self.length = entry, length

    def query(self, pk: str, **how: Any) -> Page:
        if how.get("index") is None:
            return super().query(pk, **how)
        first = int((how.get("start") or {"seq": {"N": "0"}})["seq"]["N"]) + 1
        last = min(first + how["limit"], self.length + 1)
        items = [self.entry | {"seq": {"N": str(seq)}} for seq in range(first, last)]
        return Page(items, None if last > self.length else {"seq": {"N": str(last - 1)}})


def _sk(number: int) -> str:
    return f"{LINE_PREFIX}{to_text(NOON + timedelta(milliseconds=number))}#{number:016x}"


def _line(number: int) -> RawItem:
    said: dict[str, Any] = {
        "action": "member.greeted",
        "target": f"members/mbr_{number}",
        "at": _sk(number)[5:29],
        "actor": "ann",
    }
    return _raw(LineItem(trail(ACME, DAY), _sk(number), **said, by="client:desk", before='{"was":1}', after='{"is":2}'))


def _raw(item: Any) -> RawItem:
    raw: RawItem = item.to_dynamodb_dict()
    return raw
