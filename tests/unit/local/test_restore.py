"""What a template asks of a table that ministack's CloudFormation drops."""

import pytest

from infra.local.restore import NotRestored, TableSettings, table_settings


def physical(logical_id: str) -> str:
    return {"Key": "1234"}[logical_id]


def test_settings_of_a_global_tables_replica() -> None:
    properties = {
        "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "Replicas": [
            {
                "Region": "eu-south-1",
                "DeletionProtectionEnabled": True,
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                "SSESpecification": {"KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
            }
        ],
    }
    assert table_settings(properties, physical) == TableSettings("ttl", True, True, "1234")


def test_settings_of_a_table_that_asks_for_none() -> None:
    assert table_settings({}, physical) == TableSettings(None, False, False, None)


def test_a_key_of_another_stack_is_refused() -> None:
    with pytest.raises(NotRestored, match="in one stack"):
        table_settings({"SSESpecification": {"KMSMasterKeyId": {"Fn::ImportValue": "x"}}}, physical)
