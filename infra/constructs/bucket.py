"""A bucket for files of ours: private, encrypted under a key of the stage, over TLS alone, every version kept a while."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.nag import acknowledge
from infra.names import resource

UNFINISHED_DAYS = 7
"""After which the parts of an upload that nobody completed go."""
FORMER_LOG_DAYS = 30
ONE_REGION = (
    "A stage's data stay in its region, and S3 keeps each file in three zones of it. Former versions are kept against "
    "deletion by mistake."
)


class AccessLogBucket(s3.Bucket):
    """Who asked for which file of the stage's other buckets, as S3 writes it down.

    Args:
        scope: the stack.
        name: of the construct.
        removal: what becomes of it with its stack.
        days: for which a log is kept; then, or where somebody deleted it, a month more as a former version.
    """

    def __init__(self, scope: Construct, name: str, *, removal: RemovalPolicy, days: int) -> None:
        super().__init__(
            scope,
            name,
            # S3 delivers its logs to no bucket that is encrypted under a customer's key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(days), noncurrent_version_expiration=Duration.days(FORMER_LOG_DAYS)
                )
            ],
            removal_policy=removal,
        )
        acknowledge(
            self,
            "It is where the other buckets' access logs go; its own would go round in a circle.",
            "AwsSolutions-S1",
            "CKV_AWS_18",
        )
        acknowledge(
            self,
            "S3 delivers access logs to no bucket whose default is a key of KMS.",
            "NIST.800.53.R5-S3DefaultEncryptionKMS",
        )
        acknowledge(self, ONE_REGION, "NIST.800.53.R5-S3BucketReplicationEnabled")


class PrivateBucket(s3.Bucket):
    """Files that only our own roles read, and whoever one of them gives a signed link to.

    Args:
        scope: the stack.
        name: of the construct and, in small letters, within the stage; at most ten letters, for S3's own limit.
        stage: whose files they are.
        key: under which its files are encrypted; a bucket key saves most calls to it.
        logs: takes its access log.
        removal: what becomes of it with its stack.
        former_days: for which a version that was replaced or deleted can be brought back.
        lock: for how long nobody deletes or replaces a version; after it they go.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: str,
        key: kms.IKey,
        logs: AccessLogBucket,
        removal: RemovalPolicy,
        former_days: int = 90,
        lock: s3.ObjectLockRetention | None = None,
    ) -> None:
        super().__init__(
            scope,
            name,
            # Said, and not made up by CloudFormation: roles name the bucket without an export of its ARN.
            bucket_name=f"{resource(stage, name.lower())}-{Stack.of(scope).account}",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_lock_enabled=True if lock else None,
            object_lock_default_retention=lock,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(lock.duration.to_days() + 1) if lock else None,
                    noncurrent_version_expiration=Duration.days(former_days),
                    abort_incomplete_multipart_upload_after=Duration.days(UNFINISHED_DAYS),
                )
            ],
            removal_policy=removal,
        )
        acknowledge(self, ONE_REGION, "NIST.800.53.R5-S3BucketReplicationEnabled")
        prefix = f"{name.lower()}/"
        # Not by the construct's own option: that lets every bucket of the account write every log.
        bucket = cast("s3.CfnBucket", self.node.default_child)
        bucket.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=logs.bucket_name, log_file_prefix=prefix
        )
        logs.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"AccessLogOf{name}",
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[logs.arn_for_objects(f"{prefix}*")],
                conditions={"StringEquals": {"aws:SourceAccount": self.stack.account}},
            )
        )

    def forget(self, folder: str, *, days: int) -> None:
        """Lets files of a folder go after so many days, and what was replaced or deleted there the day after.

        Of several rules for a file S3 takes the one that ends it sooner.
        """
        self.add_lifecycle_rule(
            id=f"Forget-{folder.strip('/').replace('/', '-')}",
            prefix=folder,
            expiration=Duration.days(days),
            noncurrent_version_expiration=Duration.days(1),
        )


def bucket_of(scope: Construct, stage: str, name: str) -> str:
    """The ARN of a :class:`PrivateBucket`, for a role's statement."""
    stack = Stack.of(scope)
    return f"arn:{stack.partition}:s3:::{resource(stage, name.lower())}-{stack.account}"


def files_of(scope: Construct, stage: str, name: str, folder: str = "") -> str:
    """The ARN of all files of a :class:`PrivateBucket`, or of a folder of it, for a role's statement."""
    return f"{bucket_of(scope, stage, name)}/{folder}*"


def acknowledge_files(role: iam.Role, stage: str, name: str, reason: str, folder: str = "") -> None:
    """Accept that ``role`` may do what it does with every file of that bucket, or of that folder of it."""
    files = f"arn:<AWS::Partition>:s3:::{resource(stage, name.lower())}-<AWS::AccountId>/{folder}*"
    acknowledge(role, reason, f"AwsSolutions-IAM5[Resource::{files}]")
