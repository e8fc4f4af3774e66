"""Events: what goes where, and that nothing is lost on the way."""

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.names import resource
from infra.settings import StageSettings
from infra.stacks.referring import WAKING
from infra.stacks.watching import WATCHED
from tests.infra.single import synthesize_one
from tests.infra.templates import Templates, text

WORKERS = {
    "inbound": "accrual_events",
    "tier-recalculation": "tier_recalculation",
    "fulfillment-start": "fulfillment_start",
    "reward-delivery": "delivery",
    "abuse-watch": "abuse_watch",
    "referrals": "referral_events",
}


def test_queues(stage: Templates, settings: StageSettings) -> None:
    queues = {queue["QueueName"]: queue for queue in stage.properties("AWS::SQS::Queue")}
    for queue in queues.values():
        assert text("KeysMessages")[1:-1] in text(queue["KmsMasterKeyId"]) or queue["QueueName"].endswith("-bus-dlq")
    for name, worker in WORKERS.items():
        queue = queues[resource(settings.name, name)]
        window = 2 if name == "inbound" else 0
        assert queue["VisibilityTimeout"] == 6 * FUNCTIONS[worker].timeout_seconds + window
        assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
        assert resource(settings.name, f"{name}-dlq") in queues


def test_operators_find_the_queues_by_name(stage: Templates, settings: StageSettings) -> None:
    assert set(contract.WORK_QUEUES) == set(WORKERS)
    dead = map(contract.dead_letter_queue, contract.WORK_QUEUES)
    named = {*contract.WORK_QUEUES, *dead, *contract.UNDELIVERED_QUEUES, contract.UNPUBLISHED_QUEUE}
    there = {queue["QueueName"] for queue in stage.properties("AWS::SQS::Queue")}
    assert {resource(settings.name, name) for name in named} <= there
    assert resource(settings.name, contract.BUS) in {
        bus.get("Name") for bus in stage.properties("AWS::Events::EventBus", "stateful")
    }


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
        {
            **own,
            "detail-type": [contract.REDEMPTION_HELD],
            "detail": {"reward_type": ["cashback", "discount", "donation"]},
        },
        {**own, "detail-type": list(WATCHED)},
        {**own, "detail-type": list(WAKING)},
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
    assert len(mappings) == len(WORKERS) + 2, "and two follow the stream"
    for mapping in mappings:
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_commerce_events_come_in_large_batches_and_nothing_else_waits_for_company(stage: Templates) -> None:
    mappings = {
        text(mapping["FunctionName"]): (mapping["BatchSize"], mapping.get("MaximumBatchingWindowInSeconds"))
        for mapping in stage.properties("AWS::Lambda::EventSourceMapping")
        if "ScalingConfig" in mapping
    }
    assert sorted(batch for name, batch in mappings.items() if "accrualevents" in name) == [(100, 2)]
    assert {batch for name, batch in mappings.items() if "accrualevents" not in name} == {(10, None)}


def test_a_backlog_leaves_concurrency_to_the_api(stage: Templates, settings: StageSettings) -> None:
    limits = [mapping.get("ScalingConfig") for mapping in stage.properties("AWS::Lambda::EventSourceMapping")]
    assert limits.count({"MaximumConcurrency": settings.queue_concurrency}) == len(WORKERS)


def test_stream_reaches_the_publisher_filtered_and_nothing_blocks_it(stage: Templates) -> None:
    followers = [
        each for each in stage.properties("AWS::Lambda::EventSourceMapping") if "Stream" in text(each["EventSourceArn"])
    ]
    assert len(followers) == 2, "DynamoDB advises against a third"
    (mapping,) = [each for each in followers if "publisher" in text(each["FunctionName"])]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRecordAgeInSeconds"] == 12 * 3600
    assert mapping.get("MaximumRetryAttempts", -1) == -1, "a count of retries would give up in a short outage"
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"]
    pattern = text(mapping["FilterCriteria"])
    told = (contract.ENTRY_PREFIX, contract.MEMBER_SK, contract.REDEMPTION_PREFIX, contract.PROGRAM_VERSION_PREFIX)
    for word in ("INSERT", "MODIFY", *told, contract.ACCESS_PREFIX, contract.CONSENT_PREFIX, contract.RUN_SK):
        assert word in pattern
    assert "REMOVE" not in pattern


def test_partner_sources_get_a_bus_that_stays_and_a_rule() -> None:
    shopify, other = "aws.partner/shopify.com/1/loyalty", "aws.partner/example.com/2/loyalty"
    stage = _with_partners(other, shopify)
    buses = {
        bus["Properties"]["EventSourceName"]: bus
        for _, bus in stage.each("AWS::Events::EventBus", "stateful")
        if "EventSourceName" in bus["Properties"]
    }
    assert set(buses) == {shopify, other}
    for source, bus in buses.items():
        assert bus["DeletionPolicy"] == "RetainExceptOnCreate"
        assert "Messages" in text(bus["Properties"]["KmsKeyIdentifier"])
        assert bus["Properties"]["DeadLetterConfig"]["Arn"]
        rules = [
            rule for rule in stage.properties("AWS::Events::Rule", "events") if source in text(rule["EventPattern"])
        ]
        assert len(rules) == 1
        assert "inbound" in text(rules[0]["Targets"][0]["Arn"])


def test_a_partner_bus_is_the_same_one_wherever_its_source_stands_in_the_settings() -> None:
    shopify, other = "aws.partner/shopify.com/1/loyalty", "aws.partner/example.com/2/loyalty"
    assert _ids(_with_partners(shopify)) == _ids(_with_partners(other, shopify)) - _ids(_with_partners(other))


def _with_partners(*sources: str) -> Templates:
    return synthesize_one(StageSettings(name="partner", region="eu-south-1", partner_event_sources=sources))


def _ids(stage: Templates) -> set[str]:
    return {
        logical_id
        for kind in ("AWS::Events::EventBus", "AWS::Events::Rule")
        for logical_id, resource in stage.each(kind)
        if "partner" in logical_id.lower()
    }
