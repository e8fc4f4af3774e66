"""The sweeper is started by the clock for every shard, may do no more than it must, and its silence is heard."""

import json

import pytest

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.names import resource
from infra.settings import StageSettings
from infra.stacks.sweeping import NOT_STARTED, shares
from tests.infra.single import synthesize_one
from tests.infra.templates import Json, Templates, many, text

FIVE_MINUTES = 300


def _schedules(stage: Templates) -> list[Json]:
    schedules = stage.properties("AWS::Scheduler::Schedule", "events")
    return [schedule for schedule in schedules if "sweeperAlias" in text(schedule["Target"]["Arn"])]


def _group(stage: Templates) -> tuple[str, Json]:
    (found,) = [
        (name, group)
        for name, group in stage.each("AWS::Scheduler::ScheduleGroup", "events")
        if group["Properties"]["Name"].endswith("-sweeper")
    ]
    return found


def _of(stage: Templates, prefix: str) -> Json:
    """The one resource of the events stack whose logical id begins so."""
    found = [each for name, each in stage.stacks["events"]["Resources"].items() if name.startswith(prefix)]
    assert len(found) == 1, prefix
    properties: Json = found[0]["Properties"]
    return properties


@pytest.mark.parametrize("sweepers", range(1, contract.DUE_SHARDS + 1))
def test_every_shard_is_in_one_share(sweepers: int) -> None:
    dealt = shares(sweepers)
    assert len(dealt) == sweepers
    assert sorted(shard for share in dealt for shard in share) == list(range(contract.DUE_SHARDS))
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


def test_schedules_start_every_share_every_five_minutes(stage: Templates, settings: StageSettings) -> None:
    schedules = _schedules(stage)
    assert [json.loads(each["Target"]["Input"])["shards"] for each in schedules] == shares(settings.sweepers)
    group = resource(settings.name, "sweeper")
    assert _group(stage)[1]["Properties"]["Name"] == group
    for number, schedule in enumerate(schedules):
        assert schedule["Name"] == f"{group}-{number}"
        assert schedule["GroupName"] == group
        assert schedule["ScheduleExpression"] == "rate(5 minutes)"
        assert schedule["State"] == "ENABLED"
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_a_start_is_tried_until_the_next_one_and_then_kept(stage: Templates) -> None:
    (queue,) = [
        {"Fn::GetAtt": [logical_id, "Arn"]}
        for logical_id, queue in stage.each("AWS::SQS::Queue", "events")
        if queue["Properties"]["QueueName"].endswith(f"-{NOT_STARTED}")
    ]
    for schedule in _schedules(stage):
        assert schedule["Target"]["RetryPolicy"] == {
            "MaximumEventAgeInSeconds": FIVE_MINUTES, "MaximumRetryAttempts": 10,
        }  # fmt: skip
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": queue}


def test_a_run_that_fails_is_left_to_the_next_one(stage: Templates) -> None:
    (config,) = [
        each
        for each in stage.properties("AWS::Lambda::EventInvokeConfig", "events")
        if "sweeper" in text(each["FunctionName"])
    ]
    assert "sweeperAlias" in text(config["Qualifier"])
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, FIVE_MINUTES)


def test_a_run_ends_before_the_next_one_begins(stage: Templates) -> None:
    assert FUNCTIONS["sweeper"].timeout_seconds <= FIVE_MINUTES


def test_the_schedulers_role_starts_the_sweeper_and_nothing_else(stage: Templates) -> None:
    trust = _of(stage, "SweepingRole0")["AssumeRolePolicyDocument"]["Statement"]
    group, _ = _group(stage)
    assert [each["Principal"] for each in trust] == [{"Service": "scheduler.amazonaws.com"}]
    assert trust[0]["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"},
            "aws:SourceArn": {"Fn::GetAtt": [group, "Arn"]},
        }
    }
    statements = _of(stage, "SweepingRoleDefaultPolicy")["PolicyDocument"]["Statement"]
    assert [many(each["Action"]) for each in statements] == [["lambda:InvokeFunction"], ["sqs:SendMessage"]]
    (alias,) = [name for name, _ in stage.each("AWS::Lambda::Alias", "events") if name.startswith("sweeperAlias")]
    assert statements[0]["Resource"] == {"Ref": alias}
    assert statements[1]["Resource"]["Fn::GetAtt"][0].startswith("sweepernotstarted")
    for schedule in _schedules(stage):
        assert schedule["Target"]["RoleArn"]["Fn::GetAtt"][0].startswith("SweepingRole")


def test_a_schedule_waits_for_its_roles_policy(stage: Templates) -> None:
    for _, schedule in stage.each("AWS::Scheduler::Schedule", "events"):
        if "sweeperAlias" not in text(schedule["Properties"]["Target"]["Arn"]):
            continue
        assert any(name.startswith("SweepingRoleDefaultPolicy") for name in schedule["DependsOn"])


def test_the_sweeper_queries_the_due_index_alone(stage: Templates) -> None:
    (query,) = [each for each in stage.statements("sweeper") if "dynamodb:Query" in many(each["Action"])]
    assert many(query["Action"]) == ["dynamodb:Query"]
    assert text(query["Resource"]).endswith(f'"/index/{contract.DUE_INDEX}"]]}}')


def test_the_sweeper_puts_refused_refunds_where_refused_events_are(stage: Templates) -> None:
    (send,) = [each for each in stage.statements("sweeper") if "sqs:SendMessage" in many(each["Action"])]
    (dlq,) = [
        name for name, each in stage.each("AWS::SQS::Queue") if each["Properties"]["QueueName"].endswith("-inbound-dlq")
    ]
    assert send["Resource"] == {"Fn::GetAtt": [dlq, "Arn"]}
    functions = stage.properties("AWS::Lambda::Function", "events")
    (sweeper,) = [each for each in functions if "sweeper" in text(each.get("FunctionName"))]
    assert sweeper["Environment"]["Variables"][contract.ENV_INBOUND_DLQ] == {"Ref": dlq}


def test_alarms_on_what_waits_on_failures_and_on_silence(stage: Templates, settings: StageSettings) -> None:
    by_statistic = {
        (alarm["MetricName"], alarm["Statistic"]): alarm
        for alarm in stage.properties("AWS::CloudWatch::Alarm", "events")
        if alarm["MetricName"] in {contract.SETTLEMENT_LAG, contract.SETTLEMENTS_FAILED}
    }
    late = by_statistic[contract.SETTLEMENT_LAG, "Maximum"]
    assert (late["Threshold"], late["TreatMissingData"]) == (3600, "notBreaching")
    failing = by_statistic[contract.SETTLEMENTS_FAILED, "Sum"]
    assert (failing["Threshold"], failing["EvaluationPeriods"]) == (1, 3)
    silent = by_statistic[contract.SETTLEMENT_LAG, "SampleCount"]
    assert (silent["ComparisonOperator"], silent["TreatMissingData"]) == ("LessThanThreshold", "breaching")
    assert (silent["Threshold"], silent["Period"]) == (settings.sweepers, 900)
    for alarm in by_statistic.values():
        assert alarm["Dimensions"] == [{"Name": "service", "Value": "sweeper"}]


def test_a_hot_shard_of_the_index_is_an_alarm(stage: Templates) -> None:
    watched = {
        dimension["Value"]
        for each in stage.properties("AWS::CloudWatch::Alarm", "observability")
        for dimension in each.get("Dimensions", [])
        if dimension["Name"] == "GlobalSecondaryIndexName"
    }
    assert watched == {contract.DUE_INDEX, contract.MEMBER_INDEX}


def test_a_stage_may_have_a_sweeper_for_every_shard() -> None:
    stage = synthesize_one(StageSettings(name="busy", region="eu-south-1", sweepers=contract.DUE_SHARDS))
    assert [json.loads(each["Target"]["Input"])["shards"] for each in _schedules(stage)] == [
        [shard] for shard in range(contract.DUE_SHARDS)
    ]
