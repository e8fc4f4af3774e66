"""A member with a long history, written in bulk: the items that so many accruals would have left."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from loyalty.core.money import Money
from loyalty.core.table import RawItem
from loyalty.ledger import movements
from loyalty.ledger.items import book_put, entry_put
from loyalty.ledger.keys import entry_sk
from loyalty.ledger.model import POINTS, Book, Entry, EntryKey, EntryKind, Facts, Movement
from loyalty.programs.earning import lot_for
from tests.bench.engine import Running
from tests.bench.progress import bar
from tests.ledgerkit.bulk import load
from tests.ledgerkit.world import World


def write_history(running: Running, world: World, member: str, entries: int) -> None:
    """Gives a member, who has none yet, so many accruals of one point; an audit finds nothing wrong with them."""
    with bar(f"{entries:,} entries of one member", entries) as told:
        load(running.client, world.table.name, items(world, member, entries), told=told)


def items(world: World, member: str, entries: int) -> Iterator[RawItem]:
    """What a member has of so many accruals: one entry and the book as the store makes them; the other entries differ from it in four places."""
    now, document = world.clock() - timedelta(days=1), world.program.document
    lot, year = lot_for(document.expiry, now.date()), str(now.year)
    opened = Book(document.id, member, document.tiers[0].id, opened_at=now)

    def after(points: int) -> tuple[Movement, Book]:
        movement = Movement({POINTS: movements.accrue(opened.wallet(), points, lot=lot)}, qualifying={year: points})
        return movement, movements.apply(opened, movement, settled_to=now)

    movement, book = after(1)
    entry = Entry(
        program=document.id,
        member_id=member,
        key=_key(1),
        seq=1,
        movement=movement,
        after={POINTS: book.wallet().balances},
        facts=Facts(now, 1, {POINTS: "shop"}, activity="purchase", channel="web", amount=Money.of("10", "USD")),
        posted_at=now,
        request_hash="0" * 32,
    )
    first: RawItem = entry_put(entry).item.serialize()
    for number in range(1, entries + 1):
        count = {"N": str(number)}
        left = {"M": {POINTS: {"M": {"available": count}}}}
        yield {**first, "sk": {"S": entry_sk(_key(number))}, "seq": count, "after": left}
    _, book = after(entries)
    whole: RawItem = book_put(replace(book, seq=entries), world.program.scope, read_at_seq=0).item.serialize()
    yield whole


def _key(number: int) -> EntryKey:
    return EntryKey(EntryKind.ACCRUAL, "pos", f"H-{number:09}")
