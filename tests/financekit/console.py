"""The console over a table, its parts in this process: as a gateway's function, and as a server for browsers."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from functions.console.routes import Console
from infra.local.processes import LOOPBACK
from loyalty.abuse.desk import CaseDesk
from loyalty.console.cookies import Cookies, Sealer
from loyalty.console.pages import Pages
from loyalty.console.session import SESSION, Session, Sessions
from loyalty.console.sign_in import SignIn
from loyalty.console.tokens import Pool, Tokens
from loyalty.console.web import Headers
from loyalty.core.listing import Listed
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.finance.services import FinanceServices
from loyalty.people.store import PersonStore
from loyalty.reconciliation.errors import DifferenceAlreadyResolved, ReportNotFound
from loyalty.reconciliation.model import Difference, DifferenceKind, Report
from loyalty.referrals.desk import ReferralDesk
from tests.apikit.gateway import CONTEXT
from tests.apikit.keys import FakeKeys
from tests.financekit.pool import FakePool
from tests.financekit.runs import FakeDecisions
from tests.ledgerkit.clock import SettableClock, at

PREFIX: Final = "/restapis/abc/live/_user_request_"
POOL: Final = Pool("https://idp.test/pool", "https://idp.test/keys", "https://sign-in.test", "console-client")


@dataclass
class FakeReports:
    """Reports in memory, with the shape of reconciliation's store."""

    reports: dict[tuple[str, date], Report] = field(default_factory=dict)
    found: dict[tuple[str, date], list[Difference]] = field(default_factory=dict)

    def add(self, report: Report, *differences: Difference) -> None:
        self.reports[report.supplier, report.day] = report
        self.found[report.supplier, report.day] = list(differences)

    def page(self, supplier: str, *, limit: int, after: str | None = None) -> Listed[Report]:
        assert after is None
        own = sorted((one for one in self.reports.values() if one.supplier == supplier), key=lambda one: one.day)
        return Listed(own[::-1][:limit], None)

    def open_days(self, supplier: str, first: date, last: date) -> Counter[date]:
        listed = [(day, one) for (of, day), kept in self.found.items() if of == supplier for one in kept]
        return Counter(day for day, one in listed if one.open and first <= day <= last)

    def get(self, supplier: str, day: date) -> Report:
        if (supplier, day) not in self.reports:
            raise ReportNotFound("There is no report of that day.")
        return self.reports[supplier, day]

    def differences(self, supplier: str, day: date) -> Iterable[Difference]:
        return list(self.found.get((supplier, day), ()))

    def resolve(self, supplier: str, day: date, difference_id: str, *, actor: str, note: str) -> Difference:
        kept = self.found[supplier, day]
        (place,) = [place for place, one in enumerate(kept) if one.id == difference_id]
        if not kept[place].open:
            raise DifferenceAlreadyResolved("It is resolved already.")
        kept[place] = replace(kept[place], resolved_by=actor, resolved_at=at("2026-03-15T12:00:00Z"), note=note)
        return kept[place]


def a_report(day: str, **differences: int) -> Report:
    """Tremendous' report of a day."""
    return Report(
        supplier="tremendous",
        day=date.fromisoformat(day),
        made_at=at(f"{day}T00:00:00Z") + timedelta(days=1, hours=5),
        matched=1_204,
        ours={"USD": Money.of("30125.00", "USD")},
        theirs={"USD": Money.of("30100.00", "USD")},
        ours_count=1_206,
        theirs_count=1_205,
        differences=differences,
        csv_key=f"reconciliation/tremendous/{day}/report.csv",
        json_key=f"reconciliation/tremendous/{day}/report.json",
    )


def a_difference(kind: DifferenceKind, number: int, **more: Any) -> Difference:
    """A difference of 2026-03-13."""
    return Difference("tremendous", date(2026, 3, 13), kind, f"rdm_{number:026d}", f"ORD{number}", **more)


class ConsoleRig:
    """A console and everything that a test wants to hold of it."""

    def __init__(
        self, table: Table, *, url: str = "https://api.test/live/console", clock: SettableClock | None = None
    ) -> None:
        self.table = table
        self.clock = clock or SettableClock(at("2026-03-15T12:00:00Z"))
        self.people = PersonStore(table, self.clock)
        self.decisions = FakeDecisions(table, self.clock)
        self.reports = FakeReports()
        self.cookies = Cookies(secure=url.startswith("https://"))
        self.sealer = Sealer(FakeKeys(), self.clock)
        self.sessions = Sessions(self.sealer, self.cookies, self.people, self.clock)
        self.pool = FakePool(POOL, self.clock)
        self.url = url
        self.console = Console(
            pages=Pages(url),
            headers=Headers(url, POOL.sign_in_url),
            cookies=self.cookies,
            sessions=self.sessions,
            sign_in=SignIn(
                pool=POOL,
                tokens=Tokens(POOL, self.pool, self.clock),
                sealer=self.sealer,
                cookies=self.cookies,
                clock=self.clock,
                console_url=url,
            ),
            finance=FinanceServices.over(table, self.clock),
            decisions=self.decisions,
            reports=self.reports,
            cases=CaseDesk.over(table, self.clock),
            referrals=ReferralDesk.over(table, self.clock),
            clock=self.clock,
        )

    def session(self, person_id: str) -> tuple[Session, str]:
        """A session that just began, and its ``Cookie`` header."""
        session = Session.begin(person_id, f"{person_id}@example.com", self.clock())
        return session, self.sessions.cookie(session).partition(";")[0]

    def get(self, path: str, cookie: str = "", **headers: str) -> "Shown":
        return self._send("GET", path, cookie, "", headers)

    def post(self, path: str, cookie: str, form: Mapping[str, str], **headers: str) -> "Shown":
        sent = {"content-type": "application/x-www-form-urlencoded", **headers}
        return self._send("POST", path, cookie, urlencode(form), sent)

    def _send(self, method: str, path: str, cookie: str, body: str, headers: Mapping[str, str]) -> "Shown":
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | (
            {"Cookie": cookie} if cookie else {}
        )
        answer = self.console.answer(event_of(method, path, sent, body), CONTEXT)
        several: dict[str, Sequence[str]] = answer["multiValueHeaders"]
        one = {name: values[0] for name, values in several.items()}
        return Shown(answer["statusCode"], answer["body"], one, several.get("Set-Cookie", ()))


@dataclass(frozen=True)
class Shown:
    """An answer."""

    status: int
    text: str
    headers: Mapping[str, str]
    cookies: Sequence[str]

    def cookie(self) -> str:
        """The cookies that it sets, as the browser sends them back."""
        return "; ".join(one.partition(";")[0] for one in self.cookies if "Max-Age=0" not in one)


def event_of(method: str, path: str, headers: Mapping[str, str], body: str) -> dict[str, Any]:
    """A proxy event for a path below the stage: ``/console/…``, after what a domain of one's own puts before it."""
    parts = urlsplit(path)
    page = parts.path.partition("/console")[2].strip("/")
    return {
        "httpMethod": method,
        "resource": "/console/{page+}" if page else "/console",
        "path": parts.path,
        "pathParameters": {"page": page} if page else None,
        "headers": dict(headers),
        "queryStringParameters": dict(parse_qsl(parts.query, keep_blank_values=True)) or None,
        "requestContext": {"requestId": "req-1"},
        "body": body or None,
        "isBase64Encoded": False,
    }


@contextmanager
def served(table: Table) -> Iterator[ConsoleRig]:
    """A console that browsers reach on loopback, under a path as the local gateway's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET", "")

        def do_POST(self) -> None:
            self._answer("POST", self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())

        def _answer(self, method: str, body: str) -> None:
            answer = rig.console.answer(
                event_of(method, self.path.removeprefix(PREFIX), dict(self.headers), body), CONTEXT
            )
            self.send_response(answer["statusCode"])
            sent = answer["body"].encode()
            for name, values in answer["multiValueHeaders"].items():
                for value in values:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the class above
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    rig = ConsoleRig(table, url=f"http://{LOOPBACK}:{server.server_address[1]}{PREFIX}/console")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield rig
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


__all__ = ["SESSION", "ConsoleRig", "FakeReports", "a_difference", "a_report", "served"]
