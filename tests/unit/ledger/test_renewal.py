"""Expiry by inactivity: an activity is followed by an entry that moves the whole balance to a later lot."""

import pytest

from loyalty.core.table import Table
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.model import POINTS, Account, Change, Entry, EntryKind, Facts, Movement
from loyalty.ledger.renewal import renewal
from tests.unit.ledger.posting import Books, key

SOON, LATER, LAST = "2026-03-31", "2026-06-30", "2026-12-31"


@pytest.fixture
def books(table: Table) -> Books:
    return Books(table).open()


def active(name: str, lot: str, *, wallet: str = POINTS, points: int = 5) -> Posting:
    """Points earned into ``lot`` of a wallet, to which all that would expire before moves."""

    def decide(situation: Situation) -> Decision:
        change = movements.accrue(situation.book.wallet(wallet), points, lot=lot)
        return Decision(Movement({wallet: change}), Facts(situation.now, 7), then=renewal(wallet, lot))

    return Posting(key(name), "-", decide)


def last(books: Books) -> Entry:
    return books.entries()[-1]


@pytest.mark.parametrize("wallet", [POINTS, "stars"])
def test_what_would_expire_before_moves_in_an_entry_of_its_own(books: Books, wallet: str) -> None:
    books.post(active("R-1", SOON, wallet=wallet, points=20))
    books.post(active("R-2", LATER, wallet=wallet, points=30))
    books.post(active("R-3", LAST, wallet=wallet))
    assert books.ids() == [
        "accrual:pos:R-1",
        "accrual:pos:R-2",
        f"renewal:{wallet}:accrual:pos:R-2",
        "accrual:pos:R-3",
        f"renewal:{wallet}:accrual:pos:R-3",
    ]
    assert last(books).movement == Movement({wallet: Change(lots={LATER: -50, LAST: 50})})
    assert books.book().wallet(wallet).lots == {LAST: 55}


def test_it_is_dated_as_it_is_posted_and_decided_by_the_version_that_decided_the_activity(books: Books) -> None:
    books.post(active("R-1", SOON))
    books.clock.advance(hours=1)
    books.post(active("R-2", LATER))
    renewed = last(books)
    assert renewed.key.kind is EntryKind.RENEWAL
    assert renewed.facts == Facts(books.clock(), 7)


def test_where_nothing_would_expire_before_there_is_no_entry(books: Books) -> None:
    books.post(active("R-1", LATER))
    books.post(active("R-2", LATER))
    books.post(active("R-3", LATER, wallet="stars"))
    books.post(active("R-4", SOON))
    assert books.ids() == ["accrual:pos:R-1", "accrual:pos:R-2", "accrual:pos:R-3", "accrual:pos:R-4"]
    assert books.book().wallet().lots == {SOON: 5, LATER: 10}


def test_the_same_activity_again_renews_nothing_again(books: Books) -> None:
    books.post(active("R-1", SOON))
    for _ in range(2):
        books.post(active("R-2", LATER))
    assert books.ids() == ["accrual:pos:R-1", "accrual:pos:R-2", "renewal:points:accrual:pos:R-2"]
    assert last(books).movement.change().postings.get(Account.AVAILABLE, 0) == 0
