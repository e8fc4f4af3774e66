"""Which decisions a page offers about a case. What may be done is decided where it is done; this saves a refusal."""

from dataclasses import dataclass

from loyalty.abuse.desk import Decision
from loyalty.abuse.model import Case, State
from loyalty.core.four_eyes import same_hands
from loyalty.people.model import Person


@dataclass(frozen=True, slots=True)
class CaseOffer:
    """What a person may do about a case, in the order of the buttons.

    ``asked``: they asked for the release, and somebody else has to agree. ``by_two``: a release that they ask for waits for
    somebody else.
    """

    decisions: tuple[Decision, ...] = ()
    asked: bool = False
    by_two: bool = False
    read_only: bool = False


def offer(case: Case, person: Person, *, takes_two: bool) -> CaseOffer:
    """What the person may do about the case; ``takes_two``: the program asks two people for a release."""
    if not person.may_decide(case.program):
        return CaseOffer(read_only=True)
    if not case.live:
        return CaseOffer()
    asked = takes_two and case.proposed is not None and same_hands(case.proposed.by.hands, [person.actor])
    decisions = {
        Decision.HOLD: not case.on_hold,
        Decision.RELEASE: not asked,
        Decision.CONFIRM: case.state is State.OPEN,
    }
    by_two = takes_two and case.proposed is None
    return CaseOffer(tuple(one for one, may in decisions.items() if may), asked=asked, by_two=by_two)


def last_word(case: Case, actor: str) -> str | None:
    """What a person decided about the case as it is: a decision, or ``asked`` for the release; None: it is not theirs."""
    ended = {State.RELEASED: Decision.RELEASE, State.CONFIRMED: Decision.CONFIRM}.get(case.state)
    if case.proposed is not None and case.proposed.by.actor == actor:
        return "asked"
    if ended is not None:
        return ended if case.decided is not None and case.decided.by.actor == actor else None
    held = case.on_hold and case.held is not None and case.held.by.actor == actor
    return Decision.HOLD if held else None
