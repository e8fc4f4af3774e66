"""Finance through the API: lists with filters, timelines, decisions, totals, exports."""

import csv
import io
from dataclasses import dataclass
from typing import Any

import pytest

from functions.finance.routes import routes
from loyalty.core.cursor import Cursors
from loyalty.core.http import api
from loyalty.core.table import Table
from loyalty.finance.export import COLUMNS
from loyalty.finance.services import FinanceServices
from loyalty.fulfillment.run import RunStatus
from loyalty.programs.store import ProgramStore
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.apikit.keys import FakeKeys
from tests.financekit.runs import FakeDecisions, a_run, redemption, step, write
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import document

ACME = "/v1/programs/acme"
RUNS = f"{ACME}/fulfillment-runs"


@dataclass
class Api:
    table: Table
    clock: SettableClock
    call: Gateway
    stranger: Gateway
    decisions: FakeDecisions

    def get(self, path: str, **query: str) -> Reply:
        return self.call.send(proxy_event("GET", path, query=query or None))

    def numbers(self, **query: str) -> list[int]:
        """The runs of a list, by their numbers."""
        reply = self.get(RUNS, **query)
        assert reply.status == 200, reply.text
        return [int(run["redemption_id"].removeprefix("rdm_")) for run in reply.json["items"]]


@pytest.fixture
def acme(table: Table) -> Api:
    clock = SettableClock(at("2026-03-15T12:00:00Z"))
    programs = ProgramStore(table, clock)
    programs.publish(document(id="acme"), expected_version=0, actor="test")
    programs.clients.bind("app", {"acme"})
    programs.clients.bind("stranger", {"other"})
    decisions = FakeDecisions(table, clock)
    app = api(routes(programs, FinanceServices.over(table, clock), decisions, Cursors(FakeKeys())))
    return Api(table, clock, Gateway(app), Gateway(app, "stranger"), decisions)


@pytest.fixture
def queue(acme: Api) -> Api:
    """Five open runs and two that ended on the 14th."""
    waiting = {"status": RunStatus.AWAITING_APPROVAL, "reason": "over_threshold"}
    write(acme.table, a_run(1, "2026-03-10T08:00:00Z", value="500.00 USD", **waiting))
    write(acme.table, a_run(2, "2026-03-14T08:00:00Z", value="120.00 EUR", **waiting))
    write(acme.table, a_run(3, "2026-03-15T08:00:00Z", status=RunStatus.PENDING, supplier="tango"))
    attention = {"status": RunStatus.ATTENTION, "reason": "supplier_timeout", "supplier": "tremendous"}
    write(acme.table, a_run(4, "2026-03-15T09:00:00Z", **attention))
    write(acme.table, a_run(5, "2026-03-15T10:00:00Z", status=RunStatus.ORDERING, value="10.00 USD"))
    ended: dict[str, Any] = {"supplier": "tremendous", "ended_at": "2026-03-14T10:00:00Z"}
    write(acme.table, a_run(6, "2026-03-14T09:00:00Z", status=RunStatus.FULFILLED, cost="24.10 USD", **ended))
    write(acme.table, a_run(7, "2026-03-13T09:00:00Z", status=RunStatus.REFUSED, reason="out_of_stock", **ended))
    return acme


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"status": "awaiting_approval"}, [1, 2]),
        ({"supplier": "tremendous"}, [4]),
        ({"reason": "over_threshold"}, [1, 2]),
        ({"currency": "USD", "amount_from": "25"}, [1, 3, 4]),
        ({"currency": "USD", "amount_from": "25.00", "amount_to": "499.99"}, [3, 4]),
        ({"currency": "EUR", "amount_to": "120"}, [2]),
        ({"older_than_hours": "28"}, [1, 2]),
        ({"older_than_hours": "29"}, [1]),
        ({"opened_from": "2026-03-14T08:00:00Z", "opened_until": "2026-03-15T09:00:00Z"}, [2, 3]),
        ({"ended_on": "2026-03-14"}, [6, 7]),
        ({"ended_on": "2026-03-14", "status": "refused"}, [7]),
        ({"ended_on": "2026-03-13"}, []),
    ],
)
def test_lists_answer_each_filter(queue: Api, query: dict[str, str], numbers: list[int]) -> None:
    assert queue.numbers(**query) == numbers


def test_any_of_several_statuses(queue: Api) -> None:
    event = proxy_event("GET", RUNS, query={"status": "pending"})
    event["multiValueQueryStringParameters"] = {"status": ["attention", "pending"]}
    found = queue.call.send(event).json["items"]
    assert [run["status"] for run in found] == ["pending", "attention"]


def test_pages_go_on_where_the_last_one_ended_and_miss_nobody(queue: Api) -> None:
    seen, cursor = [], ""
    for _ in range(3):
        page = queue.get(RUNS, limit="2", **({"cursor": cursor} if cursor else {})).json
        seen.append([int(run["redemption_id"][-1]) for run in page["items"]])
        cursor = page["next_cursor"]
    assert seen == [[1, 2], [3, 4], [5]]
    assert cursor is None


def test_a_cursor_is_good_for_its_own_list_alone(queue: Api) -> None:
    cursor = queue.get(RUNS, limit="2").json["next_cursor"]
    queue.get(RUNS, limit="2", cursor=cursor, supplier="tango").problem(400, "invalid_cursor")
    queue.get(RUNS, limit="2", cursor=cursor, ended_on="2026-03-14").problem(400, "invalid_cursor")
    queue.get(RUNS, limit="2", cursor=cursor[:-2] + "xx").problem(400, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "fulfilled"}, "filter_refused"),
        ({"status": "pending", "ended_on": "2026-03-14"}, "filter_refused"),
        ({"amount_from": "10"}, "filter_refused"),
        ({"amount_from": "10", "amount_to": "9", "currency": "USD"}, "filter_refused"),
        ({"opened_from": "2026-03-14T08:00:00Z", "opened_until": "2026-03-14T08:00:00Z"}, "filter_refused"),
        ({"amount_from": "0.001", "currency": "USD"}, "too_many_decimals"),
        ({"amount_from": "1", "currency": "XQX"}, "unknown_currency"),
        ({"status": "lost"}, "invalid"),
        ({"limit": "101"}, "invalid"),
        ({"ended_on": "14.3.2026"}, "invalid"),
    ],
)
def test_a_filter_that_nothing_can_fit_is_refused(queue: Api, query: dict[str, str], code: str) -> None:
    problem = queue.get(RUNS, **query).problem(422, code)
    if "ended_on" in query and code == "invalid":
        assert problem["errors"][0]["detail"] == "Send a day as year-month-day, such as 2026-11-22."


def test_a_run_with_its_timeline(acme: Api) -> None:
    steps = [
        step(1, "2026-03-15T08:00:00Z", "screen", "done"),
        step(2, "2026-03-15T08:00:01Z", "order", "asked", supplier="tango", external_id=redemption(1)),
        step(3, "2026-03-15T08:00:02Z", "order", "refused", supplier="tango", request_id="req-9", error="OrderRefused"),
    ]
    write(acme.table, a_run(1, "2026-03-15T08:00:00Z", task_token="secret-token"), steps)
    reply = acme.get(f"{RUNS}/{redemption(1)}")
    assert [(one["name"], one["outcome"]) for one in reply.json["timeline"]] == [
        ("screen", "done"),
        ("order", "asked"),
        ("order", "refused"),
    ]
    assert reply.json["timeline"][2]["request_id"] == "req-9"
    assert reply.json["run"]["value"] == {"value": "25.00", "currency": "USD"}
    assert "secret-token" not in reply.text


def test_other_programs_see_nothing(queue: Api) -> None:
    for method, path in (
        ("GET", RUNS),
        ("GET", f"{RUNS}/{redemption(1)}"),
        ("POST", f"{RUNS}/{redemption(1)}/approve"),
    ):
        queue.stranger.send(proxy_event(method, path, client_id="stranger")).problem(404, "program_not_found")
    queue.get(f"{RUNS}/{redemption(99)}").problem(404, "fulfillment_run_not_found")
    assert queue.decisions.asked == []


@pytest.mark.parametrize(
    ("what", "number", "status"),
    [
        ("approve", 1, "ordering"),
        ("reject", 1, "rejected"),
        ("retry", 4, "ordering"),
        ("cancel", 4, "cancelled"),
        ("resolve", 4, "resolved"),
        ("reissue", 6, "ordering"),
    ],
)
def test_decisions_name_the_client_and_its_note(queue: Api, what: str, number: int, status: str) -> None:
    write(queue.table, a_run(number, "2026-03-10T08:00:00Z", requested_by="client:other"))
    reply = queue.call("POST", f"{RUNS}/{redemption(number)}/{what}", {"note": "  Checked.\nTwice. "})
    assert (reply.status, reply.json["status"], reply.json["decided_by"]) == (200, status, "client:app"), reply.text
    assert queue.decisions.asked == [(what, redemption(number), "client:app", "Checked.\nTwice.")]


def test_who_asked_does_not_approve_and_an_ended_run_stays(queue: Api) -> None:
    queue.call("POST", f"{RUNS}/{redemption(1)}/approve").problem(409, "self_approval")
    queue.call("POST", f"{RUNS}/{redemption(7)}/cancel", {"note": "Too late."}).problem(409, "run_ended")


@pytest.mark.parametrize("what", ["reject", "cancel", "resolve", "reissue"])
@pytest.mark.parametrize(
    "body", [{}, {"note": " "}, {"note": "a\x00b"}, {"note": "x" * 501}, {"note": "x", "by": "me"}]
)
def test_a_note_is_asked_for(queue: Api, what: str, body: dict[str, str]) -> None:
    queue.call("POST", f"{RUNS}/{redemption(4)}/{what}", body).problem(422, "invalid")
    assert queue.decisions.asked == []


def test_totals_of_today_and_of_a_day_that_is_over(queue: Api) -> None:
    reply = queue.get(f"{ACME}/fulfillment-totals", **{"from": "2026-03-14", "until": "2026-03-15"})
    yesterday, today = reply.json["days"]
    assert (yesterday["closed"], today["closed"]) == (True, False)
    (line,) = yesterday["lines"]
    assert (line["supplier"], line["issued"], line["not_issued"], line["waiting"]) == ("tremendous", 1, 1, 0)
    assert (line["value"], line["cost"]) == (
        {"value": "25.00", "currency": "USD"},
        [{"value": "24.10", "currency": "USD"}],
    )
    waiting = {(line["supplier"], line["currency"]): line["waiting_value"]["value"] for line in today["lines"]}
    assert waiting == {
        (None, "EUR"): "120.00",
        (None, "USD"): "510.00",
        ("tango", "USD"): "25.00",
        ("tremendous", "USD"): "25.00",
    }


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-03-15", "2026-03-14"), ("2026-02-01", "2026-03-10"), ("2026-03-15", "2026-03-16")],
)
def test_a_period_that_cannot_be_is_refused(queue: Api, first: str, last: str) -> None:
    queue.get(f"{ACME}/fulfillment-totals", **{"from": first, "until": last}).problem(422, "period_refused")


def test_export_of_a_period(queue: Api) -> None:
    note = '=HYPERLINK("http://x","y")'
    write(
        queue.table,
        a_run(
            8,
            "2026-03-01T00:00:00Z",
            status=RunStatus.RESOLVED,
            ended_at="2026-03-15T01:00:00Z",
            note=note,
            wallet="cups",
        ),
    )
    reply = queue.get(f"{ACME}/fulfillment-exports", **{"from": "2026-03-01", "until": "2026-03-15"})
    assert reply.headers["Content-Type"].startswith("text/csv")
    assert "Next-Cursor" not in reply.headers
    rows = list(csv.DictReader(io.StringIO(reply.text, newline="")))
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["redemption_id"][-1], row["status"], row["cost"]) for row in rows] == [
        ("6", "fulfilled", "24.10"),
        ("7", "refused", ""),
        ("8", "resolved", ""),
    ]
    assert rows[2]["note"] == f"'{note}"
    assert [row["wallet"] for row in rows] == ["points", "points", "cups"]


def test_a_large_export_comes_in_parts_that_together_are_whole(acme: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyalty.finance.export.PAGE_ROWS", 3)
    monkeypatch.setattr("loyalty.finance.export._INDEX_PAGE", 2)
    for number in range(1, 9):
        ended = f"2026-03-{12 + number % 2}T10:{number:02d}:00Z"
        write(acme.table, a_run(number, "2026-03-01T00:00:00Z", status=RunStatus.FULFILLED, ended_at=ended))
    texts: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"from": "2026-03-12", "until": "2026-03-14"} | ({"cursor": cursor} if cursor else {})
        reply = acme.get(f"{ACME}/fulfillment-exports", **query)
        texts.append(reply.text)
        cursor = reply.headers.get("Next-Cursor")
    assert len(texts) == 3
    rows = list(csv.DictReader(io.StringIO("".join(texts), newline="")))
    assert [int(row["redemption_id"][-1]) for row in rows] == [2, 4, 6, 8, 1, 3, 5, 7]
