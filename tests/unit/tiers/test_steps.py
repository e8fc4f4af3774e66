"""The steps of the state machine, through the function's handler: what each is given, and what it answers."""

import importlib
import io
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws
from pydantic import ValidationError

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from loyalty.core.clock import system_clock
from loyalty.core.errors import MemberNotFound
from loyalty.core.table import Table
from loyalty.ledger.keys import member_shard
from loyalty.programs.store import ProgramStore
from loyalty.tiers.errors import TierUnknown
from loyalty.walking.errors import RunDiffers
from loyalty.walking.runs import SHARDS
from tests.apikit.gateway import Context
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.ladders import TIERS
from tests.ledgerkit.programs import document, program
from tests.ledgerkit.tables import create_table
from tests.ledgerkit.world import World

REGION = "eu-south-1"
MODULE = "functions.recalculation.handler"
FULL = FUNCTIONS["recalculation"].timeout_seconds
ADA, BEN = (f"mbr_{letter * 26}" for letter in "ab")
EVERYBODY = {"program": "acme", "run": "x", "everybody": True}
CHEAPER = [TIERS[0], {**TIERS[1], "threshold": 100}, TIERS[2]]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Ada and Ben have 100 points; by the first version, which is published, that is bronze."""
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        contract.ENV_STAGE: "test",
        contract.ENV_TABLE: "loyalty",
        "POWERTOOLS_SERVICE_NAME": "recalculation",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        table = Table("loyalty", region=REGION)
        create_table(table.client, table.name)
        ProgramStore(table, system_clock).publish(document(tiers=TIERS), expected_version=0, actor="test")
        world = World(table, of=program(tiers=TIERS), clock=SettableClock(system_clock())).enroll(ADA, BEN)
        for member in (ADA, BEN):
            world.accrue("R-1", "100", member=member)
        yield world


@pytest.fixture
def function(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    sys.modules.pop(MODULE, None)
    module = importlib.import_module(MODULE)
    monkeypatch.setattr(module.RECALCULATION._walk, "_workers", 1)  # moto cannot answer two requests at once
    yield module
    sys.modules.pop(MODULE, None)


@pytest.fixture
def log(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(function.logger.registered_handler, "stream", stream)
    return stream


def publish(world: World) -> None:
    """A version by which 100 points are silver."""
    ProgramStore(world.table, system_clock).publish(document(tiers=CHEAPER), expected_version=1, actor="test")


def step(
    function: ModuleType, name: str, request: dict[str, Any], shard: int | None = None, seconds: float = FULL
) -> Any:
    asked = {"step": name, "request": request} | ({} if shard is None else {"shard": shard})
    return json.loads(json.dumps(function.handler(asked, Context(seconds))))


def run(function: ModuleType, request: dict[str, Any]) -> Any:
    """As the machine takes the steps."""
    for item in step(function, "begin", request):
        at = item
        while not at.get("done"):
            at = step(function, "shard", at["request"], at["shard"])
    return step(function, "sum", request)


def test_all_steps_of_a_run(world: World, function: ModuleType, log: io.StringIO) -> None:
    publish(world)
    items = step(function, "begin", EVERYBODY)
    assert items == [{"request": EVERYBODY, "shard": shard} for shard in SHARDS]
    assert step(function, "sum", EVERYBODY)["unfinished"] == list(SHARDS)
    assert run(function, EVERYBODY) == {
        "members": 2, "changed": 2, "failed": 0, "unfinished": [], "finished": True,
    }  # fmt: skip
    assert [world.book(member).tier for member in (ADA, BEN)] == ["silver", "silver"]


def test_a_step_works_by_the_version_that_was_published_the_moment_before(
    world: World, function: ModuleType, log: io.StringIO
) -> None:
    """Functions remember a version for a minute: a member who is looked at by the former one is not looked at again."""
    shard = int(member_shard("acme", ADA)[-2:])
    assert step(function, "shard", EVERYBODY, shard)["changed"] == 0
    publish(world)
    assert step(function, "shard", EVERYBODY | {"run": "y"}, shard)["changed"] >= 1


def test_what_it_tells_names_no_member(
    world: World, function: ModuleType, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(world)
    run(function, EVERYBODY)
    lines = [json.loads(text) for text in log.getvalue().splitlines()]
    assert {line["message"] for line in lines} == {"recalculation begins", "recalculation goes on", "recalculated"}
    assert (lines[-1]["members"], lines[-1]["changed"], lines[-1]["run"]) == (2, 2, "x")
    assert ADA not in log.getvalue()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert told[-1][contract.MEMBERS_RECALCULATED] == [2.0]
    assert told[-1][contract.MEMBERS_NOT_RECALCULATED] == [0.0]


def test_it_takes_nobody_up_when_its_time_is_almost_over(world: World, function: ModuleType, log: io.StringIO) -> None:
    publish(world)
    shard = int(member_shard("acme", ADA)[-2:])
    at = step(function, "shard", EVERYBODY, shard, seconds=function.RESERVE.total_seconds() - 1)
    assert (at["members"], at["done"], at["pages"]) == (0, False, 0)
    assert step(function, "shard", at["request"], at["shard"])["done"]


def test_a_full_step_is_no_alarm_of_its_duration(function: ModuleType) -> None:
    """Which goes off at four fifths of the time-out."""
    assert FULL - function.RESERVE.total_seconds() < 0.8 * FULL


def test_one_member(world: World, function: ModuleType, log: io.StringIO) -> None:
    publish(world)
    asked = {"program": "acme", "run": "x", "member": ADA}
    assert [step(function, "member", asked)["changed"] for _ in range(2)] == [1, 0]
    with pytest.raises(MemberNotFound):
        step(function, "member", asked | {"member": f"mbr_{'z' * 26}"})


def test_a_run_of_others_is_refused_before_it_begins(world: World, function: ModuleType, log: io.StringIO) -> None:
    run(function, EVERYBODY)
    with pytest.raises(RunDiffers):
        step(function, "begin", {"program": "acme", "run": "x", "tier": "silver"})
    with pytest.raises(TierUnknown):
        step(function, "begin", {"program": "acme", "run": "y", "tier": "diamond"})


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("begin", {"everybody": False}),
        ("begin", {"member": ADA}),
        ("begin", {"tier": "silver"}),
        ("begin", {"run": "Not a name"}),
        ("begin", {"run": "x" * 41}),
        ("begin", {"surprise": 1}),
        ("begin", {"everybody": False, "member": "mbr_1"}),
        ("leap", {}),
    ],
)
def test_what_cannot_be_meant_is_refused(
    function: ModuleType, log: io.StringIO, name: str, change: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        step(function, name, EVERYBODY | change)


def test_a_shard_that_is_none_is_refused(function: ModuleType, log: io.StringIO) -> None:
    with pytest.raises(ValidationError):
        step(function, "shard", EVERYBODY, 16)
    with pytest.raises(ValueError, match="none is named"):
        step(function, "shard", EVERYBODY)
    with pytest.raises(ValueError, match="none is named"):
        step(function, "member", EVERYBODY)
