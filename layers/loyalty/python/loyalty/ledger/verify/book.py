"""Whether a book is what its entries add up to."""

from collections.abc import Mapping
from typing import Any

from loyalty.ledger.keys import BOOK_SK
from loyalty.ledger.model import POINTS, Account, Book, Entry, Wallet
from loyalty.ledger.verify.replay import State, Sums, wallet_of, without_zeros
from loyalty.ledger.verify.report import Problem, Problems


def check_book(book: Book, state: State) -> Problems:
    """Every difference between the book and ``state``, which all entries lead to."""
    for wallet_id in sorted({POINTS, *book.wallets, *state.wallets}):
        yield from _check_wallet(wallet_id, book.wallet(wallet_id), state.wallet(wallet_id))
    yield from _differences(
        {
            "seq": (book.seq, state.seq),
            "tier": (book.tier, state.tier or book.tier),
            "standings": (dict(book.standings), dict(state.standings)),
            "qualifying": (without_zeros(book.qualifying), without_zeros(state.qualifying)),
            "holds": (_holds(book), {key: _hold(entry) for key, entry in state.holds.items() if _times_out(entry)}),
            "merged_into": (book.merged_into, state.merged_into),
            "absorbed": (set(book.absorbed), set(state.absorbed)),
            "erased_at": (book.erased_at, state.erased_at),
        }
    )
    if state.posted_at is not None and (book.settled_to is None or book.settled_to < state.posted_at):
        detail = f"an entry was posted on {state.posted_at}, it says {book.settled_to}"
        yield Problem("wallet_settled_to_wrong", BOOK_SK, detail)


def _check_wallet(wallet_id: str, wallet: Wallet, sums: Sums) -> Problems:
    found = {
        "available": (wallet.available, sums.available),
        "pending": (wallet.pending, sums.of(Account.PENDING)),
        "held": (wallet.held, sums.of(Account.HELD)),
        "debt": (wallet.debt, sums.debt),
        "lots": (without_zeros(wallet.lots), without_zeros(sums.lots)),
        "maturing": (without_zeros(wallet.maturing), without_zeros(sums.maturing)),
    }
    yield from _differences(found, f" in '{wallet_id}'")


def _differences(found: Mapping[str, tuple[Any, Any]], place: str = "") -> Problems:
    for name, (said, expected) in found.items():
        if said != expected:
            yield Problem(f"wallet_{name}_wrong", BOOK_SK, f"entries add up to {expected}{place}, it says {said}")


def _times_out(entry: Entry) -> bool:
    return entry.facts.hold_expires_at is not None


def _holds(book: Book) -> dict[str, object]:
    return {key: (hold.wallet, dict(hold.lots), hold.expires_at, dict(hold.stock)) for key, hold in book.holds.items()}


def _hold(entry: Entry) -> object:
    wallet = wallet_of(entry)
    lots = {lot: -points for lot, points in entry.movement.change(wallet).lots.items()}
    return wallet, lots, entry.facts.hold_expires_at, dict(entry.facts.stock)
