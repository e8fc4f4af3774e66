"""``loyalty sweep`` and ``loyalty settle``."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loyalty.cli.app import app, main
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.ledger.keys import due_shard
from loyalty.ledger.model import EntryKind
from loyalty.programs.store import ProgramStore
from loyalty.sweeping import service
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.overdue import Overdue, spread
from tests.ledgerkit.programs import document
from tests.ledgerkit.tables import create_table

RUNNER = CliRunner()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Overdue]:
    """Ten days ago; the commands' clock is the real one."""
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-south-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOYALTY_TABLE": "loyalty-test",
    }.items():
        monkeypatch.setenv(name, value)
    # moto cannot answer two requests at once
    monkeypatch.setattr(
        service.Sweeper.__init__, "__kwdefaults__", {**(service.Sweeper.__init__.__kwdefaults__ or {}), "workers": 1}
    )
    with mock_aws():
        table = Table("loyalty-test")
        create_table(table.client, table.name)
        yield Overdue(table, clock=SettableClock(system_clock() - timedelta(days=10)))


def due(world: Overdue, *members: str) -> None:
    """Each with pending points that matured three days ago."""
    world.enroll(*members)
    matured = (world.clock() + timedelta(days=7)).date().isoformat()
    for member in members:
        world.earn("R-1", 10, "2099-12-31", member=member, pending_until=matured)


def test_whoever_is_due_is_settled(world: Overdue) -> None:
    due(world, "mbr_1", "mbr_2")
    result = RUNNER.invoke(app, ["sweep"])
    assert result.exit_code == 0, result.output
    assert "2 members settled, 2 entries." in result.stdout
    assert "The oldest had waited for 2 days" in result.stdout or "The oldest had waited for 3 days" in result.stdout
    assert world.book("mbr_1").wallet().available == 10
    assert "0 members settled, 0 entries." in RUNNER.invoke(app, ["sweep"]).stdout


def test_a_script_reads_one_document(world: Overdue) -> None:
    due(world, "mbr_1")
    document = json.loads(RUNNER.invoke(app, ["sweep", "--json"]).stdout)
    assert document.pop("lag_seconds") > 86_400
    assert document == {"members": 1, "entries": 1, "current": 0, "finished": True, "failures": []}


def test_a_part_of_it(world: Overdue) -> None:
    members = spread(1)[:3]
    due(world, *members)
    shard = str(int(due_shard(members[0])[-2:]))
    assert "1 members settled" in RUNNER.invoke(app, ["sweep", "--shard", shard]).stdout
    some = RUNNER.invoke(app, ["sweep", "--max", "1", "--minutes", "5"])
    assert (some.exit_code, "1 members settled, 1 entries; more is due." in some.stdout) == (0, True)
    assert RUNNER.invoke(app, ["sweep", "--shard", "16"]).exit_code == 2


def test_who_cannot_be_settled_is_named_and_the_exit_code_is_1(world: Overdue) -> None:
    due(world, "mbr_1")
    for number in range(25):
        world.poison(f"mbr_x{number}")
    result = RUNNER.invoke(app, ["sweep"])
    assert result.exit_code == 1
    assert "1 members settled, 1 entries, 25 not settled." in result.stdout
    assert result.stdout.count("M#acme#mbr_x") == 20
    assert "and 5 more" in result.stdout
    document = json.loads(RUNNER.invoke(app, ["sweep", "--json"]).stdout)
    assert len(document["failures"]) == 25


def test_one_member_is_settled(world: Overdue) -> None:
    due(world, "mbr_1", "mbr_2")
    command = ["settle", "--program", "acme", "--member", "mbr_1"]
    assert "mbr_1: 1 entries written." in RUNNER.invoke(app, command).stdout
    assert world.due() == []
    assert json.loads(RUNNER.invoke(app, [*command, "--json"]).stdout)["entries"] == 0
    assert world.book("mbr_2").wallet().pending == 10


def test_everybody_of_a_program_is_put_in_their_place(world: Overdue) -> None:
    """Its new version warns earlier: of those warnings the index knows nothing yet."""
    due(world, "mbr_1")
    world.enroll("mbr_2", "mbr_3")
    lot = (world.clock() + timedelta(days=80)).date().isoformat()
    world.earn("R-1", 10, lot, member="mbr_2")
    earlier = document(expiry={"policy": "rolling", "months": 12, "warn_days": [75]})
    ProgramStore(world.table, world.clock).publish(earlier, expected_version=1, actor="test")
    assert world.due() == []
    assert RUNNER.invoke(app, ["sweep", "--shard", str(int(due_shard("mbr_2")[-2:]))]).exit_code == 0
    assert world.kinds("mbr_2") == [EntryKind.ACCRUAL]
    done = json.loads(RUNNER.invoke(app, ["settle", "--program", "acme", "--everybody", "--json"]).stdout)
    assert (done["members"], done["entries"], done["current"], done["failures"]) == (2, 2, 1, [])
    assert world.kinds("mbr_2") == [EntryKind.ACCRUAL, EntryKind.WARNING]
    again = RUNNER.invoke(app, ["settle", "--program", "acme", "--everybody"])
    assert (again.exit_code, "0 members settled, 0 entries." in again.stdout) == (0, True)


@pytest.mark.parametrize("more", [[], ["--member", "mbr_1", "--everybody"]])
def test_it_is_one_member_or_everybody(world: Overdue, more: list[str]) -> None:
    assert RUNNER.invoke(app, ["settle", "--program", "acme", *more]).exit_code == 2


@pytest.mark.parametrize(
    ("where", "code"), [("nowhere/mbr_1", "program_not_found"), ("acme/mbr_9", "member_not_found")]
)
def test_whoever_is_not_there_is_said_so(
    world: Overdue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str, code: str
) -> None:
    program, member = where.split("/")
    monkeypatch.setattr("sys.argv", ["loyalty", "settle", "--program", program, "--member", member])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert code in capsys.readouterr().err
