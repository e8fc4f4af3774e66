"""What the stacks with functions have in common."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

import loyalty_contract as contract
from infra.bundling.build import Asset, Assets
from infra.constructs.bucket import acknowledge_files, bucket_of, files_of
from infra.constructs.nag import acknowledge
from infra.constructs.python_function import PythonFunction
from infra.constructs.removal import removal_policy
from infra.constructs.work_queue import DeadLetterQueue, WorkQueue
from infra.functions import FUNCTIONS, FunctionSpec
from infra.names import resource
from infra.permissions import allow, data_permissions
from infra.settings import StageSettings
from infra.stacks.stateful import PICTURES, REPORTS, StatefulStack

CONSUME: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What Lambda needs of a function's role to feed it from a queue."""


def without_key(scope: Construct, name: str, queue: sqs.IQueue) -> sqs.IQueue:
    """``queue`` as grants should see it: who may use it may use its key through SQS by the key's own policy."""
    return sqs.Queue.from_queue_arn(scope, name, queue.queue_arn)


class FunctionStack(cdk.Stack):
    """A stateless stack with functions of ours and the two layers that they share.

    Each stack has its own layer versions, of the same assets: a layer's ARN exported to another stack could never
    change while that stack uses it.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        settings: StageSettings,
        stateful: StatefulStack,
        assets: Assets,
        purpose: str,
    ) -> None:
        super().__init__(
            scope, name, stack_name=resource(settings.name, name), description=f"Loyalty {settings.name}: {purpose}"
        )
        self.add_stack_dependency(stateful, "its log groups")
        self.settings = settings
        self.stateful = stateful
        self._assets = assets
        # By ARN: grants of this stack then stay in it and do not rewrite the policy of the stateful stack's key.
        self.messages_key = kms.Key.from_key_arn(self, "MessagesKey", stateful.keys.messages.key_arn)
        self._layers = [
            self._layer("Dependencies", assets.dependencies, "Third-party packages, as locked"),
            self._layer("Library", assets.library, "The loyalty library"),
        ]

    def _layer(self, name: str, asset: Asset, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            name,
            code=lambda_.Code.from_asset(str(asset.folder), asset_hash=asset.hash),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            description=description,
        )

    def function(
        self, name: str, *, values: Mapping[str, str] | None = None, permissions: Sequence[iam.PolicyStatement] = ()
    ) -> PythonFunction:
        """Define the function ``name``.

        Args:
            name: of its spec and its folder.
            values: of environment variables that come from this stack's own resources.
            permissions: beside those that its spec asks for.
        """
        spec = FUNCTIONS[name]
        stateful = self.stateful
        known = {
            contract.ENV_TABLE: stateful.table.table_name,
            contract.ENV_BUS: stateful.bus.event_bus_name,
            contract.ENV_PII_KEY: stateful.keys.pii.key_arn,
            contract.ENV_VAULT_KEY: stateful.keys.vault.key_arn,
            contract.ENV_LOOKUP_KEY: stateful.keys.lookup.key_arn,
            contract.ENV_PICTURES: stateful.pictures.bucket_name,
            contract.ENV_REPORTS: stateful.reports.bucket_name,
            contract.ENV_AUDIT_TRAIL: stateful.trail.bucket.bucket_name,
            contract.ENV_BULK_MACHINE: self.state_machine(contract.BULK),
            contract.ENV_PRIVACY_MACHINE: self.state_machine(contract.PRIVACY),
            contract.ENV_EXPORT_DAYS: str(self.settings.export_days),
            contract.ENV_STATE_MACHINE: self.state_machine("fulfillment"),
            contract.ENV_SUPPLIER_SECRETS: self.to_json_string(self._supplier_secrets),
        }
        pictures = files_of(self, self.settings.name, PICTURES)
        function = PythonFunction(
            self,
            spec=spec,
            settings=self.settings,
            code=self._assets.functions[name],
            layers=self._layers,
            values={**known, **(values or {})},
            permissions=[
                *data_permissions(spec, stateful.table, stateful.keys, pictures),
                *self._permissions(spec),
                *permissions,
            ],
            topic=stateful.alarms,
        )
        if spec.pictures:
            acknowledge_files(
                function.role, self.settings.name, PICTURES, "Pictures bear names of their content; any may be shown."
            )
        if spec.decides:
            name = resource(self.settings.name, "fulfillment")
            acknowledge(
                function.role,
                "Executions of this one machine: each is named after its redemption.",
                f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:{self.region}:<AWS::AccountId>:execution:{name}:*]",
            )
        if spec.reports:
            reason = "Files bear names of what they are of: a supplier and a day, a program and a campaign, a member."
            acknowledge_files(function.role, self.settings.name, REPORTS, reason, spec.reports.folder)
        return function

    def state_machine(self, name: str) -> str:
        """ARN of a state machine of the stage, by its name: a stack's own, or one of a stack that is made after it."""
        return f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{resource(self.settings.name, name)}"

    def _permissions(self, spec: FunctionSpec) -> list[iam.PolicyStatement]:
        """What the spec asks for on files, state machines and secrets."""
        statements = [allow(self.state_machine(name), "states:StartExecution") for name in spec.starts]
        if spec.reports:
            files = files_of(self, self.settings.name, REPORTS, spec.reports.folder)
            statements.append(allow(files, *spec.reports.actions))
            if "s3:GetObject" in spec.reports.actions:
                # S3 tells that a key is missing to whoever may list it; to others it is forbidden, as if it were there.
                bucket = bucket_of(self, self.settings.name, REPORTS)
                statements.append(allow(bucket, "s3:ListBucket", like={"s3:prefix": f"{spec.reports.folder}*"}))
            if "s3:DeleteObjectVersion" in spec.reports.actions:
                bucket = bucket_of(self, self.settings.name, REPORTS)
                statements.append(allow(bucket, "s3:ListBucketVersions", like={"s3:prefix": f"{spec.reports.folder}*"}))
        machine = self.state_machine("fulfillment")
        if spec.wakes or spec.decides:
            statements.append(allow(machine, "states:SendTaskSuccess"))
        if spec.decides:
            executions = machine.replace(":stateMachine:", ":execution:")
            statements += [
                allow(machine, "states:StartExecution"),
                allow(f"{executions}:*", "states:DescribeExecution"),
            ]
        if contract.ENV_SUPPLIER_SECRETS in spec.environment:
            statements += [allow(secret, "secretsmanager:GetSecretValue") for secret in self._supplier_secrets.values()]
        return statements

    @property
    def _supplier_secrets(self) -> Mapping[str, str]:
        return {name: secret.secret_arn for name, secret in self.stateful.supplier_secrets.items()}

    def work_queue(self, name: str, worker: str, *, batch_size: int = 10, window_seconds: int = 0) -> WorkQueue:
        """A queue for the function ``worker``, with its dead-letter queue; see :class:`WorkQueue`."""
        return WorkQueue(
            self,
            name,
            stage=self.settings.name,
            key=self.messages_key,
            topic=self.stateful.alarms,
            worker_timeout_seconds=FUNCTIONS[worker].timeout_seconds,
            removal=removal_policy(self.settings),
            batch_size=batch_size,
            window_seconds=window_seconds,
        )

    def dead_letter_queue(self, name: str) -> DeadLetterQueue:
        """A dead-letter queue for what never reaches a queue of ours."""
        return DeadLetterQueue(
            self,
            name,
            stage=self.settings.name,
            key=self.messages_key,
            topic=self.stateful.alarms,
            removal=removal_policy(self.settings),
        )

    def feed(self, worker: PythonFunction, queue: WorkQueue) -> None:
        """Let ``worker`` work off ``queue`` in batches; it names the messages that it could not process."""
        source = without_key(worker, "Source", queue)
        worker.role.add_to_policy(allow(queue.queue_arn, *CONSUME))
        worker.alias.add_event_source(
            sources.SqsEventSource(
                source,
                batch_size=queue.batch_size,
                max_batching_window=queue.window,
                report_batch_item_failures=True,
                max_concurrency=self.settings.queue_concurrency,
            )
        )

    def follow(
        self, worker: PythonFunction, failed: sqs.IQueue, filters: Sequence[Mapping[str, Any]], *, at_once: int
    ) -> None:
        """Feed ``worker`` with changes of the table, ``at_once`` batches of a shard side by side.

        What fails for good leaves in ``failed`` where in the stream it lies. By age and not by count, which a short outage would
        use up: until half of the stream's memory is left.
        """
        table = self.stateful.table
        # As grants should see it: the stream, without the table's key (see ``Keys``).
        stream = dynamodb.TableV2.from_table_attributes(
            worker, "Stream", table_arn=table.table_arn, table_stream_arn=table.table_stream_arn
        )
        worker.alias.add_event_source(
            sources.DynamoEventSource(
                stream,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=100,
                bisect_batch_on_error=True,
                report_batch_item_failures=True,
                parallelization_factor=at_once,
                max_record_age=cdk.Duration.hours(12),
                on_failure=sources.SqsDlq(failed),
                filters=list(filters),
            )
        )

    def rule(
        self,
        name: str,
        *,
        bus: events.IEventBus,
        pattern: events.EventPattern,
        queue: WorkQueue,
        undelivered: DeadLetterQueue,
    ) -> events.Rule:
        """Send events of ``bus`` that match to ``queue``; what cannot be delivered within a day goes to ``undelivered``."""
        target = targets.SqsQueue(
            queue, dead_letter_queue=undelivered, retry_attempts=185, max_event_age=cdk.Duration.hours(24)
        )
        return events.Rule(self, name, event_bus=bus, event_pattern=pattern, targets=[target])
