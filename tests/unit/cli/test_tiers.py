"""``loyalty tiers recalculate``."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loyalty.cli.app import app
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.tiers import everybody
from loyalty.tiers.runs import TierRun
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import BASE, document
from tests.ledgerkit.tables import create_table
from tests.ledgerkit.world import World

RUNNER = CliRunner()
COMMAND = ["tiers", "recalculate", "--program", "acme"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two members with 100 points of today, and a new version in which that is silver."""
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-south-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOYALTY_TABLE": "loyalty-test",
        "COLUMNS": "200",
    }.items():
        monkeypatch.setenv(name, value)
    # moto cannot answer two requests at once
    monkeypatch.setattr(
        everybody.Recalculation.__init__,
        "__kwdefaults__",
        {**(everybody.Recalculation.__init__.__kwdefaults__ or {}), "workers": 1},
    )
    with mock_aws():
        table = Table("loyalty-test")
        create_table(table.client, table.name)
        world = World(table, clock=SettableClock(system_clock() - timedelta(seconds=5))).enroll("mbr_1", "mbr_2")
        for member in ("mbr_1", "mbr_2"):
            world.accrue("R-1", "100", member=member)
        cheaper = [BASE["tiers"][0], {**BASE["tiers"][1], "threshold": 100}]
        ProgramStore(table, system_clock).publish(document(tiers=cheaper), expected_version=0, actor="test")
        yield world


def tiers(world: World) -> list[str]:
    return [world.book(member).tier for member in ("mbr_1", "mbr_2")]


def test_one_member_alone(world: World) -> None:
    result = RUNNER.invoke(app, [*COMMAND, "--member", "mbr_1"])
    assert (result.exit_code, "1 members, 1 changed." in result.stdout) == (0, True), result.output
    assert tiers(world) == ["silver", "bronze"]


def test_everybody_and_again(world: World) -> None:
    first, second = (json.loads(RUNNER.invoke(app, [*COMMAND, "--everybody", "--json"]).stdout) for _ in range(2))
    assert first.pop("run") < second.pop("run")
    assert (first, second) == (
        {"members": 2, "changed": 2, "failed": 0, "failures": []},
        {"members": 2, "changed": 0, "failed": 0, "failures": []},
    )
    assert tiers(world) == ["silver", "silver"]


def test_a_run_goes_on_under_its_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = everybody.Recalculation.one
    seen: list[str] = []

    def pressed(self: everybody.Recalculation, program: Program, member_id: str, run: TierRun) -> bool:
        if seen:
            raise KeyboardInterrupt
        seen.append(member_id)
        return plain(self, program, member_id, run)

    monkeypatch.setattr(everybody.Recalculation, "one", pressed)
    cut = RUNNER.invoke(app, [*COMMAND, "--everybody", "--run", "x"])
    assert (cut.exit_code, "the same command with --run x goes on" in cut.stderr) == (130, True), cut.output
    assert sorted(tiers(world)) == ["bronze", "silver"]
    monkeypatch.setattr(everybody.Recalculation, "one", plain)
    result = RUNNER.invoke(app, [*COMMAND, "--everybody", "--run", "x", "--json"])
    assert json.loads(result.stdout) == {"run": "x", "members": 2, "changed": 2, "failed": 0, "failures": []}
    assert tiers(world) == ["silver", "silver"]
    again = RUNNER.invoke(app, [*COMMAND, "--everybody", "--run", "x"])
    assert (again.exit_code, "has ended before" in again.stderr) == (0, True)


def test_members_from_before_the_index_are_put_there(world: World) -> None:
    key = {"pk": {"S": "M#acme#mbr_1"}, "sk": {"S": "WALLET"}}
    world.table.client.update_item(TableName=world.table.name, Key=key, UpdateExpression="REMOVE member_shard")
    assert json.loads(RUNNER.invoke(app, [*COMMAND, "--everybody", "--json"]).stdout)["members"] == 1
    index = ["members", "index", "--program", "acme"]
    assert json.loads(RUNNER.invoke(app, [*index, "--json"]).stdout) == {"program": "acme", "listed": 1}
    assert "0 members put into the index" in RUNNER.invoke(app, index).stdout
    assert json.loads(RUNNER.invoke(app, [*COMMAND, "--everybody", "--json"]).stdout)["members"] == 2


def test_a_run_needs_a_name_that_may_be_one(world: World) -> None:
    assert RUNNER.invoke(app, [*COMMAND, "--everybody", "--run", "Spring sale"]).exit_code == 2


def test_those_on_a_tier(world: World) -> None:
    assert "0 members, 0 changed" in RUNNER.invoke(app, [*COMMAND, "--tier", "silver"]).stdout
    assert "2 members, 2 changed" in RUNNER.invoke(app, [*COMMAND, "--tier", "bronze"]).stdout
    unknown = RUNNER.invoke(app, [*COMMAND, "--tier", "diamond"])
    assert unknown.exit_code == 1
    assert str(unknown.exception) == "There is no tier 'diamond' in 'acme'; there are bronze, silver."


def test_who_cannot_be_recalculated_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> bool:
        raise RuntimeError

    monkeypatch.setattr(everybody.Recalculation, "one", broken)
    result = RUNNER.invoke(app, [*COMMAND, "--everybody"])
    assert (result.exit_code, "2 failed" in result.stdout, "mbr_1  RuntimeError" in result.stdout) == (
        1,
        True,
        True,
    )
    assert tiers(world) == ["bronze", "bronze"]


@pytest.mark.parametrize("whom", [[], ["--everybody", "--member", "mbr_1"], ["--tier", "gold", "--member", "mbr_1"]])
def test_it_has_to_be_said_whom(whom: list[str], world: World) -> None:
    assert RUNNER.invoke(app, [*COMMAND, *whom]).exit_code == 2
    assert tiers(world) == ["bronze", "bronze"]
