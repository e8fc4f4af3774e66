"""Referrals that wait for a person, and one with what speaks against it and what was decided."""

from http import HTTPStatus
from typing import Final

from functions.console.runs import replace_section
from functions.console.visit import Here, Refusal, reason_of, why
from loyalty.abuse.model import Person
from loyalty.console.errors import FieldRefused, PageNotFound, PageOutdated
from loyalty.console.referrals import last_word, offer
from loyalty.console.web import Answer, see_other
from loyalty.core import problems
from loyalty.core.errors import Conflict, Invalid, Missing, Stale, Unacceptable
from loyalty.core.telemetry import count, logger
from loyalty.referrals.decisions import asked
from loyalty.referrals.desk import Decision, ReferralDesk

PAGE: Final = 25
_SECTION: Final = "referrals"
_LONGEST_CURSOR: Final = 150
_DECIDED: Final = {
    Decision.APPROVE: ("approve", "asked"),
    Decision.REJECT: ("reject",),
    Decision.REVOKE: ("revoke", "asked"),
}
"""Which last word says that a form was sent before."""
_COUNTED: Final = {
    Decision.APPROVE: "ReferralsApproved",
    Decision.REJECT: "ReferralsRejected",
    Decision.REVOKE: "ReferralsRevoked",
}


def listing(here: Here, desk: ReferralDesk) -> Answer:
    """``GET …/referrals``: what waits for a person, who has waited longest first."""
    after = here.request.query.get("after")
    page = desk.reviews.page(here.program, limit=PAGE, after=after[:_LONGEST_CURSOR] if after else None)
    return replace_section(here, _SECTION).page("referrals.html", referrals=page.items, next=page.next)


def detail(here: Here, desk: ReferralDesk, member_id: str, refusal: Refusal | None = None) -> Answer:
    """``GET …/referrals/{member}``: what speaks against a referral, and what may be decided."""
    referral = desk.reviews.get(here.program, member_id)
    message, told = _words_of(here, refusal) if refusal else (None, None)
    word = last_word(referral, here.person.actor)
    return replace_section(here, _SECTION).page(
        "referral.html",
        status=problems.of(refusal).status if refusal else HTTPStatus.OK,
        referral=referral,
        proposed=asked(referral),
        reproduced=desk.reviews.reproduced(referral),
        offer=offer(referral, here.person, takes_two=desk.takes_two(here.program)),
        done=word if here.request.query.get("done") == "1" else None,
        message=message,
        detail=told,
        reason=here.request.form.get("reason", "") if refusal else "",
        reason_wrong=isinstance(refusal, FieldRefused),
    )


def decide(here: Here, desk: ReferralDesk, member_id: str) -> Answer:
    """``POST …/referrals/{member}``: one decision; its result is shown by the page of the referral."""
    form, person = here.request.form, here.person
    if form.get("decision") not in set(Decision) or not person.may_decide(here.program):
        raise PageNotFound("There is no such decision for this person.")
    decision = Decision(form["decision"])
    try:
        referral = desk.reviews.get(here.program, member_id)
        reason = reason_of(form.get("reason", ""))
        if form.get("revision") != str(referral.revision):
            if last_word(referral, person.actor) in _DECIDED[decision]:  # the form came twice, by a double click
                return _shown(here, member_id)
            raise PageOutdated("The referral has changed since the page was shown.")
        after = desk.decide(decision, here.program, member_id, Person(person.actor), reason)
    except Missing:
        raise
    except (Conflict, Invalid, Stale, Unacceptable) as refusal:
        return detail(here, desk, member_id, refusal)
    count(_COUNTED[decision] if asked(after) is None else "ReferralDecisionsProposed")
    logger.info("referral review", extra={"decision": decision.value, "member_id": member_id, "by": person.actor})
    return _shown(here, member_id)


def _shown(here: Here, member_id: str) -> Answer:
    return see_other(here.pages.path(here.program, _SECTION, member_id) + "?done=1")


def _words_of(here: Here, refusal: Refusal) -> tuple[str, str | None]:
    if isinstance(refusal, PageOutdated):
        return here.language.say("referral.changed"), None
    return why(here, refusal)
