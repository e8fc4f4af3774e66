"""``loyalty codes`` and ``loyalty settlements``, as an operator meets them: counts, line numbers, exit codes, and no code."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loyalty.cli.app import app
from loyalty.core import aws
from loyalty.core.table import Table
from loyalty.delivery.lines import BatchId
from tests.ledgerkit.tables import create_table
from tests.unit.delivery.rig import Rig

REGION = "eu-south-1"


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        aws.client.cache_clear()
        kms = boto3.client("kms", region_name=REGION)
        lookup = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
        vault = kms.create_key()["KeyMetadata"]["Arn"]
        for name, value in {"TABLE": "loyalty-test", "VAULT_KEY": vault, "LOOKUP_KEY": lookup}.items():
            monkeypatch.setenv(f"LOYALTY_{name}", value)
        table = Table("loyalty-test", region=REGION)
        create_table(table.client, table.name)
        yield Rig(table).ready()
    aws.client.cache_clear()


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def imported(file: Path, *more: str, reward: str = "summer") -> Any:
    return run("codes", "import", str(file), "--program", "acme", "--reward", reward, *more)


def test_a_file_is_imported_and_again_it_is_known(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("code,pin\nSUN-0001,1234\nSUN-0002,\n")
    first = imported(file)
    assert (first.exit_code, first.stdout) == (0, "2 codes imported; 2 are left.\n")
    again = imported(file, "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == {
        "program": "acme",
        "reward_id": "summer",
        "left": 2,
        "counts": {"known": 2},
        "lines": [{"line": 2, "problem": "known"}, {"line": 3, "problem": "known"}],
    }
    assert json.loads(run("codes", "left", "--program", "acme", "--reward", "summer", "--json").stdout)["left"] == 2
    assert rig.pool.left("acme", "summer") == 2


def test_a_wrong_line_is_told_by_its_number_and_the_exit_code(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("code\nSUN-0001\nS P A C E\n")
    result = imported(file)
    assert result.exit_code == 1
    assert result.stdout == "line 3: code_malformed\n1 codes imported; 1 are left.\n"
    assert "S P A C E" not in result.output
    assert "1 lines were not imported" in result.stderr
    assert rig.pool.left("acme", "summer") == 1


@pytest.mark.parametrize(
    ("reward", "text", "said"),
    [
        ("yacht", "code\nSUN-0001\n", "has no reward 'yacht'"),
        ("winter", "code\nSUN-0001\n", "takes no codes from a pool"),
        ("summer", "SUN-0001\n", "the first line names the columns"),
    ],
)
def test_what_cannot_be_imported_at_all(rig: Rig, tmp_path: Path, reward: str, text: str, said: str) -> None:
    file = tmp_path / "codes.csv"
    file.write_text(text)
    result = imported(file, reward=reward)
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())
    assert "SUN" not in result.output
    assert rig.pool.left("acme", "summer") == 0


def test_settlements_are_listed_shown_and_paid(rig: Rig) -> None:
    redemption, _ = rig.hold("key", "back", 3)
    rig.deliver(redemption.redemption_id)
    batch = BatchId("acme", date(2026, 3, 15), "cashback", "EUR")
    rig.settlements.close(batch)
    shown = json.loads(run("settlements", "show", str(batch), "--program", "acme", "--json").stdout)
    assert (shown["status"], shown["lines"], shown["total"]) == ("closed", 1, {"value": "7.50", "currency": "EUR"})
    assert shown["files"][0] == "settlements/acme/2026-03-15.cashback.EUR.csv"
    pay = ("settlements", "paid", str(batch), "--program", "acme", "--by", "staff-4", "--reference")
    assert run(*pay, "SEPA-1", "--json").exit_code == 0
    listed = json.loads(run("settlements", "list", "--program", "acme", "--status", "paid", "--json").stdout)
    assert [(one["batch"], one["reference"], one["paid_by"]) for one in listed] == [(str(batch), "SEPA-1", "staff-4")]
    assert "2026-03-15.cashback.EUR" in run("settlements", "list", "--program", "acme").stdout
    assert "no batch" in run("settlements", "show", "yesterday", "--program", "acme").stderr
