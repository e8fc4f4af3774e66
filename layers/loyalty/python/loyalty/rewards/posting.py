"""Postings that may turn out to be decided on more than was read: what the member, and those absorbed, redeemed before."""

from collections.abc import Callable, Sequence
from typing import Final

from loyalty.core.errors import Undecided, WalletBusy
from loyalty.ledger.draft import Decision, Posted, Posting, Situation
from loyalty.ledger.keys import partition
from loyalty.ledger.model import EntryKey, Scope
from loyalty.ledger.service import Ledger
from loyalty.programs.model import Program
from loyalty.rewards.holding import Wish
from loyalty.rewards.limits import LIMITS_SK, NotOfOneMoment, Taken
from loyalty.stock.claim import Claim

_READS: Final = 5
"""How often what a posting is decided on is read, where the first read shows that there is more."""

Decide = Callable[[Situation, Sequence[Taken], Claim | None], Decision | None]
"""Decides on what is read with the book, on what the member and whom they absorbed redeemed under limits, and on stock."""


def post_under_limits(
    ledger: Ledger, program: Program, member_id: str, key: EntryKey, *, wish: Wish, decide: Decide
) -> Posted | None:
    """Posts what is decided about a wish; None where that is nothing.

    Whom the member absorbed, the book says: where there is anybody, it is read again with what they redeemed. So it is
    where one shard of finite stock has too little, with all of them.

    Raises:
        LoyaltyError: see :meth:`Ledger.post`, and whatever ``decide`` raises.
    """
    limited = wish.is_limited(program)
    records = (LIMITS_SK,) if limited else ()

    def posting(absorbed: tuple[str, ...], claim: Claim | None) -> Posting:
        stock = [] if claim is None else claim.keys
        shared = [(partition(program.document.id, one), LIMITS_SK) for one in absorbed]

        def decided(situation: Situation) -> Decision | None:
            if limited and tuple(situation.book.absorbed) != absorbed:
                again = posting(tuple(situation.book.absorbed), claim)
                raise Undecided("This is decided on more than was read.", again=again)
            own = [Taken.read(situation.records.get(LIMITS_SK))] if limited else []
            try:
                return decide(situation, [*own, *(Taken.read(situation.shared.get(one)) for one in shared)], claim)
            except Undecided as more:
                if claim is None:
                    raise
                raise Undecided(more.detail, again=posting(absorbed, claim.of_all())) from None

        return Posting(key, wish.request_hash, decided, records=records, shared=[*shared, *stock])

    return post(ledger, program.scope, member_id, posting((), wish.claim(program, key.source_id)))


def post(ledger: Ledger, scope: Scope, member_id: str, posting: Posting) -> Posted | None:
    """Posts it, or what is to be posted in its place, which reads more.

    Raises:
        WalletBusy: what it depends on changes every time.
        LoyaltyError: see :meth:`Ledger.post`.
    """
    for _ in range(_READS):
        try:
            return ledger.post(scope, member_id, posting)
        except Undecided as undecided:
            if not isinstance(undecided.again, Posting):
                raise
            posting = undecided.again
        except NotOfOneMoment:
            continue  # read again, what was older is at least as new as what was read with it
    raise WalletBusy("What this depends on is being changed at the moment; send the same request again.")
