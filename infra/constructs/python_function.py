"""A Python function of ours: the one way in which functions are defined."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.bundling.build import Asset
from infra.constructs.alarms import FIVE_MINUTES, alarm
from infra.constructs.nag import acknowledge, acknowledge_inline
from infra.environment import environment
from infra.functions import FunctionSpec
from infra.names import function_log_group, resource
from infra.settings import StageSettings

ALIAS = "live"

ACKNOWLEDGED: Final = (
    (
        (
            "The account's quota is shared: reserved concurrency would take from all other functions, or turn messages into "
            "failed receives. Queues and streams are bounded by their mappings (decision 16)."
        ),
        "NIST.800.53.R5-LambdaConcurrency",
        "CKV_AWS_115",
    ),
    (
        (
            "Callers, queues, streams and state machines keep what failed, and have their own dead letters or errors. What is "
            "started asynchronously, by a schedule or for a rotation, is started again and goes on; its errors raise an alarm."
        ),
        "NIST.800.53.R5-LambdaDLQ",
        "CKV_AWS_116",
    ),
    (
        "It calls AWS services and suppliers over TLS with a role of its own, and nothing that a VPC would hold.",
        "NIST.800.53.R5-LambdaInsideVPC",
        "CKV_AWS_117",
    ),
    (
        (
            "Its environment holds names and ARNs, no secret, which a test sees to; Lambda encrypts it under a key of AWS. "
            "Under one of ours, each cold start would wait for KMS."
        ),
        "CKV_AWS_173",
    ),
)
"""Why each function is as it is: a reason and the findings that it answers."""


class PythonFunction(Construct):
    """A function on arm64 with its own role, log group, alias ``live`` and alarms.

    What calls the function calls ``alias``: it names a published version, which SnapStart needs and which makes a
    deployment take effect at once.

    Args:
        scope: the stack.
        spec: what the function is.
        settings: of the stage.
        code: its folder, built.
        layers: what it imports.
        values: of the environment variables that its spec asks for.
        permissions: statements of its role beside those for its own log.
        topic: is told of alarms.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        spec: FunctionSpec,
        settings: StageSettings,
        code: Asset,
        layers: Sequence[lambda_.ILayerVersion],
        values: Mapping[str, str],
        permissions: Sequence[iam.PolicyStatement],
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, spec.name)
        self.spec = spec
        self.timeout = Duration.seconds(spec.timeout_seconds)
        log_group_name = function_log_group(settings.name, spec.name)
        log_group = logs.LogGroup.from_log_group_name(self, "Log", log_group_name)
        self.role = self._role(log_group_name, permissions)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=resource(settings.name, spec.name),
            description=spec.description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"functions.{spec.name}.handler.handler",
            code=lambda_.Code.from_asset(str(code.folder), asset_hash=code.hash),
            layers=list(layers),
            # What constructs would grant by themselves is more than is used: each permission is written out by us.
            role=self.role.without_policy_updates(),
            memory_size=spec.memory_mb,
            timeout=self.timeout,
            environment=environment(spec, settings, values),
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if spec.snap_start else None,
        )
        if spec.snap_start:
            acknowledge(
                self.function,
                "CDK's own list of SnapStart's regions is older than cfn-lint's and AWS's, which have me-central-1.",
                "CloudFormation-Validate::E2530",
            )
        self._acknowledge()
        self.alias = lambda_.Alias(self, "Alias", alias_name=ALIAS, version=self.function.current_version)
        self._alarms(topic)

    def _acknowledge(self) -> None:
        for reason, *findings in ACKNOWLEDGED:
            acknowledge(self.function, reason, *findings)

    def _role(self, log_group_name: str, permissions: Sequence[iam.PolicyStatement]) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        acknowledge_inline(role)
        stack = Stack.of(self)
        streams = f"{log_group_name}:log-stream:*"
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{streams}"],
            )
        )
        acknowledge(
            role,
            "The streams of the function's own log group: Lambda names them when it makes an environment.",
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:{stack.region}:<AWS::AccountId>:log-group:{streams}]",
        )
        for statement in permissions:
            role.add_to_policy(statement)
        return role

    def _alarms(self, topic: sns.ITopic) -> None:
        name = self.spec.name
        if not self.spec.refuses_by_raising:
            alarm(
                self, "Errors", topic=topic, threshold=1,
                metric=self.function.metric_errors(period=FIVE_MINUTES),
                meaning=f"{name} raised: its log has the traceback.",
            )  # fmt: skip
        alarm(
            self, "Throttles", topic=topic, threshold=1, periods=2,
            metric=self.function.metric_throttles(period=FIVE_MINUTES),
            meaning=f"{name} was refused an environment: the account's concurrency is used up.",
        )  # fmt: skip
        alarm(
            self, "Duration", topic=topic, threshold=800 * self.spec.timeout_seconds, periods=2,
            metric=self.function.metric_duration(period=FIVE_MINUTES, statistic="p99"),
            meaning=f"{name} comes near its timeout of {self.spec.timeout_seconds} s: a service it calls is slow.",
        )  # fmt: skip
