"""Which page answers which path; who may see it; what becomes of errors."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Final

from functions.console import cases as case_pages
from functions.console import referrals as referral_pages
from functions.console import reports as report_pages
from functions.console import runs as run_pages
from functions.console import totals as total_pages
from functions.console.visit import Guest, Here
from loyalty.abuse.desk import CaseDesk
from loyalty.console.assets import static_files
from loyalty.console.cookies import Cookies
from loyalty.console.errors import FormRefused, PageNotFound, SignInRefused
from loyalty.console.languages import Language, choose, languages
from loyalty.console.pages import Pages, Visit
from loyalty.console.reports import Reports
from loyalty.console.session import SESSION, Sessions
from loyalty.console.sign_in import SignIn
from loyalty.console.web import Answer, Headers, Request, own_page, see_other, with_query
from loyalty.core import problems
from loyalty.core.clock import Clock
from loyalty.core.errors import LoyaltyError
from loyalty.core.http import origin_of
from loyalty.core.origin import coming_from, current
from loyalty.core.telemetry import count, logger, metrics
from loyalty.finance.review import Decider
from loyalty.finance.services import FinanceServices
from loyalty.referrals.desk import ReferralDesk

LANGUAGE: Final = "language"
LANGUAGE_LASTS: Final = timedelta(days=365)
_YEAR: Final = "public, max-age=31536000, immutable"
_FRAMES: Final = 6


class Console:
    """The pages of one stage, put together of their parts."""

    def __init__(
        self,
        *,
        pages: Pages,
        headers: Headers,
        cookies: Cookies,
        sessions: Sessions,
        sign_in: SignIn,
        finance: FinanceServices,
        decisions: Decider,
        reports: Reports | None,
        cases: CaseDesk,
        referrals: ReferralDesk,
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._headers = headers
        self._cookies = cookies
        self._sessions = sessions
        self._sign_in = sign_in
        self._finance = finance
        self._decisions = decisions
        self._reports = reports
        self._cases = cases
        self._referrals = referrals
        self._clock = clock

    def answer(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answers one proxy event. Never raises: what goes wrong is a page, logged without what was sent."""
        return _observed(event, context, self)

    def attempt(self, event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
        """The answer, or the page that says what went wrong."""
        language = choose(None, "")
        try:
            request = Request.of(event)
            language = choose(self._cookies.read(request.cookies, LANGUAGE), request.headers.get("accept-language", ""))
            with coming_from(origin_of(event)):
                answer = self._route(request, language)
        except Exception as error:  # noqa: BLE001 - the outermost boundary: whatever it is becomes a page
            answer = self._failed(error, language, request_id)
        return self._headers.proxy_answer(answer)

    def _route(self, request: Request, language: Language) -> Answer:
        match request.method, *request.parts:
            case "GET", "static", name:
                return _static(name)
            case "GET", *parts if (chosen := request.query.get("lang")) in languages():
                value = self._cookies.set(LANGUAGE, str(chosen), LANGUAGE_LASTS)
                back = with_query(request.query, lang=None)
                return see_other(self._pages.path(*map(_safe, parts)) + ("" if back == "?" else back), value)
            case "GET", "sign-in":
                return see_other(*self._sign_in.begin(own_page(request.query.get("to", ""))))
            case "GET", "signed-in":
                return self._signed_in(request)
        found = self._sessions.find(request.cookies)
        if found is None:
            return self._welcome(request, language)
        session, person = found
        visit = Visit(language, "/".join(request.parts), request.query, session, person)
        if request.method == "POST":
            self._require_own_form(request, visit)
        elif request.method != "GET":
            raise PageNotFound("Pages are read with GET; forms are sent with POST.")
        with coming_from(replace(current(), by=person.actor)):
            answer = self._page(request, visit)
        renewal = self._sessions.renewal(session)
        return replace(answer, cookies=(renewal, *answer.cookies)) if renewal and not answer.cookies else answer

    def _page(self, request: Request, visit: Visit) -> Answer:
        assert visit.session is not None  # noqa: S101 - for the type checker: the caller found it
        match request.method, *request.parts:
            case "POST", "sign-out":
                return see_other(self._sign_in.out(), self._sessions.end(visit.session))
            case ("GET",):
                if not visit.programs:
                    return self._welcome(request, visit.language, visit)
                return see_other(self._pages.path(visit.programs[0], "runs"))
            case _, program, *rest if visit.person is not None and visit.person.may_read(program):
                return self._program_page(request, replace(visit, program=program), rest)
        raise PageNotFound("There is no such page for this person.")

    def _program_page(self, request: Request, visit: Visit, rest: Sequence[str]) -> Answer:
        here = Here(self._pages, visit, request, self._clock)
        match request.method, *rest:
            case "GET", "totals":
                return total_pages.totals(here, self._finance.totals)
            case "GET", "export":
                return total_pages.export(here, self._finance.exports)
            case _, "runs", *which:
                return self._runs_page(here, which)
            case _, "reports", *which:
                return self._reports_page(here, which)
            case _, "cases", *which:
                return self._cases_page(here, which)
            case _, "referrals", *which:
                return self._referrals_page(here, which)
        raise PageNotFound("There is no such page.")

    def _runs_page(self, here: Here, which: Sequence[str]) -> Answer:
        match here.request.method, *which:
            case ("GET",):
                return run_pages.queue(here, self._finance.review)
            case "GET", redemption_id:
                return run_pages.detail(here, self._finance.review, redemption_id)
            case "POST", redemption_id:
                return run_pages.decide(here, self._finance.review, self._decisions, redemption_id)
        raise PageNotFound("There is no such page.")

    def _reports_page(self, here: Here, which: Sequence[str]) -> Answer:
        match here.request.method, *which:
            case ("GET",):
                return report_pages.listing(here, self._reports)
            case "GET", supplier, day:
                return report_pages.detail(here, self._reports, supplier, _day(day))
            case "POST", supplier, day:
                return report_pages.resolve(here, self._reports, supplier, _day(day))
        raise PageNotFound("There is no such page.")

    def _cases_page(self, here: Here, which: Sequence[str]) -> Answer:
        match here.request.method, *which:
            case ("GET",):
                return case_pages.listing(here, self._cases)
            case "GET", member_id:
                return case_pages.detail(here, self._cases, member_id)
            case "POST", member_id:
                return case_pages.decide(here, self._cases, member_id)
        raise PageNotFound("There is no such page.")

    def _referrals_page(self, here: Here, which: Sequence[str]) -> Answer:
        match here.request.method, *which:
            case ("GET",):
                return referral_pages.listing(here, self._referrals)
            case "GET", member_id:
                return referral_pages.detail(here, self._referrals, member_id)
            case "POST", member_id:
                return referral_pages.decide(here, self._referrals, member_id)
        raise PageNotFound("There is no such page.")

    def _signed_in(self, request: Request) -> Answer:
        finish = self._sign_in.finish
        session, page = finish(request.cookies, request.query.get("code"), request.query.get("state"))
        count("ConsoleSignIns")
        logger.info("signed in", extra={"person": session.person_id})
        back = self._pages.path(*own_page(page).split("/")) if own_page(page) else self._pages.path()
        return see_other(back, self._sessions.cookie(session), self._sign_in.forget())

    def _welcome(self, request: Request, language: Language, visit: Visit | None = None) -> Answer:
        """What who is not signed in sees, whatever they asked for; a form that came too late does nothing.

        After signing in they see the page that they asked for.
        """
        visit = visit or Visit(language, "", request.query)
        refused = bool(request.parts) and visit.session is None
        had_one = self._cookies.read(request.cookies, SESSION) is not None
        message = language.say("session_over" if had_one else "sign_in_first") if refused else None
        status = HTTPStatus.UNAUTHORIZED if refused else HTTPStatus.OK
        to = own_page("/".join(request.parts))
        return Answer(status, self._pages.render("welcome.html", visit, message=message, to=to))

    def _require_own_form(self, request: Request, visit: Visit) -> None:
        """A form is taken from a page of this session alone: by its token, and by its origin where that is said."""
        site = request.headers.get("sec-fetch-site", "same-origin")
        if visit.session is None or site != "same-origin" or not visit.session.owns(request.form.get("csrf")):
            raise FormRefused("The form is not of this session.")

    def _failed(self, error: Exception, language: Language, request_id: str) -> Answer:
        if isinstance(error, SignInRefused):
            logger.warning("sign-in refused", extra={"why": error.detail})
            count("ConsoleSignInsRefused")
            body = self._pages.render("welcome.html", Guest(language), message=language.say("sign_in_failed"), to="")
            return Answer(HTTPStatus.UNAUTHORIZED, body, cookies=(self._sign_in.forget(),))
        problem = problems.of(error)
        if problem.status >= 500:
            _report(error)
        said = {404: "error.not_found", FormRefused.code: "error.csrf"}
        key = said.get(problem.code) or said.get(problem.status)
        if key is None:
            key = "error.internal" if problem.status >= 500 else "error.bad"
        message = language.say(key, id=request_id)
        return Answer(problem.status, self._pages.render("error.html", Guest(language), message=message))


@logger.inject_lambda_context(clear_state=True, log_event=False)
def _observed(event: Mapping[str, Any], _context: Any, console: Console) -> dict[str, Any]:
    request_id = str((event.get("requestContext") or {}).get("requestId"))
    logger.set_correlation_id(request_id)
    try:
        return console.attempt(event, request_id)
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()


def _static(name: str) -> Answer:
    for file in static_files().values():
        if file.name == name:
            return Answer(HTTPStatus.OK, file.text, file.content_type, {"Cache-Control": _YEAR})
    raise PageNotFound("There is no such file.")


def _safe(part: str) -> str:
    """A part of a path for a redirect: of letters that ours have, so that it leads nowhere else."""
    if not all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in part):
        raise PageNotFound("There is no such page.")
    return part


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PageNotFound("There is no such day.") from None


def _report(error: Exception) -> None:
    """Where it happened, but not the exception's text, which may carry what was sent."""
    count("UnexpectedError" if not isinstance(error, LoyaltyError) else "ConsoleUnavailable")
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]]
    logger.error("failed", extra={"error_type": type(error).__name__, "frames": frames})
