"""The audit trail: the stream links its lines, the clock exports its chains; alarms on both."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import FIVE_MINUTES, alarm, function_metric
from infra.constructs.audit_trail import TRAIL
from infra.constructs.bucket import acknowledge_files, bucket_of, files_of
from infra.permissions import allow, read_stream
from infra.stacks.base import FunctionStack, without_key
from infra.stacks.clock import FunctionClock

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
        # One batch at a time for each shard: two would link the lines of one day against each other.
        stack.follow(worker, without_key(worker, "Unlinked", unlinked), [_written(), _touched(), _removed()], at_once=1)
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
        clock = FunctionClock(self, stack, contract.AUDIT_EXPORT, worker, stack.dead_letter_queue(NOT_STARTED))
        clock.every(FIVE_MINUTES, "Exports the chains of the audit trail")
        alarm(
            self, "NoExport", topic=topic, threshold=1, below=True,
            metric=function_metric(
                contract.AUDIT_EXPORT, contract.AUDIT_HEADS_EXPORTED, statistic="n", period=Duration.minutes(15)
            ),
            meaning="The audit trail was not exported for a quarter of an hour: a chain made anew would not be noticed from then on.",
        )  # fmt: skip


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
