"""What each function may do, from its spec: named actions on named resources."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

import loyalty_contract as contract
from infra.constructs.keys import Keys
from infra.functions import FunctionSpec


def allow(resource: str, *actions: str) -> iam.PolicyStatement:
    """A statement that allows ``actions`` on one resource."""
    return iam.PolicyStatement(actions=list(actions), resources=[resource])


def data_permissions(spec: FunctionSpec, table: dynamodb.ITableV2, keys: Keys) -> list[iam.PolicyStatement]:
    """What ``spec`` asks for on the table, its indexes and the keys."""
    wanted = (
        (table.table_arn, spec.table),
        (f"{table.table_arn}/index/{contract.ENTRY_INDEX}", spec.index),
        (keys.pii.key_arn, spec.pii),
        (keys.lookup.key_arn, ("kms:GenerateMac",) if spec.lookup else ()),
    )
    return [allow(resource, *actions) for resource, actions in wanted if actions]
