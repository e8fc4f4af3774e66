"""Alarms and outputs that people and scripts rely on."""

import json

from infra.functions import FUNCTIONS
from infra.names import resource
from infra.settings import StageSettings
from infra.stacks.observability import DEAD_LETTER_QUEUES, QUEUES
from tests.infra.templates import Templates, text

OUTPUTS = {
    "ApiUrl", "ApiId", "UserPoolId", "UserPoolClientId", "TokenUrl", "BusName", "TableName", "StateMachineArn",
    "InboundQueueUrl", "InboundDlqUrl", "UndeliveredQueueUrl", "UnpublishedQueueUrl", "FulfillmentDlqUrl",
    "SupplierSecretArn", "AlarmTopicArn", "PiiKeyArn", "LookupKeyArn",
}  # fmt: skip


def test_outputs(stage: Templates) -> None:
    assert stage.outputs() >= OUTPUTS


def test_alarms(stage: Templates) -> None:
    alarms = stage.properties("AWS::CloudWatch::Alarm")
    metrics = [alarm["MetricName"] for alarm in alarms]
    for name in ("Errors", "Throttles", "Duration"):
        assert metrics.count(name) == len(FUNCTIONS)
    assert metrics.count("ApproximateNumberOfMessagesVisible") == len(DEAD_LETTER_QUEUES)
    assert metrics.count("ApproximateAgeOfOldestMessage") == len(QUEUES)
    wanted = {
        "IteratorAge", "5XXError", "Latency", "UnmatchedPurchase", "ExecutionsFailed", "ExecutionsTimedOut",
        "ReadThrottleEvents", "WriteThrottleEvents",
    }  # fmt: skip
    assert wanted <= set(metrics)


def test_every_alarm_tells_the_encrypted_topic_what_happened(stage: Templates) -> None:
    assert "KeysMessages" in text(stage.one("AWS::SNS::Topic")["Properties"]["KmsMasterKeyId"])
    for alarm in stage.properties("AWS::CloudWatch::Alarm"):
        assert "Alarms" in text(alarm["AlarmActions"])
        assert len(alarm["AlarmDescription"]) > 30
        assert "Metrics" not in alarm, "the local cloud evaluates no metric math"


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
