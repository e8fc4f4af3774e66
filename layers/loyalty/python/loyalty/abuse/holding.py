"""Whether a member may take points out of the program, or give them away.

The hold is an attribute of the book itself. What takes points out reads the book anyway, and writes it only if it is on
hold, or not, as it was read: so the hold costs no further item, and nothing slips between a flag and what it stops.
"""

from loyalty.abuse.errors import RedemptionsOnHold
from loyalty.ledger.model import Book


def on_hold(book: Book) -> RedemptionsOnHold | None:
    """What to refuse a redemption with; None where there is no hold."""
    if not book.on_hold:
        return None
    return RedemptionsOnHold("Points of this member cannot be spent at the moment; the program's support knows more.")


def require_free(book: Book) -> None:
    """Whether points may leave the book, or reach whoever may spend them from it.

    Raises:
        RedemptionsOnHold: not before somebody has released the member.
    """
    refusal = on_hold(book)
    if refusal is not None:
        raise refusal
