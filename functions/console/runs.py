"""The queue, and a run with its timeline and decisions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from pydantic import ValidationError

from functions.console.visit import Here, day_of, note_of, why
from loyalty.console.errors import FieldRefused, NoteMissing, NoteRefused, NoteTooLong, PageNotFound, PageOutdated
from loyalty.console.offers import DECISIONS, NEEDS_NOTE, TAKES, offer, standing, under_way
from loyalty.console.web import Answer, see_other
from loyalty.core import problems
from loyalty.core.errors import Conflict, Invalid, Missing, Stale, TooManyDecimals, Unacceptable, UnknownCurrency
from loyalty.core.fields import MoneyBody
from loyalty.core.money import Money
from loyalty.core.telemetry import count, logger
from loyalty.finance.filters import FOR_A_PERSON, RunFilter
from loyalty.finance.review import Decider, RunReview
from loyalty.fulfillment.run import ENDED, Run, RunStatus, Step

PAGE: Final = 25
_FIELDS: Final = ("status", "supplier", "reason", "currency", "amount_from", "amount_to", "older_than")
_SECTION: Final = "runs"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a decision was not taken: in the reader's words, and where these do not tell all, in the refusal's own."""

    status: int
    message: str
    detail: str | None = None
    note: str = ""
    note_wrong: bool = False


def queue(here: Here, review: RunReview) -> Answer:
    """``GET …/runs``: what needs a person, all that is open, or what ended on a day."""
    query = here.request.query
    show = query.get("show", "waiting")
    if show not in ("waiting", "open", "ended"):
        raise PageNotFound("There is no such list.")
    today = here.clock().date()
    form = {name: query.get(name, "").strip() for name in _FIELDS}
    choices = ENDED if show == "ended" else FOR_A_PERSON if show == "waiting" else frozenset(RunStatus) - ENDED
    runs: list[Run] = []
    following, trouble, ended_on = None, None, query.get("ended_on") or today.isoformat()
    try:
        day = day_of(ended_on) if show == "ended" else None
        wanted = _filter(form)
        if show == "waiting" and not wanted.statuses:
            wanted = replace(wanted, statuses=FOR_A_PERSON)
        listed = review.list(here.program, day, wanted, limit=PAGE, after=_position(query.get("after")))
        runs, following = list(listed.items), listed.next
    except Invalid as refusal:
        trouble = why(here, refusal)
    if show == "open":
        runs.sort(key=lambda run: run.status not in FOR_A_PERSON)  # stable: each part stays the oldest first
    return replace_section(here).page(
        "runs.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if trouble else HTTPStatus.OK,
        show=show, form=form, ended_on=ended_on, runs=runs, next=following, trouble=trouble,
        statuses=[status for status in RunStatus if status in choices],
        reasons=_reasons(here, form["reason"]),
        filtered=any(form.values()), under_way=under_way,
    )  # fmt: skip


def detail(here: Here, review: RunReview, redemption_id: str, trouble: _Trouble | None = None) -> Answer:
    """``GET …/runs/{id}``: where a run stands, what was done, what may be decided."""
    run, steps = review.get(here.program, redemption_id)
    say = here.language.say

    def names(decisions: tuple[str, ...]) -> str:
        return here.language.together([say(f"decision.{one}") for one in decisions])

    return replace_section(here).page(
        "run.html",
        status=trouble.status if trouble else HTTPStatus.OK,
        run=run, steps=steps, offer=offer(run, here.person, here.clock()), standing=standing(run), names=names,
        under_way=under_way(run), done=_just_decided(here, run),
        message=trouble.message if trouble else None,
        detail=trouble.detail if trouble else None,
        note=trouble.note if trouble else "",
        note_wrong=trouble.note_wrong if trouble else False,
    )  # fmt: skip


def _just_decided(here: Here, run: Run) -> str | None:
    """Which decision brought the person here; not once the page is opened again later, or somebody else decided."""
    done = here.request.query.get("done")
    fresh = run.decided_at is not None and here.clock() - run.decided_at <= TAKES
    return done if done in DECISIONS and fresh and run.decided_by == here.person.actor else None


def decide(here: Here, review: RunReview, decisions: Decider, redemption_id: str) -> Answer:
    """``POST …/runs/{id}``: one decision; its result is shown by the page of the run."""
    form = here.request.form
    decision = form.get("decision", "")
    if decision not in DECISIONS or not here.person.may_decide(here.program):
        raise PageNotFound("There is no such decision for this person.")
    try:
        run, steps = review.get(here.program, redemption_id)
        note = note_of(form.get("note"), required=decision in NEEDS_NOTE)
        if form.get("standing") != standing(run):
            if _decided_so(steps, decision, here.person.actor, note):
                return _shown(here, redemption_id, decision)
            raise PageOutdated("The run has changed since the page was shown.")
        _decider(decisions)[decision](here.program, redemption_id, here.person.actor, note)
    except Missing:
        raise
    except (Conflict, Invalid, Stale, Unacceptable) as refusal:
        return detail(here, review, redemption_id, _trouble(here, refusal, form))
    count("FulfillmentDecisions")
    logger.info(
        "fulfillment decided",
        extra={"decision": decision, "redemption_id": redemption_id, "by": here.person.actor},
    )
    return _shown(here, redemption_id, decision)


def _shown(here: Here, redemption_id: str, decision: str) -> Answer:
    return see_other(here.pages.path(here.program, "runs", redemption_id) + f"?done={decision}")


def _decided_so(steps: Sequence[Step], decision: str, actor: str, note: str | None) -> bool:
    """Whether a form came twice, by a double click: the same person's last word was the same, with the same note."""
    last = next((step for step in reversed(steps) if step.by is not None), None)
    said = {"give_back": "resolve"}.get(decision, decision)
    return last is not None and (last.name, last.by, last.note) == (said, actor, note)


def _reasons(here: Here, asked: str) -> list[tuple[str, str]]:
    """The reasons to choose from, by what they are called; one that is asked for and has no name is among them."""
    codes = {*here.language.codes("reason"), *([asked] if asked else [])}
    return sorted(((code, here.language.name_of("reason", code)) for code in codes), key=lambda one: one[1].casefold())


def _decider(decisions: Decider) -> Mapping[str, Callable[[str, str, str, str | None], Run]]:
    return {
        "approve": lambda program, run, actor, note: decisions.approve(program, run, actor=actor, note=note),
        "reject": lambda program, run, actor, note: decisions.reject(program, run, actor=actor, note=note or ""),
        "retry": lambda program, run, actor, note: decisions.retry(program, run, actor=actor, note=note),
        "cancel": lambda program, run, actor, note: decisions.cancel(program, run, actor=actor, note=note or ""),
        "resolve": lambda program, run, actor, note: decisions.resolve(program, run, actor=actor, note=note or ""),
        "give_back": lambda program, run, actor, note: decisions.resolve(
            program, run, actor=actor, note=note or "", give_back=True
        ),
        "reissue": lambda program, run, actor, note: decisions.reissue(program, run, actor=actor, note=note or ""),
    }


def _trouble(here: Here, refusal: Conflict | Invalid | Stale | Unacceptable, form: Mapping[str, str]) -> _Trouble:
    note = form.get("note", "")
    message, detail = why(here, refusal, note)
    about_note = isinstance(refusal, NoteMissing | NoteRefused | NoteTooLong)
    return _Trouble(problems.of(refusal).status, message, detail, note, about_note)


def _filter(form: Mapping[str, str]) -> RunFilter:
    """The filter that a form says; what is left empty is not asked.

    Raises:
        FieldRefused: a field that cannot be; it names what its reader is told.
    """
    if form["status"] and form["status"] not in set(RunStatus):
        raise FieldRefused("There is no such status.", words="filter.status")
    return RunFilter(
        statuses=frozenset({RunStatus(form["status"])}) if form["status"] else frozenset(),
        supplier=form["supplier"] or None,
        reason=form["reason"] or None,
        amount_from=_money(form["amount_from"], form["currency"]),
        amount_to=_money(form["amount_to"], form["currency"]),
        older_than=timedelta(hours=_hours(form["older_than"])) if form["older_than"] else None,
    )


def _money(amount: str, currency: str) -> Money | None:
    if not amount:
        return None
    if not currency:
        raise FieldRefused("An amount is of a currency.", words="filter.currency_missing")
    try:
        return MoneyBody(value=amount, currency=currency.upper()).to_money()
    except UnknownCurrency:
        raise FieldRefused("There is no such currency.", words="filter.currency") from None
    except (TooManyDecimals, ValueError) as error:
        wrong = isinstance(error, ValidationError) and error.errors()[0]["loc"] == ("currency",)
        raise FieldRefused("It is no amount.", words="filter.currency" if wrong else "filter.amount") from None


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 8784):
        raise FieldRefused("An age is from one hour to a year.", words="filter.age")
    return int(text)


def _position(after: str | None) -> str | None:
    """Where a page goes on. It needs no signature: what it could be made to name is in the program's own list."""
    return after[:100] if after else None


def replace_section(here: Here, section: str = _SECTION) -> Here:
    """The same page, marked in the navigation."""
    return replace(here, visit=replace(here.visit, section=section))
