"""The bucket with the exported audit trail, which nobody can change or empty for years, and its key."""

from typing import Final

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.bucket import AccessLogBucket, PrivateBucket
from infra.constructs.nag import acknowledge
from infra.settings import StageSettings

TRAIL: Final = "AuditTrail"


class AuditTrail(Construct):
    """A versioned bucket under Object Lock: each version is locked from when it is written, for as long as the settings say.

    Its key is its own. Where data are retained, nobody deletes or disables that key while its policy says so, for without
    the key the trail would be there and say nothing.
    """

    def __init__(
        self, scope: Construct, name: str, *, settings: StageSettings, logs: AccessLogBucket, removal: RemovalPolicy
    ) -> None:
        super().__init__(scope, name)
        self.key = self._key(settings, removal)
        kept = Duration.days(settings.audit.retention_days)
        lock = (
            s3.ObjectLockRetention.compliance
            if settings.audit.mode == "compliance"
            else s3.ObjectLockRetention.governance
        )
        self.bucket = PrivateBucket(
            self, TRAIL, stage=settings.name, key=self.key, logs=logs, removal=removal, lock=lock(kept)
        )
        if settings.retain:
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="NobodyTakesAnythingOut",
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"],
                    resources=[self.bucket.arn_for_objects("*")],
                )
            )

    def _key(self, settings: StageSettings, removal: RemovalPolicy) -> kms.Key:
        stack = Stack.of(self)
        key = kms.Key(
            self,
            "Key",
            description=f"Loyalty {settings.name}: exported audit trail",
            enable_key_rotation=True,
            removal_policy=removal,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ThroughTheServiceOnly",
                principals=[iam.AnyPrincipal()],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={
                    "StringEquals": {
                        "kms:CallerAccount": stack.account,
                        "kms:ViaService": f"s3.{stack.region}.amazonaws.com",
                    }
                },
            )
        )
        acknowledge(
            key,
            "Its conditions, which the check does not read, let in principals of this account alone, and through S3.",
            "CKV_AWS_33",
        )
        if settings.retain:
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="StaysAsLongAsTheTrail",
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["kms:DisableKey", "kms:ScheduleKeyDeletion"],
                    resources=["*"],
                )
            )
        return key
