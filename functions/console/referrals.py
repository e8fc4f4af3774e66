"""Referrals that wait for a person, and one with what speaks against it and what was decided."""

from typing import Final

from functions.console.deciding import Matter
from functions.console.runs import replace_section
from functions.console.visit import Here, Refusal
from loyalty.abuse.model import Person
from loyalty.attribution.model import Referral
from loyalty.console.referrals import last_word, offer
from loyalty.console.web import Answer
from loyalty.core.telemetry import count, logger
from loyalty.referrals.decisions import asked
from loyalty.referrals.desk import Decision, ReferralDesk

PAGE: Final = 25
_LONGEST_CURSOR: Final = 150
_REFERRALS: Final = Matter(
    "referrals",
    "referral",
    {Decision.APPROVE: ("approve", "asked"), Decision.REJECT: ("reject",), Decision.REVOKE: ("revoke", "asked")},
)
_COUNTED: Final = {
    Decision.APPROVE: "ReferralsApproved",
    Decision.REJECT: "ReferralsRejected",
    Decision.REVOKE: "ReferralsRevoked",
}


def listing(here: Here, desk: ReferralDesk) -> Answer:
    """``GET …/referrals``: what waits for a person, who has waited longest first."""
    after = here.request.query.get("after")
    page = desk.reviews.page(here.program, limit=PAGE, after=after[:_LONGEST_CURSOR] if after else None)
    return replace_section(here, _REFERRALS.section).page("referrals.html", referrals=page.items, next=page.next)


def detail(here: Here, desk: ReferralDesk, member_id: str, refusal: Refusal | None = None) -> Answer:
    """``GET …/referrals/{member}``: what speaks against a referral, and what may be decided."""
    referral = desk.reviews.get(here.program, member_id)
    return _REFERRALS.page(
        here,
        refusal,
        last_word(referral, here.person.actor),
        referral=referral,
        proposed=asked(referral),
        reproduced=desk.reviews.reproduced(referral),
        offer=offer(referral, here.person, takes_two=desk.takes_two(here.program)),
    )


def decide(here: Here, desk: ReferralDesk, member_id: str) -> Answer:
    """``POST …/referrals/{member}``: one decision; its result is shown by the page of the referral."""

    def read() -> tuple[Referral, str | None]:
        referral = desk.reviews.get(here.program, member_id)
        return referral, last_word(referral, here.person.actor)

    def act(decision: str, by: Person, reason: str) -> None:
        decided = Decision(decision)
        after = desk.decide(decided, here.program, member_id, by, reason)
        count(_COUNTED[decided] if asked(after) is None else "ReferralDecisionsProposed")
        logger.info("referral review", extra={"decision": decision, "member_id": member_id, "by": by.actor})

    return _REFERRALS.decide(
        here, member_id, read=read, act=act, refused=lambda refusal: detail(here, desk, member_id, refusal)
    )
