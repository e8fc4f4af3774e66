"""What holds data is protected, encrypted and recoverable."""

from aws_cdk.assertions import Match, Template

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.names import function_log_group
from infra.settings import StageSettings
from tests.infra.templates import Templates, text


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
            "GlobalSecondaryIndexes": Match.absent(),
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
    wanted = "Retain" if settings.retain else "Delete"
    kinds = {
        "AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::Events::EventBus", "AWS::Cognito::UserPool",
        "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup",
    }  # fmt: skip
    for kind in kinds:
        found = [resource.get("DeletionPolicy") for _, resource in stage.each(kind)]
        assert found, kind
        assert set(found) == {wanted}, kind
    artifact = stage.artifacts["stateful"]["properties"]
    assert bool(artifact.get("terminationProtection")) is settings.retain
    assert stage.one("AWS::Cognito::UserPool")["Properties"]["DeletionProtection"] == (
        "ACTIVE" if settings.retain else "INACTIVE"
    )


def test_only_the_stateful_stack_holds_data(stage: Templates) -> None:
    for kind in ("AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::Cognito::UserPool", "AWS::Logs::LogGroup"):
        everywhere, there = stage.properties(kind), stage.properties(kind, "stateful")
        assert len(everywhere) == len(there) > 0, kind


def test_keys_rotate_where_they_can(stage: Templates) -> None:
    by_spec: dict[str, list[bool]] = {}
    for key in stage.properties("AWS::KMS::Key"):
        by_spec.setdefault(key.get("KeySpec", "SYMMETRIC_DEFAULT"), []).append(key.get("EnableKeyRotation", False))
    assert by_spec == {"SYMMETRIC_DEFAULT": [True, True, True], "HMAC_256": [False]}


def test_keys_open_to_the_account_only_through_a_service(stage: Templates) -> None:
    for key in stage.properties("AWS::KMS::Key"):
        for statement in key["KeyPolicy"]["Statement"]:
            if statement["Principal"] == {"AWS": "*"}:
                assert set(statement["Condition"]["StringEquals"]) == {"kms:CallerAccount", "kms:ViaService"}


def test_bus_and_archive_are_encrypted(stage: Templates, settings: StageSettings) -> None:
    assert "Messages" in text(stage.one("AWS::Events::EventBus")["Properties"]["KmsKeyIdentifier"])
    archive = stage.one("AWS::Events::Archive")["Properties"]
    assert "Messages" in text(archive["KmsKeyIdentifier"])
    assert archive["RetentionDays"] == settings.archive_retention


def test_every_function_has_a_log_group_with_retention_and_key(stage: Templates, settings: StageSettings) -> None:
    groups = {group["LogGroupName"]: group for group in stage.properties("AWS::Logs::LogGroup")}
    assert {function_log_group(settings.name, name) for name in FUNCTIONS} <= set(groups)
    for group in groups.values():
        assert group["RetentionInDays"] == settings.log_retention
        assert "Data" in text(group["KmsKeyId"])


def test_secret_is_encrypted_with_our_key(stage: Templates) -> None:
    assert "Data" in text(stage.one("AWS::SecretsManager::Secret")["Properties"]["KmsKeyId"])


def test_client_may_only_use_client_credentials(stage: Templates) -> None:
    client = stage.one("AWS::Cognito::UserPoolClient")["Properties"]
    assert client["GenerateSecret"] is True
    assert client["AllowedOAuthFlows"] == ["client_credentials"]
    scopes = {scope["ScopeName"] for scope in stage.one("AWS::Cognito::UserPoolResourceServer")["Properties"]["Scopes"]}
    assert scopes == set(contract.SCOPES)
    assert len(client["AllowedOAuthScopes"]) == len(scopes)
