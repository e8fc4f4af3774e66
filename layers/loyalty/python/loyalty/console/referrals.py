"""Which decisions a page offers about a referral. What may be done is decided where it is done; this saves a refusal."""

from dataclasses import dataclass

from loyalty.attribution.model import Referral, ReferralStatus
from loyalty.core.four_eyes import same_hands
from loyalty.people.model import Person
from loyalty.referrals.decisions import asked, hands_of_appealed
from loyalty.referrals.desk import Decision


@dataclass(frozen=True, slots=True)
class ReferralOffer:
    """What a person may do about a referral, in the order of the buttons.

    ``asked``: they asked for it, and somebody else has to agree. ``by_two``: what they ask for waits for somebody else.
    ``appealed``: what they rejected was appealed, so that somebody else decides.
    """

    decisions: tuple[Decision, ...] = ()
    asked: bool = False
    by_two: bool = False
    appealed: bool = False
    read_only: bool = False


def offer(referral: Referral, person: Person, *, takes_two: bool) -> ReferralOffer:
    """What the person may do; ``takes_two``: the program asks two people for an approval or a revocation."""
    if not person.may_decide(referral.program):
        return ReferralOffer(read_only=True)
    if referral.waits and same_hands(hands_of_appealed(referral), [person.actor]):
        return ReferralOffer(appealed=True)
    proposed = asked(referral)
    own = takes_two and proposed is not None and same_hands(proposed.hands, [person.actor])
    by_two = takes_two and proposed is None
    if referral.waits:
        mine = (Decision.REJECT,) if own else (Decision.APPROVE, Decision.REJECT)
        return ReferralOffer(mine, asked=own, by_two=by_two and not referral.decisions)
    if referral.status is ReferralStatus.REWARDED and not referral.revoked:
        return ReferralOffer(() if own else (Decision.REVOKE,), asked=own, by_two=by_two)
    return ReferralOffer()


def last_word(referral: Referral, actor: str) -> str | None:
    """What a person decided about the referral as it is: a decision, or ``asked`` for one; None: it is not theirs."""
    if (proposed := asked(referral)) is not None:
        return "asked" if proposed.actor == actor else None
    if not referral.decisions or referral.waits or (last := referral.decisions[-1]).actor != actor:
        return None
    if last.approved:
        return Decision.APPROVE
    return Decision.REVOKE if referral.rewarded is not None else Decision.REJECT
