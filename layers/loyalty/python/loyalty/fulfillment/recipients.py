"""Whether anybody is there to be shown another card, once the points of the first are spent.

Held points keep a member from being erased. Spent ones do not: a card that is ordered for them anew needs somebody who stays.
"""

from loyalty.core.errors import MemberErased
from loyalty.core.table import Check, Table
from loyalty.fulfillment.errors import RecipientErased
from loyalty.fulfillment.run import Run
from loyalty.ledger.keys import partition
from loyalty.ledger.store import LedgerStore
from loyalty.members.erasure import ErasureStatus
from loyalty.members.erasure_items import ERASURE_SK, erasure_of, not_approved
from loyalty.members.presence import present


class Recipients:
    """Reads whom a run is for: the member, or whom they were merged into."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._books = LedgerStore(table)

    def require(self, run: Run) -> list[Check]:
        """What has to hold when another card is begun: the member is one, and nobody has approved their erasure.

        Raises:
            RecipientErased: it does not hold.
        """
        try:
            book = self._books.current(run.program, run.member_id)
        except MemberErased as erased:
            raise RecipientErased("The member was erased; nobody could be shown another card.") from erased
        holder = run.member_id if book is None else book.member_id
        erasure = erasure_of(run.program, holder, self._table.read(partition(run.program, holder), ERASURE_SK))
        if erasure is not None and erasure.status is ErasureStatus.APPROVED:
            raise RecipientErased(
                "The member's erasure is approved; withdraw it, or wait for it, before another card is ordered."
            )
        return [present(run.program, holder), not_approved(run.program, holder)]
