"""``loyalty referrals report``: words in 100 columns, JSON for scripts, a row for each referral, and nothing half written."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from loyalty.attribution.links import Click
from loyalty.attribution.model import ReferralStatus, Source
from loyalty.attribution.store import claim_puts
from loyalty.cli.app import app, main
from loyalty.cli.charts import step_lines
from loyalty.core.clock import from_text, system_clock
from loyalty.core.errors import Unavailable
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.referrals import export
from loyalty.referrals.link_store import LinkStore
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import document
from tests.ledgerkit.tables import create_table
from tests.unit.referrals.spring import ADA, BOB, claimed, friend, spring

FIRST = at("2026-03-01")
PARTS: dict[str, Any] = {"time_zone": "UTC", "point_cost": {"amount": "0.0125", "currency": "EUR"}}
DAYS = "--from", "2026-03-01", "--until", "2026-03-05"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """The nine of a spring, and links that were followed."""
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    for name, value in (keys | {"AWS_DEFAULT_REGION": "eu-south-1", "LOYALTY_TABLE": "loyalty-test"}).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        table = Table("loyalty-test", region="eu-south-1")
        create_table(table.client, table.name)
        ProgramStore(table, system_clock).publish(document(**PARTS), expected_version=0, actor="test")
        for referral in spring(FIRST):
            table.write(list(claim_puts(referral).values()))
        click = Click("acme", "clk_1", "K7WQ4M2X", ADA, Source("spring", "email"), FIRST)
        for _ in range(10):
            LinkStore(table, draw=lambda _: 2).count_click(click, FIRST.date())
        yield table


def run(*words: str) -> Result:
    result = CliRunner().invoke(app, ["referrals", "report", "--program", "acme", *words], terminal_width=100)
    assert result.exit_code == 0, result.output
    return result


def test_a_report_is_told_in_100_columns(table: Table) -> None:
    lines = [line.rstrip() for line in run(*DAYS).stdout.splitlines()]
    assert all(len(line) <= 100 for line in lines if not line.startswith(("They are", "!")))
    told = [" ".join(line.split()) for line in lines]
    bar = "█" * 40
    for row in (
        f"clicked {bar} 10 —",
        f"enrolled {'█' * 36} 9 5 by a link: 50.0% of clicked",
        f"qualified {'█' * 28} 7 77.8% of enrolled",
        f"rewarded {'█' * 16} 4 57.1% of qualified",
        f"reversed {'█' * 4} 1 25.0% of rewarded",
        "Points: 450 to who brought, 160 to who was brought, 140 taken back.",
        "3 customers; cost 5.88 EUR, of each 1.96 EUR.",
        "What qualified them: 50.50 EUR, 99.99 USD.",
        "K-factor —: of 0 who enrolled, 9 were brought (i = — links each, c = —).",
        "— 0 0 5 3 0 0 0 —",
        "spring 0 10 4 4 4 3 470 1.96 EUR",
        "whatsapp 0 0 2 2 2 1 190 2.38 EUR",
        f"{ADA} 2 200",
        f"{BOB} 1 150",
    ):
        assert row in told


def test_bars_are_of_100_columns_whatever_the_numbers() -> None:
    lines = list(step_lines([("shared", 1_234_567_890, "x" * 50), ("clicked", 1, ""), ("enrolled", 0, "—")]))
    assert max(map(len, lines)) <= 100
    assert [line.count("█") for line in lines] == [40, 0, 0]


def test_json_is_that_of_the_api(table: Table) -> None:
    told = json.loads(run(*DAYS, "--json").stdout)
    assert (told["first_day"], told["last_day"], told["total"]["enrolled"]) == ("2026-03-01", "2026-03-05", 9)
    assert told["total"]["cost_per_customer"] == {"value": "1.96", "currency": "EUR"}
    alone = json.loads(run("--from", "2026-03-01", "--json").stdout)
    assert (alone["last_day"], alone["total"]["enrolled"]) == ("2026-03-01", 2)
    assert json.loads(run("--from", "2026-03-01", "--to", "2026-03-05", "--json").stdout)["total"]["enrolled"] == 9


def test_what_is_not_known_is_said(table: Table) -> None:
    ProgramStore(table, system_clock).publish(document(time_zone="UTC"), expected_version=1, actor="test")
    told = " ".join(run("--from", "2020-01-01", "--until", "2020-01-02").stdout.split())
    assert "Counts of links from before" in told
    assert "What a point costs is not known" in told
    assert "cost —, of each —." in told
    assert "They are by now: nobody." in told


def test_each_referral_is_a_row_in_which_no_cell_is_a_formula(table: Table, tmp_path: Path) -> None:
    odd = replace(claimed(10, FIRST, ReferralStatus.EXPIRED, campaign="=1+1"), ended_because="@late", ended_at=FIRST)
    table.write(list(claim_puts(odd).values()))
    path = tmp_path / "referrals.csv"
    assert f"10 referrals are in {path}." in run(*DAYS, "--csv", str(path)).stdout
    with path.open(newline="") as file:
        rows = {row["member_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == {friend(number) for number in range(1, 11)}
    assert list(rows[friend(3)].items()) == list(
        zip(
            export.COLUMNS,
            (
                "acme", friend(3), BOB, "K7WQ4M2X", "spring", "whatsapp", "no", "2026-03-02T12:00:00.000Z",
                "2026-04-01T12:00:00.000Z", "rewarded", "", "", "2026-03-03T12:00:00.000Z", "99.99", "USD",
                "2026-03-17T12:00:00.000Z", "2026-03-03T12:00:00.000Z", BOB, friend(3), "3", "150", "40",
            ),
            strict=True,
        )
    )  # fmt: skip
    assert (rows[friend(10)]["campaign"], rows[friend(10)]["ended_because"]) == ("'=1+1", "'@late")
    assert rows[friend(6)]["points"] == ""


def test_points_of_the_rows_are_those_of_the_report(table: Table, tmp_path: Path) -> None:
    path = tmp_path / "referrals.csv"
    told = json.loads(run(*DAYS, "--csv", str(path), "--json").stdout)["total"]
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["points"]]
    assert sum(int(row["points"]) for row in rows) == told["points"]["referrers"]
    assert sum(int(row["member_points"]) for row in rows) == told["points"]["brought"]
    assert all(from_text(row["claimed_at"]) >= FIRST for row in rows)


def test_a_file_that_was_not_finished_is_not_there(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "referrals.csv"
    path.write_text("as it was")
    read: Callable[..., Any] = table.get_many

    def busy(_table: Table, keys: Any) -> Any:
        if len(list(tmp_path.iterdir())) > 1 and keys:
            raise Unavailable("The table is busy; send the same request again.")
        return read(keys)

    monkeypatch.setattr(Table, "get_many", busy)
    words = ["referrals", "report", "--program", "acme", *DAYS, "--csv", str(path)]
    assert isinstance(CliRunner().invoke(app, words).exception, Unavailable)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("referrals.csv", "as it was")]


def test_days_that_cannot_be_are_refused_in_words(
    table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, says in (
        (["--from", "2026-03-02", "--until", "2026-03-01"], "The period ends before it begins."),
        (["--from", "2026-02-30"], "does not match the format"),
        (["--from", "2026-03-01", "--until", "2199-01-01"], "A period has 3660 days at most"),
    ):
        monkeypatch.setattr(sys, "argv", ["loyalty", "referrals", "report", "--program", "acme", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code in {1, 2}
        assert says in " ".join(capsys.readouterr().err.replace("│", " ").split())
