"""The function as the clock starts it: what it reports, and how it ends before Lambda ends it."""

import importlib
import io
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from boto3 import client as boto_client
from moto import mock_aws

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from loyalty.commerce.items import record_key
from loyalty.commerce.outcomes import PURCHASE_NOT_FOUND
from loyalty.commerce.records import WAIT, KeptRefund, Record
from loyalty.commerce.store import CommerceStore
from loyalty.core.clock import system_clock
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.keys import due_shard
from loyalty.sweeping.service import SHARDS
from tests.apikit.gateway import Context
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.overdue import Overdue, spread
from tests.ledgerkit.tables import create_table

REGION = "eu-south-1"
MODULE = "functions.sweeper.handler"
QUEUE = f"https://sqs.{REGION}.amazonaws.com/123456789012/refused"
FULL = FUNCTIONS["sweeper"].timeout_seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Overdue]:
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        contract.ENV_STAGE: "test",
        contract.ENV_TABLE: "loyalty",
        contract.ENV_INBOUND_DLQ: QUEUE,
        "POWERTOOLS_SERVICE_NAME": "sweeper",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        table = Table("loyalty", region=REGION)
        create_table(table.client, table.name)
        # The function has the real clock: what is to be due fell due two days ago.
        yield Overdue(table, clock=SettableClock(system_clock() - timedelta(days=10)))


@pytest.fixture
def function(world: Overdue, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    sys.modules.pop(MODULE, None)
    module = importlib.import_module(MODULE)
    monkeypatch.setattr(module.SWEEPER, "_workers", 1)  # moto cannot answer two requests at once
    yield module
    sys.modules.pop(MODULE, None)


@pytest.fixture
def log(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(function.logger.registered_handler, "stream", stream)
    return stream


def due(world: Overdue, *members: str) -> None:
    """Two entries each: 7 days before its lot's end each is warned, and its pending points matured."""
    now = world.clock()
    lot, matures = now.date() + timedelta(days=15), now.date() + timedelta(days=8)
    world.enroll(*members)
    for member in members:
        world.earn("R-1", 10, lot.isoformat(), member=member)
        world.earn("R-2", 10, "2099-12-31", member=member, pending_until=matures.isoformat())


def refunded(world: Overdue, *orders: str, ago: timedelta = WAIT + timedelta(hours=1)) -> None:
    """A refund of each order came so long ago, and the order never did."""
    since = system_clock() - ago
    refund = KeptRefund(since, Money.of("5.00", "EUR"), since)
    for order in orders:
        record = Record("shopify", order, None)
        assert CommerceStore(world.table).keep_refund(record, "acme", f"F-{order}", refund, since, shop="acme.example")


def received() -> list[Any]:
    """What is in the queue of refused events."""
    sqs = boto_client("sqs", region_name=REGION)
    answer = sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return list(answer.get("Messages", []))


def measured(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The metrics of one run, by name."""
    (line,) = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_run_settles_and_says_so(
    world: Overdue, function: ModuleType, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    due(world, "mbr_1", "mbr_2")
    answer = function.handler({"shards": list(SHARDS)}, Context(FULL))
    assert (answer["members"], answer["entries"], answer["failed"], answer["finished"]) == (2, 4, 0, True)
    metrics = measured(capsys)
    assert metrics[contract.MEMBERS_SETTLED] == [2.0]
    assert metrics[contract.ENTRIES_SETTLED] == [4.0]
    assert metrics[contract.SETTLEMENTS_FAILED] == [0.0]
    day = 86_400
    assert day < metrics[contract.SETTLEMENT_LAG][0] < 4 * day
    units = {metric["Name"]: metric["Unit"] for metric in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert units[contract.SETTLEMENT_LAG] == "Seconds"
    (line,) = [json.loads(text) for text in log.getvalue().splitlines()]
    assert (line["level"], line["message"], line["members"]) == ("INFO", "swept", 2)


def test_a_run_with_nothing_to_do_reports_that_it_ran(
    function: ModuleType, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = function.handler({"shards": [0]}, Context(FULL))
    assert answer["finished"]
    assert measured(capsys)[contract.SETTLEMENT_LAG] == [0.0]


def test_it_sweeps_the_shards_that_it_is_told_and_all_where_it_is_told_none(
    world: Overdue, function: ModuleType, log: io.StringIO
) -> None:
    members = spread(1)[:3]
    due(world, *members)
    assert function.handler({"shards": [int(due_shard(members[0])[-2:])]}, Context(FULL))["members"] == 1
    assert function.handler({}, Context(FULL))["members"] == 2


def test_it_takes_nobody_up_when_its_time_is_almost_over(
    world: Overdue, function: ModuleType, log: io.StringIO
) -> None:
    due(world, "mbr_1")
    answer = function.handler({}, Context(function.RESERVE.total_seconds() - 1))
    assert (answer["members"], answer["finished"]) == (0, False)
    assert function.handler({}, Context(FULL))["members"] == 1


def test_a_full_run_is_no_alarm_of_its_duration(function: ModuleType) -> None:
    """Which goes off at four fifths of the time-out."""
    assert timedelta(seconds=FULL) - function.RESERVE < timedelta(seconds=0.8 * FULL)


def test_refunds_whose_purchase_never_came_are_put_aside_once(
    world: Overdue, function: ModuleType, log: io.StringIO
) -> None:
    boto_client("sqs", region_name=REGION).create_queue(QueueName="refused")
    refunded(world, "1", "2")
    refunded(world, "3", ago=WAIT - timedelta(hours=1))
    assert function.handler({}, Context(FULL))["refunds_put_aside"] == 2
    assert function.handler({}, Context(FULL))["refunds_put_aside"] == 0
    messages = received()
    assert {message["MessageAttributes"]["reason"]["StringValue"] for message in messages} == {PURCHASE_NOT_FOUND}
    assert sorted(json.loads(message["Body"])["detail"]["payload"]["id"] for message in messages) == ["F-1", "F-2"]
    assert "F-3" in str(world.table.read(*record_key(None, "shopify", "3")))


def test_refunds_that_cannot_be_put_aside_are_kept_and_keep_no_member_from_being_settled(
    world: Overdue, function: ModuleType, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    due(world, "mbr_1")
    refunded(world, "1")
    answer = function.handler({}, Context(FULL))  # there is no such queue
    assert (answer["members"], answer["refunds_put_aside"], answer["failed"]) == (1, 0, 1)
    (error,) = [line for line in map(json.loads, log.getvalue().splitlines()) if line["level"] == "ERROR"]
    assert (error["where"].startswith("DUE#refund#"), error["error"]) == (
        True,
        "QueueDoesNotExist.AWS.SimpleQueueService.NonExistentQueue",
    )
    assert measured(capsys)[contract.SETTLEMENTS_FAILED] == [1.0]
    assert "F-1" in str(world.table.read(*record_key(None, "shopify", "1")))


def test_refunds_too_wait_where_the_time_is_almost_over(world: Overdue, function: ModuleType, log: io.StringIO) -> None:
    refunded(world, "1")
    answer = function.handler({}, Context(function.RESERVE.total_seconds() - 1))
    assert (answer["refunds_put_aside"], answer["failed"]) == (0, 0)


def test_failures_are_named_by_id_and_by_the_errors_name(
    world: Overdue, function: ModuleType, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    due(world, "mbr_1")
    for number in range(function.NAMED + 2):
        world.poison(f"mbr_x{number}")
    answer = function.handler({}, Context(FULL))
    assert (answer["members"], answer["failed"]) == (1, function.NAMED + 2)
    lines = [json.loads(text) for text in log.getvalue().splitlines()]
    errors = [line for line in lines if line["level"] == "ERROR"]
    assert len(errors) == function.NAMED
    assert all(line["where"].startswith("M#acme#mbr_x") and line["error"] for line in errors)
    assert measured(capsys)[contract.SETTLEMENTS_FAILED] == [function.NAMED + 2.0]


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_shard_that_is_none_is_an_error_of_the_run(function: ModuleType, log: io.StringIO) -> None:
    with pytest.raises(ValueError, match="no shard 99"):
        function.handler({"shards": [99]}, Context(FULL))
