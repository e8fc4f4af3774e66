"""Expiry by inactivity: what a member does keeps their whole balance alive."""

from collections.abc import Callable, Sequence

from loyalty.core.ids import request_hash
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.model import Entry, EntryKey, EntryKind, Facts, Movement


def renewal(wallet_id: str, lot: str) -> Callable[[Entry], Sequence[Posting]]:
    """What follows an activity (``Decision.then``): all that would expire before ``lot`` moves to it.

    An entry of its own, so that the entry of the activity says what it earned or took and nothing else. Since lots
    end with a month, there is one a month at most.
    """

    def following(cause: Entry) -> list[Posting]:
        def decide(situation: Situation) -> Decision | None:
            change = movements.renew(situation.book.wallet(wallet_id), lot)
            if change is None:
                return None
            return Decision(Movement({wallet_id: change}), Facts(situation.now, cause.facts.program_version))

        key = EntryKey(EntryKind.RENEWAL, wallet_id, cause.entry_id)
        return [Posting(key, request_hash(cause.entry_id), decide)]

    return following
