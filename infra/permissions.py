"""What each function may do, from its spec: named actions on named resources."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

import loyalty_contract as contract
from infra.constructs.keys import Keys
from infra.functions import FunctionSpec

CHANGES: Final = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLUpdate",
    "dynamodb:UpdateItem",
)
"""Every action that changes or deletes an item, or that no condition of its own holds. Of a transaction, those of its items."""
PUTS: Final = ("dynamodb:PartiQLInsert", "dynamodb:PutItem")


def allow(
    resource: str, *actions: str, where: Mapping[str, str] | None = None, like: Mapping[str, str] | None = None
) -> iam.PolicyStatement:
    """A statement that allows ``actions`` on one resource, where each condition key has its value or is like its pattern.

    Args:
        resource: ARN.
        actions: of IAM.
        where: condition keys and their values.
        like: condition keys and patterns of their values.
    """
    given = {"StringEquals": where, "StringLike": like}
    conditions = {operator: dict(keys) for operator, keys in given.items() if keys} or None
    return iam.PolicyStatement(actions=list(actions), resources=[resource], conditions=conditions)


def read_stream(table: dynamodb.ITableV2) -> iam.PolicyStatement:
    """What Lambda needs of a function's role to feed it from the table's stream."""
    actions = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    return allow(str(table.table_stream_arn), *(f"dynamodb:{action}" for action in actions))


def data_permissions(
    spec: FunctionSpec, table: dynamodb.ITableV2, keys: Keys, pictures: str
) -> list[iam.PolicyStatement]:
    """What ``spec`` asks for on the table, its indexes, the keys and ``pictures``, the ARN of all of those."""
    wanted = (
        (table.table_arn, spec.table),
        (f"{table.table_arn}/index/{contract.ENTRY_INDEX}", spec.index),
        (f"{table.table_arn}/index/{contract.DUE_INDEX}", spec.due_index),
        (f"{table.table_arn}/index/{contract.MEMBER_INDEX}", spec.member_index),
        (pictures, spec.pictures),
        (keys.lookup.key_arn, ("kms:GenerateMac",) if spec.lookup else ()),
    )
    allowed = [allow(resource, *actions) for resource, actions in wanted if actions]
    return (
        allowed + _partitions(spec, table) + _sealed_data(spec, keys) + _misses(spec, table) + append_only(spec, table)
    )


def append_only(spec: FunctionSpec, table: dynamodb.ITableV2) -> list[iam.PolicyStatement]:
    """What is refused to each function, whatever else it is allowed: to change or delete what is in the audit trail.

    A line is put, and no condition of a policy tells a new item from one that is there: the put's own condition does, and
    the stream tells of whatever was put over. Chains are put by one function alone.

    A line goes with changes of other items in one transaction. Should AWS ask for the keys of all its items at once, which
    it does not document, such a change must pass: so of lines a change is refused where nothing else is touched.
    """
    lines, chains = f"{contract.AUDIT_PREFIX}*", f"{contract.AUDIT_LINKS_PREFIX}*"
    others = CHANGES if spec.name == contract.AUDIT_CHAIN else (*CHANGES, *PUTS)
    return [
        _refuse("LinesAreForEver", table, CHANGES, "ForAllValues", lines),
        _refuse("ChainsAreAnothers", table, others, "ForAnyValue", chains),
    ]


def _refuse(
    sid: str, table: dynamodb.ITableV2, actions: Sequence[str], keys: str, partition: str
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        effect=iam.Effect.DENY,
        actions=list(actions),
        resources=[table.table_arn],
        conditions={f"{keys}:StringLike": {"dynamodb:LeadingKeys": [partition]}},
    )


def _partitions(spec: FunctionSpec, table: dynamodb.ITableV2) -> list[iam.PolicyStatement]:
    """The table, but only partitions of some kinds."""
    return [
        iam.PolicyStatement(
            actions=list(actions),
            resources=[table.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [pattern]}},
        )
        for pattern, actions in spec.parts.items()
    ]


def _sealed_data(spec: FunctionSpec, keys: Keys) -> list[iam.PolicyStatement]:
    """Records of one purpose and no other: who may show gift cards may not read profiles, which lie under another key."""
    if spec.sealed is None:
        return []
    key = keys.vault if spec.sealed.purpose == contract.GIFT_CARD else keys.pii
    purpose = {f"kms:EncryptionContext:{contract.SEALED_FOR}": spec.sealed.purpose}
    return [allow(key.key_arn, *spec.sealed.actions, where=purpose)]


def _misses(spec: FunctionSpec, table: dynamodb.ITableV2) -> list[iam.PolicyStatement]:
    """Counts of clients and no other partition: who only reads what members have still writes nothing of it."""
    if not spec.misses:
        return []
    counts = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{contract.CLIENT_WATCH_PREFIX}*"]}}
    actions = [each for each in ("dynamodb:UpdateItem", "dynamodb:Query", "dynamodb:PutItem") if each not in spec.table]
    if not actions:
        return []
    return [iam.PolicyStatement(actions=actions, resources=[table.table_arn], conditions=counts)]
