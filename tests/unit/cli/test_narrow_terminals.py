"""What is listed in a terminal of 100 columns: an id that was cut off is no id."""

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from loyalty.cli import clients, people, risk, verify
from loyalty.cli.app import app
from loyalty.cli.console import listing
from loyalty.clients.store import ClientStore
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.ledger.verify import Report
from loyalty.ledger.verify.report import Finding
from tests.apikit.clients import FakeCognito, FakeGateway
from tests.ledgerkit.moves import ADA
from tests.unit.abuse.watched import Watched

WIDE = 100


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal of 100 columns shows."""
    shown = io.StringIO()
    for module in (clients, people, risk, verify):
        monkeypatch.setattr(module, "out", Console(file=shown, width=WIDE, highlight=False))
    return shown


def test_nothing_is_cut_off_and_the_first_column_is_never_broken() -> None:
    shown = io.StringIO()
    table = listing("id", "words")
    table.add_row("i" * 60, "w" * 60)
    Console(file=shown, width=WIDE).print(table)
    assert "…" not in shown.getvalue()
    assert "i" * 60 in shown.getvalue()
    assert shown.getvalue().count("w") == 60 + 1
    assert max(map(len, shown.getvalue().splitlines())) <= WIDE


def test_a_case_is_listed_with_its_members_whole_id(
    table: Table, monkeypatch: pytest.MonkeyPatch, terminal: io.StringIO
) -> None:
    Watched(table).spike()
    monkeypatch.setattr(risk, "open_table", lambda _: table)
    result = CliRunner().invoke(app, ["risk", "list", "--program", "acme", "--table", "t"])
    assert result.exit_code == 0, result.output
    heading, case = terminal.getvalue().splitlines()
    assert heading.split()[0] == "member"
    assert ADA in case
    assert "many_accruals" in case


def test_findings_of_the_proof_name_member_entry_and_code_in_full(
    table: Table, monkeypatch: pytest.MonkeyPatch, terminal: io.StringIO
) -> None:
    whose = "mbr_01m83cqvd7rcn3zmp7y2081dc5"
    found = [
        Finding("aurora", whose, "seq_gap", "accrual:shopify:5512000000102", "seq 2 where 1 is due"),
        Finding("aurora", whose, "wallet_available_wrong", "WALLET", "entries add up to [50], it says 370"),
    ]
    monkeypatch.setattr(verify, "open_table", lambda _: table)
    monkeypatch.setattr(verify, "audit_table", lambda _table, **_how: Report(8, 31, found))
    result = CliRunner().invoke(app, ["verify", "--table", "t"])
    assert result.exit_code == 1
    assert terminal.getvalue().splitlines() == [
        "✗ 8 members, 31 entries: 2 findings.",
        f"aurora {whose}",
        "  seq_gap  accrual:shopify:5512000000102",
        "    seq 2 where 1 is due",
        "  wallet_available_wrong  WALLET",
        "    entries add up to [50], it says 370",
    ]


def test_cases_of_a_program_that_there_is_not_are_not_none(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    Watched(table).spike()
    monkeypatch.setattr(risk, "open_table", lambda _: table)
    result = CliRunner().invoke(app, ["risk", "list", "--program", "acmee", "--table", "t"])
    assert type(result.exception).__name__ == "ProgramNotFound"


def test_a_client_with_long_names_is_listed_with_its_whole_id(
    table: Table, monkeypatch: pytest.MonkeyPatch, terminal: io.StringIO
) -> None:
    cognito, client_id = FakeCognito(), "4f0c2mq8example7k1d3x9z5b6"
    cognito.clients[client_id] = {"ClientId": client_id, "ClientName": "the-tills-of-every-shop-in-the-north-of-italy"}
    services = {"cognito-idp": cognito, "apigateway": FakeGateway()}
    monkeypatch.setattr(clients, "service", services.__getitem__)
    monkeypatch.setattr(clients, "open_table", lambda _: table)
    ClientStore(table, system_clock).bind(client_id, {"aurora-of-the-north", "aurora-of-the-south"})
    result = CliRunner().invoke(app, ["client", "list", "--table", "t", "--user-pool", "p"])
    assert result.exit_code == 0, result.output
    assert client_id in terminal.getvalue()
    assert "…" not in terminal.getvalue()
    assert CliRunner().invoke(app, ["client", "show", client_id, "--table", "t", "--user-pool", "p"]).exit_code == 0
    assert "(shared)" in terminal.getvalue().partition("client_id")[2]
