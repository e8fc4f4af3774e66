"""Lock buckets as their templates say: ministack's CloudFormation drops Object Lock, its S3 holds it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from infra.local.restore import NotRestored

if TYPE_CHECKING:
    import boto3

BUCKET: Final = "AWS::S3::Bucket"


def restore_locks(session: "boto3.Session", endpoint: str, stack: str, template: Mapping[str, Any]) -> list[str]:
    """Gives the stack's buckets the Object Lock of its template, by SDK calls. Returns the names of those that have one.

    Raises:
        NotRestored: a lock does not stick.
    """
    s3 = session.client("s3", endpoint_url=endpoint)
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    names = []
    for logical_id, resource in template["Resources"].items():
        wanted: Any = resource.get("Properties", {}).get("ObjectLockConfiguration")
        if resource["Type"] != BUCKET or wanted is None:
            continue
        found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        name = found["StackResourceDetail"]["PhysicalResourceId"]
        s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=wanted)
        kept: Any = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
        if kept != wanted:
            raise NotRestored(f"bucket {name} should have {wanted}, has {kept}")
        names.append(name)
    return names
