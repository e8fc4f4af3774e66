"""What holds data is protected, encrypted and recoverable."""

from pathlib import Path

from aws_cdk.assertions import Match, Template

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.names import function_log_group, resource
from infra.settings import StageSettings
from infra.stacks.observability import DEAD_LETTER_QUEUES
from tests.infra.templates import Json, Templates, read_templates, text


def test_table(stage: Templates, settings: StageSettings) -> None:
    template = Template.from_json(stage.stacks["stateful"])
    template.resource_count_is("AWS::DynamoDB::GlobalTable", 1)
    template.has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                {"AttributeName": contract.PARTITION_KEY, "KeyType": "HASH"},
                {"AttributeName": contract.SORT_KEY, "KeyType": "RANGE"},
            ],
            "LocalSecondaryIndexes": [
                {
                    "IndexName": contract.ENTRY_INDEX,
                    "KeySchema": [
                        {"AttributeName": contract.PARTITION_KEY, "KeyType": "HASH"},
                        {"AttributeName": contract.ENTRY_INDEX_KEY, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            "AttributeDefinitions": Match.array_with(
                [{"AttributeName": contract.ENTRY_INDEX_KEY, "AttributeType": "N"}]
            ),
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            "TimeToLiveSpecification": {"AttributeName": contract.TTL_ATTRIBUTE, "Enabled": True},
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": contract.DUE_INDEX,
                    "KeySchema": [
                        {"AttributeName": contract.DUE_INDEX_KEY, "KeyType": "HASH"},
                        {"AttributeName": contract.DUE_AT, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                },
                {
                    "IndexName": contract.MEMBER_INDEX,
                    "KeySchema": [
                        {"AttributeName": contract.MEMBER_INDEX_KEY, "KeyType": "HASH"},
                        {"AttributeName": contract.PARTITION_KEY, "KeyType": "RANGE"},
                    ],
                    "Projection": {
                        "ProjectionType": "INCLUDE",
                        "NonKeyAttributes": list(contract.MEMBER_INDEX_HAS),
                    },
                },
            ],
            "Replicas": [
                Match.object_like(
                    {
                        "Region": settings.region,
                        "DeletionProtectionEnabled": settings.retain,
                        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                        "SSESpecification": {"KMSMasterKeyId": Match.any_value()},
                    }
                )
            ],
        },
    )


def test_data_outlives_its_stack_where_it_is_real(stage: Templates, settings: StageSettings) -> None:
    # kept when the stack goes, but not when its creation is rolled back: its name would block the next attempt
    wanted = ("RetainExceptOnCreate", "Retain") if settings.retain else ("Delete", "Delete")
    kinds = {
        "AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::Events::EventBus", "AWS::Cognito::UserPool",
        "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup", "AWS::S3::Bucket",
    }  # fmt: skip
    for kind in kinds:
        found = [(each.get("DeletionPolicy"), each.get("UpdateReplacePolicy")) for _, each in stage.each(kind)]
        assert found, kind
        assert set(found) == {wanted}, kind
    artifact = stage.artifacts["stateful"]["properties"]
    assert bool(artifact.get("terminationProtection")) is settings.retain
    protections = [pool["DeletionProtection"] for pool in stage.properties("AWS::Cognito::UserPool")]
    assert protections == ["ACTIVE" if settings.retain else "INACTIVE"] * 2


def test_dead_letters_outlive_their_stack_where_they_are_real(stage: Templates, settings: StageSettings) -> None:
    wanted = ("RetainExceptOnCreate", "Retain") if settings.retain else ("Delete", "Delete")
    names = {resource(settings.name, name) for name in DEAD_LETTER_QUEUES}
    kept = {
        queue["Properties"]["QueueName"]: (queue.get("DeletionPolicy"), queue.get("UpdateReplacePolicy"))
        for _, queue in stage.each("AWS::SQS::Queue")
    }
    assert {kept[name] for name in names} == {wanted}


def test_only_the_stateful_stack_holds_data(stage: Templates) -> None:
    kinds = (
        "AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::Cognito::UserPool", "AWS::Events::EventBus", "AWS::S3::Bucket",
    )  # fmt: skip
    for kind in kinds:
        everywhere, there = stage.properties(kind), stage.properties(kind, "stateful")
        assert len(everywhere) == len(there) > 0, kind
    elsewhere = [
        text(group["LogGroupName"])
        for name in stage.stacks
        if name != "stateful"
        for group in stage.properties("AWS::Logs::LogGroup", name)
    ]
    assert len(elsewhere) == 1
    assert "API-Gateway-Execution-Logs_" in elsewhere[0], "which bears the API's id"


def test_keys_rotate_where_they_can(stage: Templates) -> None:
    by_spec: dict[str, list[bool]] = {}
    for key in stage.properties("AWS::KMS::Key"):
        by_spec.setdefault(key.get("KeySpec", "SYMMETRIC_DEFAULT"), []).append(key.get("EnableKeyRotation", False))
    assert by_spec == {"SYMMETRIC_DEFAULT": [True] * 5, "HMAC_256": [False, False]}


def test_keys_open_to_the_account_only_through_a_service(stage: Templates) -> None:
    for key in stage.properties("AWS::KMS::Key"):
        for statement in key["KeyPolicy"]["Statement"]:
            if statement["Principal"] == {"AWS": "*"} and statement["Effect"] == "Allow":
                assert set(statement["Condition"]["StringEquals"]) == {"kms:CallerAccount", "kms:ViaService"}


def _used_by_eventbridge(stage: Templates, key: str) -> dict[str, Json]:
    """Statements of a key's policy for EventBridge, by their id."""
    statements = stage.stacks["stateful"]["Resources"][key]["Properties"]["KeyPolicy"]["Statement"]
    return {each["Sid"]: each for each in statements if "events.amazonaws.com" in text(each["Principal"])}


def test_eventbridge_may_use_the_key_of_each_queue_that_it_sends_to(stage: Templates, settings: StageSettings) -> None:
    """By the queue that SQS names, and not by the account, which EventBridge need not name when it sends."""
    keys = {logical_id for logical_id, key in stage.each("AWS::KMS::Key") if "KeySpec" not in key["Properties"]}
    used = {
        key for queue in stage.properties("AWS::SQS::Queue") for key in keys if key in text(queue["KmsMasterKeyId"])
    }
    assert len(used) == 2
    queue = {"Ref": "AWS::AccountId"}, f":loyalty-{settings.name}-*"
    for key in used:
        delivery = _used_by_eventbridge(stage, key)["EventsToQueuesOfThisStage"]
        assert set(delivery["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
        assert set(delivery["Condition"]) == {"ArnLike"}
        (arn,) = delivery["Condition"]["ArnLike"].items()
        assert arn[0] == "kms:EncryptionContext:aws:sqs:arn"
        assert text(queue[0]) in text(arn[1])
        assert text(queue[1])[1:-1] in text(arn[1])


def test_buses_and_alarms_of_this_account_alone_use_the_messages_key(stage: Templates) -> None:
    (key,) = [logical_id for logical_id, _ in stage.each("AWS::KMS::Key") if "Messages" in logical_id]
    statement = _used_by_eventbridge(stage, key)["EventsAndAlarmsOfThisAccount"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_what_a_bus_cannot_process_is_kept_under_a_key_that_is_not_the_bus_s(
    stage: Templates, settings: StageSettings
) -> None:
    bus_id, bus = next(stage.each("AWS::Events::EventBus"))
    queue_id = bus["Properties"]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
    queue = stage.stacks["stateful"]["Resources"][queue_id]["Properties"]
    assert queue["QueueName"] == resource(settings.name, "bus-dlq")
    assert queue["KmsMasterKeyId"] != bus["Properties"]["KmsKeyIdentifier"]
    (policy,) = stage.properties("AWS::SQS::QueuePolicy", "stateful")
    (sending,) = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert sending["Principal"] == {"Service": "events.amazonaws.com"}
    assert sending["Action"] == "sqs:SendMessage"
    assert sending["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [bus_id, "Arn"]}}}


def test_bus_and_archive_are_encrypted(stage: Templates, settings: StageSettings) -> None:
    assert "Messages" in text(stage.one("AWS::Events::EventBus")["Properties"]["KmsKeyIdentifier"])
    archive = stage.one("AWS::Events::Archive")["Properties"]
    assert "Messages" in text(archive["KmsKeyIdentifier"])
    assert archive["RetentionDays"] == settings.archive_retention


def test_every_function_has_a_log_group_with_retention_and_key(stage: Templates, settings: StageSettings) -> None:
    groups = {group["LogGroupName"]: group for group in stage.properties("AWS::Logs::LogGroup", "stateful")}
    assert {function_log_group(settings.name, name) for name in FUNCTIONS} <= set(groups)
    for group in groups.values():
        assert group["RetentionInDays"] == settings.log_retention
        assert "Data" in text(group["KmsKeyId"])


def test_each_supplier_has_a_secret_encrypted_with_our_key(stage: Templates, settings: StageSettings) -> None:
    secrets = stage.properties("AWS::SecretsManager::Secret")
    assert len(secrets) == len(settings.suppliers.all()) > 0
    for secret in secrets:
        assert "Data" in text(secret["KmsKeyId"])


def test_there_is_a_client_from_the_start_in_the_local_cloud_alone(stage: Templates, settings: StageSettings) -> None:
    clients = stage.properties("AWS::Cognito::UserPoolClient", "stateful")
    assert len(clients) == (1 if settings.target == "local" else 0)


def test_scopes(stage: Templates) -> None:
    scopes = stage.one("AWS::Cognito::UserPoolResourceServer")["Properties"]["Scopes"]
    assert {scope["ScopeName"] for scope in scopes} == set(contract.SCOPES)


def test_client_may_only_use_client_credentials(assembly: Path) -> None:
    stage = read_templates(assembly, "local")
    (client,) = stage.properties("AWS::Cognito::UserPoolClient", "stateful")
    assert client["GenerateSecret"] is True
    assert client["AllowedOAuthFlows"] == ["client_credentials"]
    assert len(client["AllowedOAuthScopes"]) == len(contract.SCOPES)


def test_people_sign_in_with_a_second_factor_and_are_invited(stage: Templates) -> None:
    (pool,) = [each for each in stage.properties("AWS::Cognito::UserPool") if each["UserPoolName"].endswith("-people")]
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("ON", ["SOFTWARE_TOKEN_MFA"])
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["UserPoolAddOns"]["AdvancedSecurityMode"] == "ENFORCED"
    assert pool["AccountRecoverySetting"]["RecoveryMechanisms"] == [{"Name": "verified_email", "Priority": 1}]
