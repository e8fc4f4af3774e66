"""Set again what ministack's CloudFormation drops silently, and check it.

Through CloudFormation ministack loses a table's time to live, point-in-time recovery, deletion protection
and encryption key. The same settings hold when they are made by SDK calls, so that is done after each
deployment, from the template, and read back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE_TYPES: Final = frozenset({"AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"})

PhysicalId = Callable[[str], str]


class NotRestored(RuntimeError):
    """A table does not have the settings of its template, although they were set."""


@dataclass(frozen=True)
class TableSettings:
    """What a template asks of a table beyond keys and stream."""

    ttl_attribute: str | None
    point_in_time_recovery: bool
    deletion_protection: bool
    key: str | None
    """Id of the customer-managed key that encrypts it."""


def restore_tables(session: "boto3.Session", endpoint: str, stack: str, template: Mapping[str, Any]) -> list[str]:
    """Bring the stack's tables to the settings of its template. Returns the names of the tables.

    Args:
        session: holds credentials and the region.
        endpoint: URL of the local cloud.
        stack: the stack's name.
        template: its template.

    Raises:
        NotRestored: a setting does not stick.
    """
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)

    def physical_id(logical_id: str) -> str:
        found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    names = []
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] in TABLE_TYPES:
            name = physical_id(logical_id)
            wanted = table_settings(resource["Properties"], physical_id)
            _restore(dynamodb, name, wanted)
            names.append(name)
    return names


def table_settings(properties: Mapping[str, Any], physical_id: PhysicalId) -> TableSettings:
    """What the properties of a table or of a global table's first replica ask for.

    Raises:
        NotRestored: the key is named in a way that this module does not know.
    """
    replica = (properties.get("Replicas") or [properties])[0]
    ttl = properties.get("TimeToLiveSpecification") or {}
    recovery = replica.get("PointInTimeRecoverySpecification") or {}
    encryption = {**(properties.get("SSESpecification") or {}), **(replica.get("SSESpecification") or {})}
    return TableSettings(
        ttl_attribute=ttl.get("AttributeName") if ttl.get("Enabled") else None,
        point_in_time_recovery=bool(recovery.get("PointInTimeRecoveryEnabled")),
        deletion_protection=bool(replica.get("DeletionProtectionEnabled")),
        key=_key(encryption.get("KMSMasterKeyId"), physical_id),
    )


def _key(node: Any, physical_id: PhysicalId) -> str | None:
    if node is None:
        return None
    if isinstance(node, str):
        return node
    if "Ref" in node:
        return physical_id(node["Ref"])
    if "Fn::GetAtt" in node:
        target = node["Fn::GetAtt"]
        return physical_id(target.partition(".")[0] if isinstance(target, str) else target[0])
    raise NotRestored(f"cannot tell which key {node!r} names; let the key and its table stand in one stack")


def _restore(dynamodb: "DynamoDBClient", name: str, wanted: TableSettings) -> None:
    if _read(dynamodb, name, wanted.key) == wanted:
        return
    if wanted.ttl_attribute is not None:
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": wanted.ttl_attribute}
        )
    dynamodb.update_continuous_backups(
        TableName=name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": wanted.point_in_time_recovery},
    )
    changes: dict[str, Any] = {"DeletionProtectionEnabled": wanted.deletion_protection}
    if wanted.key is not None:
        changes["SSESpecification"] = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": wanted.key}
    dynamodb.update_table(TableName=name, **changes)
    found = _read(dynamodb, name, wanted.key)
    if found != wanted:
        raise NotRestored(f"table {name} should have {wanted}, has {found}")


def _read(dynamodb: "DynamoDBClient", name: str, key: str | None) -> TableSettings:
    table: Any = dynamodb.describe_table(TableName=name)["Table"]
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    backups: Any = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    used = (table.get("SSEDescription") or {}).get("KMSMasterKeyArn")
    return TableSettings(
        ttl_attribute=ttl.get("AttributeName") if ttl.get("TimeToLiveStatus") == "ENABLED" else None,
        point_in_time_recovery=backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED",
        deletion_protection=bool(table.get("DeletionProtectionEnabled")),
        # The template names the key by id, the table by ARN.
        key=key if key and used and used.endswith(key.rpartition("/")[2]) else used,
    )
