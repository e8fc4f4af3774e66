"""Cases over HTTP, and by command."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from functions.abuse.routes import routes
from loyalty.cli.app import app
from loyalty.core.cursor import Cursors
from loyalty.core.http import api
from loyalty.core.table import Table
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.moves import ADA, BOB, CLEO
from tests.unit.abuse.watched import Watched

RISK = f"/v1/programs/acme/members/{ADA}/risk"
CASES = "/v1/programs/acme/risk-cases"
BODY = {"actor": "ann", "reason": "called_back"}


@pytest.fixture
def watched(table: Table) -> Watched:
    watched = Watched(table)
    for client in ("app", "office"):
        watched.programs.clients.bind(client, {"acme"})
    return watched


def gateway(watched: Watched, client: str = "app") -> Gateway:
    made = routes(watched.programs, watched.cases, watched.store, Cursors(FakeKeys()))
    return Gateway(api(made), client)


def test_a_case_from_hold_to_release(watched: Watched) -> None:
    first, second = gateway(watched), gateway(watched, "office")
    held = first("POST", f"{RISK}/hold", BODY | {"reason": "complaint"})
    assert (held.status, held.json["state"], held.json["on_hold"], held.json["severity"]) == (200, "open", True, "high")
    assert held.json["held"]["actor"] == "person:ann"
    assert held.json["held"]["through"] == "client:app"
    assert [one["member_id"] for one in first("GET", CASES).json["items"]] == [ADA]
    asked = first("POST", f"{RISK}/release", BODY)
    assert (asked.status, asked.json["on_hold"], asked.json["release_proposed"]["reason"]) == (202, True, "called_back")
    first("POST", f"{RISK}/release", BODY | {"actor": "ben"}).problem(422, "second_person_required")
    agreed = second("POST", f"{RISK}/release", BODY | {"actor": "ben"})
    assert (agreed.status, agreed.json["state"], agreed.json["on_hold"]) == (200, "released", False)
    assert first("GET", RISK).json == agreed.json
    second("POST", f"{RISK}/confirm", BODY).problem(409, "risk_already_released")
    assert first("GET", CASES).json == {"items": [], "next_cursor": None}


def listed(send: Gateway, **query: str) -> Reply:
    return send.send(proxy_event("GET", CASES, query=query))


def test_pages_of_cases_follow_each_other(watched: Watched) -> None:
    send = gateway(watched)
    for member in (ADA, BOB, CLEO):
        send("POST", f"/v1/programs/acme/members/{member}/risk/hold", BODY)
    page = listed(send, limit="2").json
    rest = listed(send, limit="2", cursor=page["next_cursor"]).json
    assert sorted(one["member_id"] for one in page["items"] + rest["items"]) == [ADA, BOB, CLEO]
    assert rest["next_cursor"] is None
    listed(send, cursor=page["next_cursor"] + "x").problem(400, "invalid_cursor")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (RISK, None, 404, "risk_not_found"),
        (RISK.replace(ADA, "mbr_" + "9" * 26), None, 404, "member_not_found"),
        (RISK.replace("acme", "other"), None, 404, "program_not_found"),
        (f"{RISK}/release", BODY, 404, "risk_not_found"),
        (f"{RISK}/hold", {"actor": "ann"}, 422, "invalid"),
        (f"{RISK}/hold", BODY | {"reason": "She said so"}, 422, "invalid"),
        (f"{RISK}/hold", BODY | {"actor": "ann@example.com"}, 422, "invalid"),
    ],
)
def test_refusals_have_names(watched: Watched, path: str, body: dict[str, Any] | None, status: int, code: str) -> None:
    gateway(watched)("POST" if body else "GET", path, body).problem(status, code)


def test_commands_say_who_decided(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-1")
    where = ("--table", watched.world.table.name, "--program", "acme")

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["risk", *words, *where])

    assert run("list").stdout == "No case is open.\n"
    held = run("hold", ADA, "--reason", "complaint")
    assert held.exit_code == 0, held.output
    assert f"{ADA}: open, on hold" in held.stdout
    assert "held by operator:arn:aws:" in held.stdout
    assert ADA in run("list").stdout
    asked = run("release", ADA, "--reason", "called_back")
    assert (asked.exit_code, "Another person has to agree" in asked.stdout) == (0, True)
    assert json.loads(run("show", ADA, "--json").stdout)["release_proposed"]["reason"] == "called_back"
    assert json.loads(run("list", "--json").stdout)["more"] is False
    assert run("release", ADA, "--reason", "Not a code").exit_code == 2
