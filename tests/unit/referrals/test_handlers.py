"""Both functions as Lambda starts them, with the payer and the screener that a stage has."""

import importlib
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.stacks.referring import WAKING
from loyalty.attribution.codes import code_digest
from loyalty.attribution.model import ReferralStatus
from loyalty.attribution.store import due_shard, shard_of
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.members.items import lookup_key
from loyalty.publishing.outbox import events_of
from loyalty.referrals import events
from tests.apikit.gateway import CONTEXT, Context
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.tables import create_table
from tests.ledgerkit.waking import ADA, FRIEND, Brought, with_referrals

REGION = "eu-south-1"
PLANTED = "nora@example.com"
EVENTS, CLOCK = "functions.referral_events.handler", "functions.referral_clock.handler"
Start = Callable[[str], ModuleType]
STATUS = ReferralStatus


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        contract.ENV_STAGE: "test",
        contract.ENV_TABLE: "loyalty",
        "POWERTOOLS_SERVICE_NAME": "referrals",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        table = Table("loyalty", region=REGION)
        create_table(table.client, table.name)
        yield table


@pytest.fixture
def brought(environment: Table) -> Brought:
    """The functions have the real clock: the friend came two days ago."""
    clock = SettableClock(system_clock() - timedelta(days=2))
    return Brought(environment, of=with_referrals(qualifying={"return_days": 0}), clock=clock)


@pytest.fixture
def start(environment: Table, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    started = []

    def start(name: str) -> ModuleType:
        sys.modules.pop(name, None)
        module = importlib.import_module(name)
        if name == CLOCK:
            monkeypatch.setattr(module.DUE, "_workers", 1)  # moto cannot answer two requests at once
        started.append(name)
        return module

    yield start
    for name in started:
        sys.modules.pop(name, None)


def deliver(function: ModuleType, *bodies: str) -> list[str]:
    """Ids of the messages that are to be delivered again."""
    records = [
        {"messageId": f"m-{place}", "body": body, "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs"}
        for place, body in enumerate(bodies)
    ]
    answer = function.handler({"Records": records}, CONTEXT)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def told(brought: Brought, sk: str, member: str = FRIEND) -> str:
    """What the publisher tells of an item that was just written."""
    raw = brought.table.read(f"M#acme#{member}", sk)
    (event,) = events_of({"dynamodb": {"SequenceNumber": "1", "NewImage": raw}})
    return json.dumps({"detail-type": event.detail_type, "detail": event.detail.model_dump(mode="json")})


def measured(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    found: dict[str, Any] = json.loads(line)
    return found


def points(brought: Brought) -> Mapping[str, int]:
    return {member: brought.world.wallet(member).available for member in (ADA, FRIEND)}


def test_from_enrollment_to_both_rewards_and_back(
    brought: Brought, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    function = start(EVENTS)
    assert deliver(function, told(brought, "REFERRAL")) == []
    assert (brought.referral.counted, brought.referral.status) == (True, STATUS.ENROLLED)
    capsys.readouterr()
    brought.buys("R-1")
    purchase = told(brought, "ENTRY#accrual#pos#R-1")
    assert deliver(function, purchase, purchase) == []
    assert points(brought) == {ADA: 500, FRIEND: 25 + 250}
    metrics = measured(capsys)
    assert metrics[contract.REFERRALS_QUALIFIED] == metrics[contract.REFERRALS_REWARDED] == [1.0]
    brought.returns("R-1")
    returned = told(brought, "ENTRY#reversal#pos#back-R-1")
    assert deliver(function, returned, returned, purchase) == []
    assert points(brought) == {ADA: 0, FRIEND: 0}
    assert brought.referral.status is STATUS.REVERSED
    assert measured(capsys)[contract.REFERRALS_REVERSED] == [1.0]
    assert brought.world.audit() == []


def test_a_code_that_has_brought_as_many_as_it_may_is_marked(environment: Table, start: Start) -> None:
    clock = SettableClock(system_clock() - timedelta(days=2))
    brought = Brought(environment, of=with_referrals(code_uses=1), clock=clock)
    key = lookup_key("acme", code_digest(brought.referral.code))
    environment.client.put_item(
        TableName=environment.name,
        Item={"pk": {"S": key[0]}, "sk": {"S": key[1]}, "member_id": {"S": ADA}},
    )
    assert deliver(start(EVENTS), told(brought, "REFERRAL")) == []
    marked = environment.read(*key)
    assert marked is not None
    assert marked["uses"] == {"N": "1"}


def test_what_referrals_themselves_earn_wakes_nobody(brought: Brought, start: Start) -> None:
    function = start(EVENTS)
    brought.buys("R-1")
    deliver(function, told(brought, "ENTRY#accrual#pos#R-1"))
    assert events.happening(told(brought, f"ENTRY#accrual#referral#{FRIEND}", ADA)) is None
    assert events.happening(told(brought, f"ENTRY#accrual#referral#{FRIEND}")) is None


def test_what_can_never_be_processed_is_named_and_stops_no_other(
    brought: Brought, start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    function = start(EVENTS)
    stream = io.StringIO()
    monkeypatch.setattr(function.logger.registered_handler, "stream", stream)
    broken = [
        PLANTED,
        json.dumps([PLANTED]),
        json.dumps({"detail-type": PLANTED, "detail": {}}),
        json.dumps({"detail-type": contract.REFERRAL_ENROLLED, "detail": {"note": PLANTED}}),
    ]
    assert deliver(function, *broken, told(brought, "REFERRAL")) == [f"m-{place}" for place in range(len(broken))]
    assert brought.referral.counted
    errors = [line for line in map(json.loads, stream.getvalue().splitlines()) if line["level"] == "ERROR"]
    assert [line["error"] for line in errors] == ["Rejected"] * len(broken)
    assert PLANTED not in stream.getvalue() + capsys.readouterr().out


def test_the_rule_brings_what_the_function_reads() -> None:
    assert sorted(WAKING) == sorted(events.WAKING)


def test_the_clock_finds_what_no_event_told(brought: Brought, start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    brought.wake()
    brought.buys("R-1")
    brought.decide(brought.lifecycle.plan(brought.referral)[1].after)  # type: ignore[union-attr]
    assert brought.referral.status is STATUS.QUALIFIED
    function = start(CLOCK)
    answer = function.handler({}, Context(FUNCTIONS["referral_clock"].timeout_seconds))
    assert (answer["referrals"], answer["failed"], answer["finished"]) == (1, 0, True)
    assert points(brought) == {ADA: 500, FRIEND: 25 + 250}
    metrics = measured(capsys)
    assert (metrics[contract.REFERRALS_REWARDED], metrics[contract.REFERRALS_FAILED]) == ([1.0], [0.0])
    day = 86_400
    assert day < metrics[contract.REFERRALS_LAG][0] < 3 * day
    again = function.handler({"shards": [shard_of(FRIEND)]}, Context(300))
    assert (again["referrals"], again["lag_seconds"]) == (0, 0.0)


def test_a_run_without_time_takes_up_nobody(brought: Brought, start: Start) -> None:
    brought.wake()
    brought.buys("R-1")
    brought.decide(brought.lifecycle.plan(brought.referral)[1].after)  # type: ignore[union-attr]
    answer = start(CLOCK).handler({}, Context(60))
    assert (answer["referrals"], answer["finished"]) == (0, False)
    assert brought.table.due(due_shard(shard_of(FRIEND)), "3", limit=9)


@pytest.mark.parametrize("kind", [contract.MEMBER_ENROLLED, contract.MEMBER_UPDATED])
def test_who_comes_without_a_code_is_remembered_once(brought: Brought, start: Start, kind: str) -> None:
    function, newcomer = start(EVENTS), "mbr_" + "n" * 26
    member = {
        "pk": {"S": f"M#acme#{newcomer}"}, "sk": {"S": "MEMBER"}, "created_at": {"S": "2026-11-20T10:00:00.000000Z"},
        "likenesses": {"M": {"device": {"S": "d1"}}},
    }  # fmt: skip
    brought.table.client.put_item(TableName="loyalty", Item=member)
    detail = {"id": "acme/new", "program": "acme", "member_id": newcomer, "version": 1}
    body = json.dumps({"detail-type": kind, "detail": detail})
    assert deliver(function, body) == []
    seen = brought.table.read("U#acme#d1", "SEEN")
    assert seen is not None
    assert newcomer in json.dumps(seen)
    assert deliver(function, body) == []
    assert brought.table.read("U#acme#d1", "SEEN") == seen
