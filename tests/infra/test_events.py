"""Events: what goes where, and that nothing is lost on the way."""

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.names import resource
from infra.settings import StageSettings
from tests.infra.single import synthesize_one
from tests.infra.templates import Templates, text

WORKERS = {
    "inbound": "accrual_events",
    "tier-recalculation": "tier_recalculation",
    "fulfillment-start": "fulfillment_start",
}


def test_queues(stage: Templates, settings: StageSettings) -> None:
    queues = {queue["QueueName"]: queue for queue in stage.properties("AWS::SQS::Queue")}
    for queue in queues.values():
        assert "KeysMessages" in text(queue["KmsMasterKeyId"])
    for name, worker in WORKERS.items():
        queue = queues[resource(settings.name, name)]
        assert queue["VisibilityTimeout"] == 6 * FUNCTIONS[worker].timeout_seconds
        assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
        assert resource(settings.name, f"{name}-dlq") in queues


def test_queues_and_topics_refuse_plain_http(stage: Templates) -> None:
    policies = stage.properties("AWS::SQS::QueuePolicy") + stage.properties("AWS::SNS::TopicPolicy")
    assert len(policies) == len(stage.properties("AWS::SQS::Queue")) + 1
    for policy in policies:
        denied = [statement for statement in policy["PolicyDocument"]["Statement"] if statement["Effect"] == "Deny"]
        assert [statement["Condition"] for statement in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_rules(stage: Templates) -> None:
    patterns = [rule["EventPattern"] for rule in stage.properties("AWS::Events::Rule")]
    own = {"source": [contract.EVENT_SOURCE]}
    expected: list[dict[str, object]] = [
        {"source": [{"anything-but": [contract.EVENT_SOURCE]}]},
        {**own, "detail-type": [contract.MEMBER_ENROLLED, contract.MEMBER_UPDATED]},
        {**own, "detail-type": [contract.POINTS_ACCRUED, contract.POINTS_REVERSED]},
        {**own, "detail-type": [contract.REDEMPTION_HELD], "detail": {"reward_type": ["gift_card"]}},
    ]
    assert sorted(map(text, patterns)) == sorted(text(_ordered(pattern)) for pattern in expected)


def _ordered(pattern: dict[str, object]) -> dict[str, object]:
    return dict(sorted(pattern.items(), key=lambda item: ["detail", "detail-type", "source"].index(item[0])))


def test_what_a_rule_cannot_deliver_is_kept(stage: Templates) -> None:
    for rule in stage.properties("AWS::Events::Rule"):
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"]["Arn"]
            assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def test_mappings_report_partial_failures(stage: Templates) -> None:
    mappings = stage.properties("AWS::Lambda::EventSourceMapping")
    assert len(mappings) == len(WORKERS) + 1
    for mapping in mappings:
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_stream_reaches_the_publisher_filtered_and_nothing_blocks_it(stage: Templates) -> None:
    (mapping,) = [
        each for each in stage.properties("AWS::Lambda::EventSourceMapping") if "Stream" in text(each["EventSourceArn"])
    ]
    assert "publisher" in text(mapping["FunctionName"])
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"]
    pattern = text(mapping["FilterCriteria"])
    for word in ("INSERT", "MODIFY", contract.ENTRY_PREFIX, contract.MEMBER_SK, contract.REDEMPTION_PREFIX):
        assert word in pattern
    assert "REMOVE" not in pattern


def test_partner_sources_get_a_bus_and_a_rule() -> None:
    source = "aws.partner/shopify.com/1/loyalty"
    stage = synthesize_one(StageSettings(name="partner", region="eu-south-1", partner_event_sources=(source,)))
    assert [bus["EventSourceName"] for bus in stage.properties("AWS::Events::EventBus", "events")] == [source]
    rules = [rule for rule in stage.properties("AWS::Events::Rule", "events") if source in text(rule["EventPattern"])]
    assert len(rules) == 1
    assert "inbound" in text(rules[0]["Targets"][0]["Arn"])
