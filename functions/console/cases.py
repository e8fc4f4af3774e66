"""Open cases of suspected abuse, and one with its evidence and decisions."""

from http import HTTPStatus
from typing import Final

from functions.console.runs import replace_section
from functions.console.visit import Here, Refusal, reason_of, why
from loyalty.abuse.desk import CaseDesk, Decision
from loyalty.abuse.model import Person
from loyalty.console.cases import last_word, offer
from loyalty.console.errors import FieldRefused, PageNotFound, PageOutdated
from loyalty.console.web import Answer, see_other
from loyalty.core import problems
from loyalty.core.errors import Conflict, Invalid, Missing, Stale, Unacceptable
from loyalty.core.telemetry import count, logger

PAGE: Final = 25
_SECTION: Final = "cases"
_LONGEST_CURSOR: Final = 100
_DECIDED: Final = {Decision.RELEASE: ("release", "asked"), Decision.CONFIRM: ("confirm",), Decision.HOLD: ("hold",)}
"""Which last word says that a form was sent before."""


def listing(here: Here, desk: CaseDesk) -> Answer:
    """``GET …/cases``: what is open, the oldest first."""
    after = here.request.query.get("after")
    page = desk.open(here.program, limit=PAGE, after=after[:_LONGEST_CURSOR] if after else None)
    return replace_section(here, _SECTION).page("cases.html", cases=page.items, next=page.next)


def detail(here: Here, desk: CaseDesk, member_id: str, refusal: Refusal | None = None) -> Answer:
    """``GET …/cases/{member}``: what is held against a member, and what may be decided."""
    case = desk.get(here.program, member_id)
    message, told = _words_of(here, refusal) if refusal else (None, None)
    word = last_word(case, here.person.actor)
    return replace_section(here, _SECTION).page(
        "case.html",
        status=problems.of(refusal).status if refusal else HTTPStatus.OK,
        case=case,
        offer=offer(case, here.person, takes_two=desk.releases_take_two(here.program)),
        done=word if here.request.query.get("done") == "1" else None,
        message=message,
        detail=told,
        reason=here.request.form.get("reason", "") if refusal else "",
        reason_wrong=isinstance(refusal, FieldRefused),
    )


def decide(here: Here, desk: CaseDesk, member_id: str) -> Answer:
    """``POST …/cases/{member}``: one decision; its result is shown by the page of the case."""
    form, person = here.request.form, here.person
    if form.get("decision") not in set(Decision) or not person.may_decide(here.program):
        raise PageNotFound("There is no such decision for this person.")
    decision = Decision(form["decision"])
    try:
        case = desk.get(here.program, member_id)
        reason = reason_of(form.get("reason", ""))
        if form.get("revision") != str(case.revision):
            if last_word(case, person.actor) in _DECIDED[decision]:  # the form came twice, by a double click
                return _shown(here, member_id)
            raise PageOutdated("The case has changed since the page was shown.")
        desk.decide(decision, here.program, member_id, Person(person.actor), reason)
    except Missing:
        raise
    except (Conflict, Invalid, Stale, Unacceptable) as refusal:
        return detail(here, desk, member_id, refusal)
    count("RiskDecisions")
    logger.info("risk case", extra={"decision": decision.value, "member_id": member_id, "by": person.actor})
    return _shown(here, member_id)


def _shown(here: Here, member_id: str) -> Answer:
    return see_other(here.pages.path(here.program, "cases", member_id) + "?done=1")


def _words_of(here: Here, refusal: Refusal) -> tuple[str, str | None]:
    if isinstance(refusal, PageOutdated):
        return here.language.say("case.changed"), None
    return why(here, refusal)
