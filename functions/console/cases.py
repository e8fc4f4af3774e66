"""Open cases of suspected abuse, and one with its evidence and decisions."""

from typing import Final

from functions.console.deciding import Matter
from functions.console.runs import replace_section
from functions.console.visit import Here, Refusal
from loyalty.abuse.desk import CaseDesk, Decision
from loyalty.abuse.model import Case, Person
from loyalty.console.cases import last_word, offer
from loyalty.console.web import Answer
from loyalty.core.telemetry import count, logger

PAGE: Final = 25
_LONGEST_CURSOR: Final = 100
_CASES: Final = Matter(
    "cases",
    "case",
    {Decision.RELEASE: ("release", "asked"), Decision.CONFIRM: ("confirm",), Decision.HOLD: ("hold",)},
)


def listing(here: Here, desk: CaseDesk) -> Answer:
    """``GET …/cases``: what is open, the oldest first."""
    after = here.request.query.get("after")
    page = desk.open(here.program, limit=PAGE, after=after[:_LONGEST_CURSOR] if after else None)
    return replace_section(here, _CASES.section).page("cases.html", cases=page.items, next=page.next)


def detail(here: Here, desk: CaseDesk, member_id: str, refusal: Refusal | None = None) -> Answer:
    """``GET …/cases/{member}``: what is held against a member, and what may be decided."""
    case = desk.get(here.program, member_id)
    return _CASES.page(
        here,
        refusal,
        last_word(case, here.person.actor),
        case=case,
        offer=offer(case, here.person, takes_two=desk.releases_take_two(here.program)),
    )


def decide(here: Here, desk: CaseDesk, member_id: str) -> Answer:
    """``POST …/cases/{member}``: one decision; its result is shown by the page of the case."""

    def read() -> tuple[Case, str | None]:
        case = desk.get(here.program, member_id)
        return case, last_word(case, here.person.actor)

    def act(decision: str, by: Person, reason: str) -> None:
        desk.decide(Decision(decision), here.program, member_id, by, reason)
        count("RiskDecisions")
        logger.info("risk case", extra={"decision": decision, "member_id": member_id, "by": by.actor})

    return _CASES.decide(
        here, member_id, read=read, act=act, refused=lambda refusal: detail(here, desk, member_id, refusal)
    )
