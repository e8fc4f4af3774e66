"""In which region a command works: where ``aws`` does in the same shell, and nowhere unless somebody says so."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

import loyalty_contract as contract
from loyalty.cli.app import main
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from tests.ledgerkit.tables import create_table

ROOT = Path(__file__).parents[3]
REGION = "eu-south-1"
TABLE = "loyalty-test"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Table]:
    """A stage of :data:`REGION`, its table and a queue, and a shell that does not know the region."""
    # Set first, so that what a command sets is undone too.
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    settings = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "LOYALTY_TABLE": TABLE, "LOYALTY_STAGE": "test"}
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    for name, value in (settings | keys).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        table = Table(TABLE, region=REGION)
        create_table(table.client, TABLE)
        sqs = boto3.client("sqs", region_name=REGION)
        for name in ("inbound", contract.dead_letter_queue("inbound")):
            sqs.create_queue(QueueName=contract.resource("test", name))
        yield table


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    """A command, through its entry point; what it ends with."""
    monkeypatch.setattr("sys.argv", ["loyalty", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


COMMANDS = (("program", "publish", str(ROOT / "events" / "programs" / "aurora.json")), ("redrive", "inbound", "--list"))
"""One by pynamodb, one by boto3."""


@pytest.mark.parametrize("other", [None, "ap-southeast-3"])
def test_the_one_variable_that_the_readme_sets_is_enough(
    stage: Table, other: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also in a shell with another default, as for ``aws``, by which the stage's names are found out."""
    assert "export AWS_REGION=eu-south-1" in (ROOT / "README.md").read_text()
    monkeypatch.setenv("AWS_REGION", REGION)
    if other is not None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", other)
    assert [run(monkeypatch, *words) for words in COMMANDS] == [0, 0], capsys.readouterr().err
    assert ProgramStore(stage, system_clock).version("aurora") == 1


def test_the_default_region_is_enough(stage: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert [run(monkeypatch, *words) for words in COMMANDS] == [0, 0]
    assert ProgramStore(stage, system_clock).version("aurora") == 1


@pytest.mark.usefixtures("stage")
def test_without_a_region_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [run(monkeypatch, *words) for words in COMMANDS] == [1, 1]
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all("set AWS_REGION" in line for line in said), said
