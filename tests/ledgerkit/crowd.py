"""A great number of members, written in bulk, for a few of whom something falls due."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from loyalty.core.table import RawItem
from loyalty.ledger.items import book_put
from loyalty.ledger.keys import due_shard, member_shard, partition
from loyalty.ledger.model import Book, Wallet
from tests.ledgerkit.bulk import load
from tests.ledgerkit.overdue import START, Overdue

DUE_ON: Final = "2026-03-20"
"""The day on which something falls due for the few."""


def gather(client: Any, world: Overdue, members: int, due: int, told: Callable[[int], None]) -> None:
    """Writes the books that accruals would have left, but not their entries, which no sweep reads."""
    load(client, world.table.name, _books(world, members, due), told=told)


def _books(world: Overdue, members: int, due: int) -> Iterator[RawItem]:
    living, pending = _book(world, pending=False), _book(world, pending=True)
    for number in range(members):
        member = f"mbr_{number:06}"
        book = pending if number % (members // due) == 0 else living
        program = world.program.document.id
        yield book | {
            "pk": {"S": partition(program, member)},
            "due_shard": {"S": due_shard(member)},
            "member_shard": {"S": member_shard(program, member)},
        }


def _book(world: Overdue, *, pending: bool) -> RawItem:
    lot, points = "2030-12-31", 10
    maturing = {f"{DUE_ON}/{lot}": points} if pending else {}
    wallet = Wallet(available=points, pending=sum(maturing.values()), lots={lot: points}, maturing=maturing)
    book = Book(
        world.program.document.id, "mbr_0", "bronze", seq=1, opened_at=START, settled_to=START,
        wallets={"points": wallet},
    )  # fmt: skip
    raw: RawItem = book_put(book, world.program.scope, read_at_seq=0).item.serialize()
    return raw
