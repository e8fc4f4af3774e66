"""Lists of the due index, page by page."""

from collections.abc import Iterator

import pytest
from pynamodb.attributes import UnicodeAttribute

from loyalty.core.listing import all_listed, listed
from loyalty.core.table import Delete, Item, Page, Put, RawItem, Table
from loyalty_contract import DUE_AT, DUE_INDEX_KEY

SHARD = "NOTES#open"


class NoteItem(Item):
    """Something that stands in a list, by when it was written."""

    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY)
    due_at = UnicodeAttribute(attr_name=DUE_AT)


def name_of(raw: RawItem) -> str:
    return str(raw["pk"]["S"])


@pytest.fixture
def notes(table: Table) -> Table:
    for name, at in (("late", "2026-03-15"), ("first", "2026-03-13"), ("second", "2026-03-14")):
        table.write([Put(NoteItem(name, "NOTE", due_shard=SHARD, due_at=at))])
    table.write([Put(NoteItem("other", "NOTE", due_shard="NOTES#closed", due_at="2026-03-13"))])
    return table


def pages(table: Table, limit: int) -> Iterator[list[str]]:
    after: str | None = None
    while True:
        page = listed(table, SHARD, name_of, limit=limit, after=after)
        yield list(page.items)
        if page.next is None:
            return
        after = page.next


def test_a_list_comes_in_its_order_page_by_page(notes: Table) -> None:
    assert list(pages(notes, 2)) == [["first", "second"], ["late"]]
    assert list(pages(notes, 10)) == [["first", "second", "late"]]
    assert list(all_listed(notes, SHARD, name_of)) == ["first", "second", "late"]


def test_an_empty_list_is_one_empty_page(table: Table) -> None:
    assert list(pages(table, 2)) == [[]]


class Lagging(Table):
    """Its index still has a note that is gone."""

    def sorted_page(self, shard: str, *, after: str, limit: int) -> Page:
        page = super().sorted_page(shard, after=after, limit=limit)
        gone: RawItem = {"pk": {"S": "gone"}, "sk": {"S": "NOTE"}, DUE_AT: {"S": "2026-03-12"}}
        return Page([gone, *page.items], page.last_key)


def test_what_went_since_the_index_was_written_is_left_out(notes: Table) -> None:
    notes.write([Delete(NoteItem, "second", "NOTE")])
    notes.__class__ = Lagging
    assert list(all_listed(notes, SHARD, name_of)) == ["first", "late"]


def test_of_no_key_there_is_nothing(table: Table) -> None:
    assert table.get_many([]) == {}
