"""Reconciliation reports, their differences, and how these are closed."""

from datetime import date
from typing import Final

from functions.console.runs import replace_section
from functions.console.visit import Here, note_of, why
from loyalty.console.errors import PageNotFound
from loyalty.console.reports import Reports, days
from loyalty.console.web import Answer, see_other
from loyalty.core import problems
from loyalty.core.errors import Conflict, Invalid
from loyalty.core.telemetry import count, logger
from loyalty.reconciliation.errors import ReportNotFound
from loyalty.reconciliation.model import Difference, Report
from loyalty.suppliers.model import SUPPLIERS

PAGE: Final = 31
_SECTION: Final = "reports"


def listing(here: Here, reports: Reports | None) -> Answer:
    """``GET …/reports``: a supplier's days, with reports or with differences that are open."""
    supplier = here.request.query.get("supplier", SUPPLIERS[0])
    after = _cursor(here.request.query.get("after"))
    found, following = days(_existing(reports, supplier), supplier, limit=PAGE, after=after)
    return replace_section(here, _SECTION).page(
        "reports.html", suppliers=SUPPLIERS, supplier=supplier, days=found, next=following
    )


def detail(
    here: Here, reports: Reports | None, supplier: str, day: date, refusal: Conflict | Invalid | None = None
) -> Answer:
    """``GET …/reports/{supplier}/{day}``: a report and what it found."""
    store = _existing(reports, supplier)
    every = list(store.differences(supplier, day))
    report = _report(store, supplier, day, needed=not every)
    shown = [one for one in every if here.person.may_see_difference(one.program)]
    message, detail = why(here, refusal, here.request.form.get("note", "")) if refusal else (None, None)
    return replace_section(here, _SECTION).page(
        "report.html",
        status=problems.of(refusal).status if refusal else 200,
        supplier=supplier,
        day=day,
        report=report,
        differences=sorted(shown, key=lambda one: (not one.open, one.kind, one.external_id)),
        done=here.request.query.get("done") == "1",
        message=message,
        detail=detail,
    )


def resolve(here: Here, reports: Reports | None, supplier: str, day: date) -> Answer:
    """``POST …/reports/{supplier}/{day}``: closes one difference, with a note."""
    store = _existing(reports, supplier)
    wanted = here.request.form.get("difference", "")
    found = next((one for one in store.differences(supplier, day) if one.id == wanted), None)
    if found is None or not _may_resolve(here, found):
        raise PageNotFound("There is no such difference for this person.")
    try:
        note = note_of(here.request.form.get("note"), required=True)
        store.resolve(supplier, day, found.id, actor=here.person.actor, note=note or "")
    except (Conflict, Invalid) as refusal:
        return detail(here, reports, supplier, day, refusal)
    count("DifferencesResolved")
    logger.info("difference resolved", extra={"supplier": supplier, "kind": found.kind, "by": here.person.actor})
    return see_other(here.pages.path(here.program, "reports", supplier, day.isoformat()) + "?done=1")


def _cursor(after: str | None) -> str | None:
    """Where the list goes on: a day."""
    try:
        return date.fromisoformat(after).isoformat() if after else None
    except ValueError:
        raise PageNotFound("There is no such page of the list.") from None


def _may_resolve(here: Here, difference: Difference) -> bool:
    """Whoever decides about its program; of none, whoever sees it and decides about the program of the page."""
    return here.person.may_see_difference(difference.program) and here.person.may_decide(
        difference.program or here.program
    )


def _report(store: Reports, supplier: str, day: date, *, needed: bool) -> Report | None:
    """The report of a day; None where there is none and the day's differences are an invoice's."""
    try:
        return store.get(supplier, day)
    except ReportNotFound:
        if needed:
            raise
        return None


def _existing(reports: Reports | None, supplier: str) -> Reports:
    if reports is None or supplier not in SUPPLIERS:
        raise PageNotFound("There are no reports of such a supplier.")
    return reports
