"""The sweeper: schedules that start it, and alarms on what it reports."""

from typing import Final

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import FIVE_MINUTES, alarm, function_metric
from infra.constructs.nag import acknowledge_inline
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import DeadLetterQueue
from infra.names import resource
from infra.permissions import allow
from infra.settings import StageSettings
from infra.stacks.base import FunctionStack, without_key

FUNCTION: Final = "sweeper"
NOT_STARTED: Final = "sweeper-not-started"
"""Starts of the sweeper that its schedule could not deliver."""
EVERY: Final = FIVE_MINUTES


def shares(sweepers: int) -> list[list[int]]:
    """The shards of the due index, dealt out."""
    return [list(range(first, contract.DUE_SHARDS, sweepers)) for first in range(sweepers)]


class Sweeping(Construct):
    """The function ``sweeper``, started every five minutes for each share of the due index.

    A run that fails, is cut off, or is never started costs nothing but time: the next one finds what is left. So nothing
    is retried for longer than until then, and two runs at once are harmless.
    """

    def __init__(self, stack: FunctionStack, refused: DeadLetterQueue) -> None:
        """``refused`` takes the refunds that waited for a purchase for too long."""
        super().__init__(stack, "Sweeping")
        settings = stack.settings
        worker = stack.function(
            FUNCTION,
            values={contract.ENV_INBOUND_DLQ: refused.queue_url},
            permissions=[allow(refused.queue_arn, "sqs:SendMessage")],
        )
        worker.alias.configure_async_invoke(retry_attempts=0, max_event_age=EVERY)
        not_started = stack.dead_letter_queue(NOT_STARTED)
        group = scheduler.ScheduleGroup(self, "Group", schedule_group_name=resource(settings.name, FUNCTION))
        role = self._role(group, worker, not_started)
        for number, shards in enumerate(shares(settings.sweepers)):
            self._schedule(number, shards, settings=settings, group=group, worker=worker, role=role, failed=not_started)
        self._alarms(stack)
        CfnOutput(stack, "SweeperNotStartedQueueUrl", value=not_started.queue_url)

    def _role(self, group: scheduler.ScheduleGroup, worker: PythonFunction, not_started: DeadLetterQueue) -> iam.IRole:
        """May start the sweeper and leave a start that failed in its queue, for schedules of this group alone."""
        account = Stack.of(self).account
        conditions = {"StringEquals": {"aws:SourceAccount": account, "aws:SourceArn": group.schedule_group_arn}}
        service = iam.ServicePrincipal("scheduler.amazonaws.com", conditions=conditions)
        role = iam.Role(self, "Role", assumed_by=service)
        acknowledge_inline(role)
        role.add_to_policy(allow(worker.alias.function_arn, "lambda:InvokeFunction"))
        role.add_to_policy(allow(not_started.queue_arn, "sqs:SendMessage"))
        # The target would add the right to invoke every qualifier of the alias.
        return role.without_policy_updates()

    def _schedule(
        self,
        number: int,
        shards: list[int],
        *,
        settings: StageSettings,
        group: scheduler.ScheduleGroup,
        worker: PythonFunction,
        role: iam.IRole,
        failed: DeadLetterQueue,
    ) -> None:
        target = targets.LambdaInvoke(
            worker.alias,
            role=role,
            input=scheduler.ScheduleTargetInput.from_object({"shards": shards}),
            dead_letter_queue=without_key(self, f"NotStarted{number}", failed),
            max_event_age=EVERY,
            retry_attempts=10,
        )
        schedule = scheduler.Schedule(
            self,
            f"Schedule{number}",
            schedule_name=resource(settings.name, f"{FUNCTION}-{number}"),
            description="Writes down what fell due: maturity, expiry, warnings, time-outs",
            schedule_group=group,
            schedule=scheduler.ScheduleExpression.rate(EVERY),
            target=target,
        )
        # Not before the role's policy: the first start would be refused.
        schedule.node.add_dependency(role)

    def _alarms(self, stack: FunctionStack) -> None:
        topic = stack.stateful.alarms
        alarm(
            self, "Lag", topic=topic, threshold=Duration.hours(1).to_seconds(), periods=2,
            metric=function_metric(FUNCTION, contract.SETTLEMENT_LAG, statistic="max"),
            meaning="Something fell due more than an hour ago and is not written down: the sweeper fails or cannot keep up.",
        )  # fmt: skip
        alarm(
            self, "NotSettled", topic=topic, threshold=1, periods=3,
            metric=function_metric(FUNCTION, contract.SETTLEMENTS_FAILED),
            meaning="The sweeper fails at the same members run after run: its log names them and the error.",
        )  # fmt: skip
        silent = stack.settings.sweepers  # one run of each share is the least in a quarter of an hour
        alarm(
            self, "Silent", topic=topic, threshold=silent, below=True,
            metric=function_metric(FUNCTION, contract.SETTLEMENT_LAG, statistic="n", period=Duration.minutes(15)),
            meaning="The sweeper has not run for a quarter of an hour: are its schedules enabled, may they start it?",
        )  # fmt: skip
