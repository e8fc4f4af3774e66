"""The operator's commands, through their own entry point."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loyalty.cli import clients
from loyalty.cli.app import app, main
from loyalty.core.clock import system_clock
from loyalty.core.table import Put, Table
from loyalty.ledger.items import new_book_put
from loyalty.programs.store import ProgramStore
from tests.apikit.clients import FakeCognito, FakeGateway

PROGRAM = Path(__file__).parents[3] / "events" / "programs" / "aurora.json"
RUNNER = CliRunner()


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-south-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOYALTY_TABLE": "loyalty-test",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="loyalty-test",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Table("loyalty-test")


@pytest.fixture
def partner(monkeypatch: pytest.MonkeyPatch) -> str:
    """A client that only the user pool knows."""
    cognito = FakeCognito()
    cognito.clients["abc"] = {"ClientId": "abc", "ClientName": "partner"}
    services = {"cognito-idp": cognito, "apigateway": FakeGateway()}
    monkeypatch.setattr(clients, "service", services.__getitem__)
    monkeypatch.setenv("LOYALTY_USER_POOL", "eu-south-1_Clients")
    return "abc"


def test_a_valid_program_is_said_to_be_one() -> None:
    result = RUNNER.invoke(app, ["program", "validate", str(PROGRAM)])
    assert (result.exit_code, "aurora" in result.output) == (0, True)


def test_every_mistake_of_a_program_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(PROGRAM.read_text()) | {"time_zone": "Mars/Olympus", "nonsense": 1}
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(document))
    result = RUNNER.invoke(app, ["program", "validate", str(broken)])
    assert result.exit_code == 1
    assert "time_zone" in result.stderr
    assert "nonsense" in result.stderr


def test_yaml_is_read_without_floats(tmp_path: Path, table: Table) -> None:
    text = tmp_path / "program.yaml"
    text.write_text(PROGRAM.read_text().replace('"0.10"', "0.10").replace('"1.00"', "1.00"))
    assert RUNNER.invoke(app, ["program", "publish", str(text), "--actor", "ops"]).exit_code == 0
    rate = ProgramStore(table, system_clock).current("aurora").document.earn_rules[0].rates[0]
    assert str(rate.per) == "1.00"


def test_publishing_a_change_makes_the_next_version_and_never_over_another(table: Table, tmp_path: Path) -> None:
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(json.loads(PROGRAM.read_text()) | {"name": "Aurora Circle"}))
    assert "version 1." in RUNNER.invoke(app, ["program", "publish", str(PROGRAM)]).output
    assert "version 1 already" in RUNNER.invoke(app, ["program", "publish", str(PROGRAM)]).output
    assert "version 2." in RUNNER.invoke(app, ["program", "publish", str(changed)]).output
    late = RUNNER.invoke(app, ["program", "publish", str(PROGRAM), "--expected-version", "1"])
    assert late.exit_code == 1
    assert ProgramStore(table, system_clock).version("aurora") == 2
    shown = RUNNER.invoke(app, ["program", "show", "aurora", "--json"])
    assert json.loads(shown.output)["version"] == 2


def test_publishing_earlier_warnings_says_how_everybody_hears_of_them(table: Table, tmp_path: Path) -> None:
    document = json.loads(PROGRAM.read_text())
    said = []
    for days in ([30, 7], [7], [60]):
        path = tmp_path / "program.json"
        path.write_text(json.dumps(document | {"expiry": document["expiry"] | {"warn_days": days}}))
        said.append("--everybody" in RUNNER.invoke(app, ["program", "publish", str(path)]).output)
    assert said == [False, False, True]
    assert ProgramStore(table, system_clock).version("aurora") == 3


def test_a_mistake_is_named_without_what_only_follows_from_it(tmp_path: Path) -> None:
    document = json.loads(PROGRAM.read_text())
    document["earn_rules"][1]["return_days"] = 300
    document["expiry"]["day"] = 31
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(document))
    result = RUNNER.invoke(app, ["program", "validate", str(broken)])
    assert result.stderr.splitlines()[1:] == [
        "  line 1: earn_rules.1.return_days: input should be less than or equal to 90, not 300",
        "  line 1: expiry: the policy 'rolling' has no day; leave it out",
    ]


def test_a_program_is_shown_with_its_wallets_and_what_it_offers(table: Table) -> None:
    RUNNER.invoke(app, ["program", "publish", str(PROGRAM.with_name("meridian.json"))])
    shown = [line.strip() for line in RUNNER.invoke(app, ["program", "show", "meridian"]).output.splitlines()]
    assert shown[0] == "Meridian Club ('meridian'), version 1, Europe/Lisbon"
    calendar = "expire every year on 31 December, at least 12 months later"
    assert shown[1] == f"wallet      points: {calendar}; 30 days of grace; warned 60, 30, 7 days before"
    for line in (
        "wallet      stamps: Coffee stamps, points, never expire",
        "earn        purchase-cashback: purchase, 2 per 1.00 EUR into 'cashback'; pending for 30 days",
        "segment     staff: Our own people",
        "earn        coffee-stamp: coffee, 1 point into 'stamps'",
        "earn        staff-review: review, times 2; when 'staff' in member.segments",
        "earn        welcome: signup, 100 points",
        "tier          navigator: Navigator, from 1000, times 1.5",
        "reversal    clamp_with_debt where points are spent already",
        "transfers   minimum_points 50, maximum_points 5000, daily_points 5000, wallets points, stamps",
        "households  members 4, daily_points 2500",
    ):
        assert line in shown


def test_a_program_keeps_its_time_zone(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    RUNNER.invoke(app, ["program", "publish", str(PROGRAM)])
    moved = tmp_path / "moved.json"
    moved.write_text(json.dumps(json.loads(PROGRAM.read_text()) | {"time_zone": "Asia/Jakarta"}))
    monkeypatch.setattr("sys.argv", ["loyalty", "program", "publish", str(moved)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert "time_zone_fixed" in capsys.readouterr().err
    assert ProgramStore(table, system_clock).version("aurora") == 1


def test_a_client_that_exists_is_bound_to_programs_that_exist(table: Table, partner: str) -> None:
    assert RUNNER.invoke(app, ["client", "bind", partner, "--program", "aurora"]).exit_code == 1
    RUNNER.invoke(app, ["program", "publish", str(PROGRAM)])
    assert RUNNER.invoke(app, ["client", "bind", "mistyped", "--program", "aurora"]).exit_code == 1
    assert RUNNER.invoke(app, ["client", "bind", partner, "--program", "aurora"]).exit_code == 0
    assert ProgramStore(table, system_clock).for_client("aurora", partner).version == 1


def test_verify_ends_with_1_where_a_wallet_is_wrong(table: Table) -> None:
    table.write([new_book_put("aurora", "mbr_1", "bronze", system_clock())])
    clean = RUNNER.invoke(app, ["verify", "--json"])
    assert (clean.exit_code, json.loads(clean.stdout)["members"]) == (0, 1)
    book = new_book_put("aurora", "mbr_1", "bronze", system_clock()).item
    book.wallets = {"points": {"available": 5}}  # type: ignore[attr-defined]
    table.write([Put(book)])
    broken = RUNNER.invoke(app, ["verify", "--json"])
    assert broken.exit_code == 1
    assert {finding["code"] for finding in json.loads(broken.stdout)["findings"]} >= {"wallet_available_wrong"}
    assert "wallet_available_wrong" in RUNNER.invoke(app, ["verify"]).stdout


def test_a_named_error_is_one_line_and_exit_code_1(
    table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["loyalty", "program", "show", "nowhere"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert "program_not_found" in capsys.readouterr().err
