"""The audit trail: the stream links its lines, the clock exports its chains; alarms on both."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import FIVE_MINUTES, alarm, function_metric
from infra.constructs.audit_trail import TRAIL
from infra.constructs.bucket import acknowledge_files, bucket_of, files_of
from infra.constructs.nag import acknowledge_inline
from infra.constructs.python_function import PythonFunction
from infra.names import resource
from infra.permissions import allow, read_stream
from infra.stacks.base import FunctionStack, without_key

NOT_STARTED: Final = "audit-export-not-started"


class Auditing(Construct):
    """Stream → ``audit_chain``; every five minutes ``audit_export``."""

    def __init__(self, stack: FunctionStack) -> None:
        super().__init__(stack, "Auditing")
        self._chain(stack)
        self._export(stack)

    def _chain(self, stack: FunctionStack) -> None:
        table, topic = stack.stateful.table, stack.stateful.alarms
        unlinked = stack.dead_letter_queue(contract.UNLINKED_QUEUE)
        chains = iam.PolicyStatement(
            actions=["dynamodb:PutItem"],
            resources=[table.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{contract.AUDIT_LINKS_PREFIX}*"]}},
        )
        worker = stack.function(
            contract.AUDIT_CHAIN, permissions=[chains, allow(unlinked.queue_arn, "sqs:SendMessage"), read_stream(table)]
        )
        worker.alias.add_event_source(
            sources.DynamoEventSource(
                stack.stream_of_table(worker),
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=100,
                bisect_batch_on_error=True,
                report_batch_item_failures=True,
                # One at a time for each shard: two would link the lines of one day against each other.
                parallelization_factor=1,
                # By age and not by count, which a short outage would use up: until half of the stream's memory is left.
                max_record_age=Duration.hours(12),
                on_failure=sources.SqsDlq(without_key(worker, "Unlinked", unlinked)),
                filters=[_written(), _touched(), _removed()],
            )
        )
        alarm(
            self, "IteratorAge", topic=topic, threshold=Duration.minutes(10).to_milliseconds(),
            metric=worker.function.metric("IteratorAge", period=FIVE_MINUTES, statistic="max"),
            meaning="Lines of the audit trail are linked late: audit_chain fails or cannot keep up; its log says why.",
        )  # fmt: skip
        alarm(
            self, "Touched", topic=topic, threshold=1,
            metric=function_metric(contract.AUDIT_CHAIN, contract.AUDIT_LINES_TOUCHED),
            meaning="Somebody changed or removed what is for ever in the audit trail: the log of audit_chain names it. Verify the trail.",
        )  # fmt: skip
        alarm(
            self, "Unreadable", topic=topic, threshold=1,
            metric=function_metric(contract.AUDIT_CHAIN, contract.AUDIT_LINES_UNREADABLE),
            meaning="An item looks like a line of the audit trail and is in no partition of it: the log of audit_chain names it.",
        )  # fmt: skip
        CfnOutput(stack, "AuditUnlinkedQueueUrl", value=unlinked.queue_url)

    def _export(self, stack: FunctionStack) -> None:
        stage, topic = stack.settings.name, stack.stateful.alarms
        worker = stack.function(
            contract.AUDIT_EXPORT,
            permissions=[
                allow(files_of(stack, stage, TRAIL), "s3:PutObject"),
                allow(bucket_of(stack, stage, TRAIL), "s3:ListBucket"),
            ],
        )
        acknowledge_files(
            worker.role, stage, TRAIL, "Files bear the names of scope, day and hash; it puts, and reads none."
        )
        worker.alias.configure_async_invoke(retry_attempts=0, max_event_age=FIVE_MINUTES)
        self._schedule(stack, worker)
        alarm(
            self, "NoExport", topic=topic, threshold=1, below=True,
            metric=function_metric(
                contract.AUDIT_EXPORT, contract.AUDIT_HEADS_EXPORTED, statistic="n", period=Duration.minutes(15)
            ),
            meaning="The audit trail was not exported for a quarter of an hour: a chain made anew would not be noticed from then on.",
        )  # fmt: skip

    def _schedule(self, stack: FunctionStack, worker: PythonFunction) -> None:
        name = resource(stack.settings.name, contract.AUDIT_EXPORT)
        not_started = stack.dead_letter_queue(NOT_STARTED)
        group = scheduler.ScheduleGroup(self, "Group", schedule_group_name=name)
        conditions = {
            "StringEquals": {"aws:SourceAccount": Stack.of(self).account, "aws:SourceArn": group.schedule_group_arn}
        }
        service = iam.ServicePrincipal("scheduler.amazonaws.com", conditions=conditions)
        role = iam.Role(self, "Role", assumed_by=service)
        acknowledge_inline(role)
        role.add_to_policy(allow(worker.alias.function_arn, "lambda:InvokeFunction"))
        role.add_to_policy(allow(not_started.queue_arn, "sqs:SendMessage"))
        target = targets.LambdaInvoke(
            worker.alias,
            role=role.without_policy_updates(),
            dead_letter_queue=without_key(self, "NotStarted", not_started),
            max_event_age=FIVE_MINUTES,
            retry_attempts=10,
        )
        schedule = scheduler.Schedule(
            self,
            "Schedule",
            schedule_name=name,
            description="Exports the chains of the audit trail",
            schedule_group=group,
            schedule=scheduler.ScheduleExpression.rate(FIVE_MINUTES),
            target=target,
        )
        # Not before the role's policy: the first start would be refused.
        schedule.node.add_dependency(role)


def _written() -> Mapping[str, Any]:
    """New lines. Other partitions have items whose names begin alike."""
    keys = {
        "pk": {"S": [{"prefix": contract.AUDIT_PREFIX}]},
        "sk": {"S": [{"prefix": contract.AUDIT_LINE_PREFIX}]},
    }
    return lambda_.FilterCriteria.filter({"eventName": ["INSERT"], "dynamodb": {"Keys": keys}})


def _touched() -> Mapping[str, Any]:
    """What happens to lines, links and their marks afterwards: nothing ever should."""
    keys = {
        "pk": {"S": [{"prefix": contract.AUDIT_PREFIX}, {"prefix": contract.AUDIT_LINKS_PREFIX}]},
        "sk": {"S": [{"prefix": contract.AUDIT_LINE_PREFIX}, {"prefix": contract.AUDIT_LINK_PREFIX}]},
    }
    return lambda_.FilterCriteria.filter({"eventName": ["MODIFY", "REMOVE"], "dynamodb": {"Keys": keys}})


def _removed() -> Mapping[str, Any]:
    """Heads, and what says which day was begun last: they change with every line, and never go."""
    keys = {"pk": {"S": [{"prefix": contract.AUDIT_LINKS_PREFIX}]}}
    return lambda_.FilterCriteria.filter({"eventName": ["REMOVE"], "dynamodb": {"Keys": keys}})
