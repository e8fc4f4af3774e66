"""What a merge does to the two books, and when it is refused. Pure."""

from typing import Final

from loyalty.core.clock import local_date
from loyalty.core.errors import MemberHasOpenHolds, MergeLimitExceeded
from loyalty.ledger import movements
from loyalty.ledger.draft import Situation
from loyalty.ledger.model import Book, Movement, Wallet
from loyalty.programs.model import ProgramDocument

MAX_ABSORBED: Final = 10
"""Members that one may absorb, directly and through others: each is one more check in whatever is posted from then on."""


def require_free(book: Book) -> None:
    """A member can be absorbed while nothing is on its way.

    Raises:
        MemberHasOpenHolds: points are held for a redemption.
    """
    if book.holds or any(wallet.held for wallet in book.wallets.values()):
        raise MemberHasOpenHolds(
            f"Points of '{book.member_id}' are held for a redemption; capture or release it, then merge."
        )


def movements_of(survivor: Situation, absorbed: Situation) -> tuple[Movement, Movement]:
    """What the survivor gains and the absorbed loses: all wallets, pending points, debts, what counts towards tiers.

    Raises:
        MergeLimitExceeded: the survivor would have absorbed more than :data:`MAX_ABSORBED` members.
    """
    into, gone = survivor.book, absorbed.book
    taken_over = (gone.member_id, *gone.absorbed)
    if len({*into.absorbed, *taken_over}) > MAX_ABSORBED:
        raise MergeLimitExceeded(f"A member takes over {MAX_ABSORBED} others at most.")
    wallets = {name: wallet for name, wallet in gone.wallets.items() if wallet != Wallet()}
    gains = {name: movements.merge(into.wallet(name), wallet) for name, wallet in wallets.items()}
    losses = {name: movements.empty(wallet) for name, wallet in wallets.items()}
    return (
        Movement(gains, movements.without_zeros(gone.qualifying), absorbed=taken_over),
        Movement(
            losses,
            movements.without_zeros({year: -points for year, points in gone.qualifying.items()}),
            merged_into=into.member_id,
        ),
    )


def tier_after(document: ProgramDocument, survivor: Situation, absorbed: Situation) -> str | None:
    """The survivor's new tier, or None where it stays: the higher of both, or what their points of this year reach."""
    order = [tier.id for tier in document.tiers]
    year = str(local_date(survivor.now, document.zone).year)
    points = survivor.book.qualifying.get(year, 0) + absorbed.book.qualifying.get(year, 0)
    reached = (document.tier(absorbed.book.tier).id, document.tier_for(points).id)
    highest = max(reached, key=order.index)
    return highest if order.index(highest) > order.index(document.tier(survivor.book.tier).id) else None
