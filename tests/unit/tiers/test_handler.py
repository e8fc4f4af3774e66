"""The function as Lambda starts it: a tier rises, and what cannot be processed is named without what it says."""

import importlib
import io
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws

import loyalty_contract as contract
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.publishing.events import PointsEvent
from tests.apikit.gateway import CONTEXT
from tests.ledgerkit.ladders import laddered
from tests.ledgerkit.tables import create_table
from tests.ledgerkit.world import MEMBER, World

REGION = "eu-south-1"
PLANTED = "nora@example.com"
MODULE = "functions.tier_recalculation.handler"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        contract.ENV_STAGE: "test",
        contract.ENV_TABLE: "loyalty",
        "POWERTOOLS_SERVICE_NAME": "tier_recalculation",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        table = Table("loyalty", region=REGION)
        create_table(table.client, table.name)
        world = World(table).enroll()
        ProgramStore(table, world.clock).publish(world.program.document, expected_version=0, actor="test")
        yield world


@pytest.fixture
def function(world: World) -> Iterator[ModuleType]:
    sys.modules.pop(MODULE, None)
    yield importlib.import_module(MODULE)
    sys.modules.pop(MODULE, None)


@pytest.fixture
def log(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(function.logger.registered_handler, "stream", stream)
    return stream


def deliver(function: ModuleType, *bodies: str) -> list[str]:
    """Ids of the messages that are to be delivered again."""
    records = [
        {"messageId": f"m-{place}", "body": body, "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs"}
        for place, body in enumerate(bodies)
    ]
    answer = function.handler({"Records": records}, CONTEXT)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def accrued(world: World, number: str, value: str) -> dict[str, Any]:
    entry = world.accrue(number, value).entry
    event = PointsEvent(
        id=f"{entry.program}/{entry.member_id}/{entry.entry_id}", program=entry.program, member_id=entry.member_id,
        entry_id=entry.entry_id, seq=entry.seq, points=entry.points, available=entry.balances.available, pending=0, held=0,
        program_version=1, occurred_at="2026-03-15T11:00:00.000Z", posted_at="2026-03-15T12:00:00.000Z",
    )  # fmt: skip
    return event.model_dump(mode="json")


def test_points_of_a_year_raise_a_member(world: World, function: ModuleType, log: io.StringIO) -> None:
    detail = accrued(world, "R-1", "500")
    assert deliver(function, json.dumps({"detail": detail})) == []
    assert world.book(MEMBER).tier == "silver"
    assert "tier changed" in log.getvalue()


def test_what_can_never_be_processed_is_named_and_stops_no_other(
    world: World,
    function: ModuleType,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    detail = accrued(world, "R-1", "500")
    broken = {
        "JSONDecodeError": PLANTED,
        "KeyError": json.dumps({"note": PLANTED}),
        "TypeError": json.dumps([PLANTED]),
        "ValidationError": json.dumps({"detail": detail | {"points": PLANTED}}),
        "ValueError": json.dumps({"detail": detail | {"posted_at": PLANTED}}),
        "ProgramNotFound": json.dumps({"detail": detail | {"program": PLANTED}}),
    }
    failed = deliver(function, *broken.values(), json.dumps({"detail": detail}))
    assert failed == [f"m-{place}" for place in range(len(broken))]
    assert world.book(MEMBER).tier == "silver"
    errors = [line for line in map(json.loads, log.getvalue().splitlines()) if line["level"] == "ERROR"]
    assert [(line["sqs_message"], line["error"]) for line in errors] == list(zip(failed, broken, strict=True))
    out, err = capsys.readouterr()
    assert '"TierEventsFailed":[1.0,1.0,1.0,1.0,1.0,1.0]' in out.replace(" ", "")
    assert PLANTED not in log.getvalue() + out + err + caplog.text


def test_a_reversal_lowers_a_tier_at_once_where_the_ladder_says_so(world: World, function: ModuleType) -> None:
    at_once = laddered(version=2, downgrade={"after_reversal": "at_once"})
    ProgramStore(world.table, world.clock).publish(at_once.document, expected_version=1, actor="test")
    world.program = at_once
    detail = accrued(world, "R-1", "500")
    assert deliver(function, json.dumps({"detail": detail})) == []
    entry = world.refund("F-1", "R-1", "10").entry
    reversed_ = detail | {"entry_id": entry.entry_id, "seq": entry.seq, "points": entry.points}
    assert world.book(MEMBER).tier == "silver"
    assert deliver(function, json.dumps({"detail": reversed_}), json.dumps({"detail": reversed_})) == []
    assert world.book(MEMBER).tier == "bronze"
    world.proven()
