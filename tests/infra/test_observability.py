"""Alarms and outputs that people and scripts rely on."""

import json
import re

import loyalty_contract as contract
from infra import ROOT
from infra.functions import FUNCTIONS
from infra.names import resource
from infra.settings import StageSettings
from infra.stacks.observability import DEAD_LETTER_QUEUES, QUEUES
from tests.infra.templates import Templates, text

INDEX = ROOT / "docs" / "runbooks" / "README.md"
OUTPUTS = {
    "ApiUrl", "ApiId", "UserPoolId", "TokenUrl", "BusName", "TableName", "StateMachineArn",
    "InboundQueueUrl", "InboundDlqUrl", "UndeliveredQueueUrl", "UnpublishedQueueUrl", "FulfillmentDlqUrl",
    "BusDlqUrl", "TremendousSecretArn", "AlarmTopicArn", "PiiKeyArn", "LookupKeyArn",
}  # fmt: skip


REFUSE_BY_RAISING = {name for name, spec in FUNCTIONS.items() if spec.refuses_by_raising}
"""Their errors are answers: what they cannot decide has an alarm of its own."""


def test_outputs(stage: Templates) -> None:
    assert stage.outputs() >= OUTPUTS


def test_alarms(stage: Templates) -> None:
    alarms = stage.properties("AWS::CloudWatch::Alarm")
    metrics = [alarm["MetricName"] for alarm in alarms]
    for name in ("Throttles", "Duration"):
        assert metrics.count(name) == len(FUNCTIONS)
    assert metrics.count("Errors") == len(FUNCTIONS) - len(REFUSE_BY_RAISING)
    assert metrics.count(contract.ACCESS_UNDECIDED) == len(REFUSE_BY_RAISING) == 1
    assert metrics.count("ApproximateNumberOfMessagesVisible") == len(DEAD_LETTER_QUEUES)
    assert metrics.count("ApproximateAgeOfOldestMessage") == len(QUEUES)
    wanted = {
        "IteratorAge", "5XXError", "Latency", "UnmatchedPurchase", "ExecutionsFailed", "ExecutionsTimedOut",
        "ReadThrottleEvents", "WriteThrottleEvents", "SettlementLag", "SettlementsFailed",
    }  # fmt: skip
    assert wanted <= set(metrics)


def test_every_alarm_tells_the_encrypted_topic_what_happened(stage: Templates) -> None:
    assert "KeysMessages" in text(stage.one("AWS::SNS::Topic")["Properties"]["KmsMasterKeyId"])
    for alarm in stage.properties("AWS::CloudWatch::Alarm"):
        assert "Alarms" in text(alarm["AlarmActions"])
        assert len(alarm["AlarmDescription"]) > 30
        assert "Metrics" not in alarm, "the local cloud evaluates no metric math"


def test_an_alarm_may_publish_to_its_topic_and_use_the_topics_key(stage: Templates) -> None:
    stateful = stage.stacks["stateful"]["Resources"]
    ((topic_id, topic),) = list(stage.each("AWS::SNS::Topic"))
    (export,) = [
        name for name, output in stage.stacks["stateful"]["Outputs"].items() if output["Value"] == {"Ref": topic_id}
        and "Export" in output
    ]  # fmt: skip
    told = {text(action) for alarm in stage.properties("AWS::CloudWatch::Alarm") for action in alarm["AlarmActions"]}
    assert all(export in action or topic_id in action for action in told)

    (policy,) = stage.properties("AWS::SNS::TopicPolicy")
    assert policy["Topics"] == [{"Ref": topic_id}]
    (publish,) = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert publish["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert publish["Action"] == "sns:Publish"
    assert publish["Resource"] == {"Ref": topic_id}
    assert publish["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}

    (key_id, _attribute) = topic["Properties"]["KmsMasterKeyId"]["Fn::GetAtt"]
    uses = [
        each
        for each in stateful[key_id]["Properties"]["KeyPolicy"]["Statement"]
        if "cloudwatch.amazonaws.com" in text(each["Principal"])
    ]
    assert [each["Condition"] for each in uses] == [publish["Condition"]]
    assert {"kms:Decrypt", "kms:GenerateDataKey*"} <= set(uses[0]["Action"])


def test_every_alarm_has_a_page_and_no_page_is_of_an_alarm_that_is_no_more(stage: Templates) -> None:
    """Names as in CloudWatch, between the stack's and the letters that CloudFormation adds."""
    alarms = {re.sub(r"[0-9A-F]{8}$", "", logical_id) for logical_id, _ in stage.each("AWS::CloudWatch::Alarm")}
    of_many = {"{function}": FUNCTIONS, "{queue}": (*QUEUES, *DEAD_LETTER_QUEUES)}
    told: set[str] = set()
    for names, link in re.findall(r"^\| (`[^|]*) \|[^|]*\| \[[^]]+\]\(([^)]+)\) \|$", INDEX.read_text(), re.MULTILINE):
        page = (INDEX.parent / link).read_text()
        for name in re.findall(r"`([^`]+)`", names):
            assert f"`{name}`" in page, f"{link} says nothing of {name}"
            which = next((one for one in of_many if one in name), "")
            meant = {name.replace(which, re.sub("[_-]", "", each)) for each in of_many[which]} if which else {name}
            meant -= {f"{one}Errors" for one in REFUSE_BY_RAISING}
            # Of queues some have only the one or the other alarm.
            found = meant & alarms if which == "{queue}" else meant
            assert found, name
            told |= found
    assert told == alarms


def test_dashboard_names_queues_that_exist(stage: Templates, settings: StageSettings) -> None:
    queues = {queue["QueueName"] for queue in stage.properties("AWS::SQS::Queue")}
    assert queues == {resource(settings.name, name) for name in (*QUEUES, *DEAD_LETTER_QUEUES)}
    board = text(stage.one("AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"])
    for name in queues:
        assert json.dumps(name)[1:-1] in board


def test_only_the_stateful_stack_exports(stage: Templates) -> None:
    for name, template in stage.stacks.items():
        exports = [output for output in template.get("Outputs", {}).values() if "Export" in output]
        assert not exports or name == "stateful", name


def test_layers_are_never_shared_between_stacks(stage: Templates) -> None:
    for name in ("api", "events", "workflows"):
        assert len(stage.properties("AWS::Lambda::LayerVersion", name)) == 2
