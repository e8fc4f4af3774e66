"""Wallets drawn by hand."""

from collections.abc import Mapping
from datetime import date

from loyalty.ledger import movements
from loyalty.ledger.model import POINTS, Book, Change, Movement, ReversalPolicy, Wallet
from tests.ledgerkit.clock import at

EMPTY = Wallet()
NOW = at("2026-03-15T12:00:00Z")
TODAY = date(2026, 3, 15)
PAST, SOON, LATER, LAST = "2026-02-28", "2026-03-31", "2026-06-30", "2026-12-31"
DAY = date(2026, 3, 29)
WAITING = f"2026-03-29/{LATER}"

NEGATIVE, CLAMP, REFUSE = ReversalPolicy.ALLOW_NEGATIVE, ReversalPolicy.CLAMP_WITH_DEBT, ReversalPolicy.REFUSE


def wallet(
    lots: Mapping[str, int] | None = None,
    *,
    negative: int = 0,
    debt: int = 0,
    held: int = 0,
    maturing: Mapping[str, int] | None = None,
) -> Wallet:
    lots, maturing = lots or {}, maturing or {}
    return Wallet(sum(lots.values()) - negative, sum(maturing.values()), held, debt, lots, maturing)


def after(before: Wallet, change: Change) -> Wallet:
    """The wallet after the change, through the one function that applies it."""
    book = Book("acme", "mbr_1", "bronze", wallets={POINTS: before})
    return movements.apply(book, Movement({POINTS: change}), settled_to=NOW).wallet()
