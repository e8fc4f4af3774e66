"""The one entry by which a member's book is closed for good. Pure, but for what it is given."""

from collections.abc import Callable, Sequence

from loyalty.core.errors import MemberMerged
from loyalty.core.table import Operation
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.model import ERASURE, Book, EntryKey, EntryKind, Facts
from loyalty.privacy.errors import ErasureBlocked
from loyalty.programs.model import Program


def closing(
    program: Program,
    member_id: str,
    *,
    actor: str | None,
    approved_by: str | None,
    records: Sequence[str],
    require_free: Callable[[Book], None],
    beside: Callable[[Situation], Sequence[Operation]],
) -> Posting:
    """A posting that forfeits all that the member has or owes, and lets nothing in any more.

    Args:
        program: whose version decides.
        member_id: the member; their id is the entry's identity, so that it is posted once, for ever.
        actor: who asked for the erasure, a staff id; None: the program's retention did.
        approved_by: the second person, where one was needed.
        records: sort keys of the member's partition that ``beside`` reads.
        require_free: refuses while anything is on its way to the member; it is asked for each book that was read. What
            is opened after that read moves the book, and a book that moved is not closed.
        beside: what else the transaction does.
    """

    def decide(situation: Situation) -> Decision:
        require_free(situation.book)
        facts = Facts(situation.now, program.version, reason=ERASURE, actor=actor, approved_by=approved_by)
        return Decision(movements.forfeit(situation.book, erased=True), facts, beside(situation))

    return Posting(EntryKey(EntryKind.FORFEITURE, ERASURE, member_id), "-", decide, records)


def require_unmerged(book: Book) -> None:
    """The book is not a part of somebody else's.

    Raises:
        MemberMerged: they were merged into another member.
    """
    if book.merged_into is not None:
        raise MemberMerged(
            f"'{book.member_id}' was merged into '{book.merged_into}'; erase that member, and with them this one.",
            member_id=book.member_id,
            into=book.merged_into,
        )


def require_no_holds(book: Book) -> None:
    """Nothing is on its way.

    Raises:
        ErasureBlocked: points are held for a redemption.
    """
    if book.holds or any(wallet.held for wallet in book.wallets.values()):
        raise ErasureBlocked(
            f"Points of '{book.member_id}' are held for a redemption; capture or release it, then erase the member."
        )
