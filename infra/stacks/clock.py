"""What the clock starts: schedules in a group of their own, and a role that may start one thing for that group alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES
from infra.constructs.nag import acknowledge_inline
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import DeadLetterQueue
from infra.names import resource
from infra.permissions import allow
from infra.stacks.base import FunctionStack, without_key


class Clock:
    """Schedules of one group. They stand in ``scope`` itself, which has one clock at most.

    Args:
        scope: the construct that has something started.
        name: physical name of the group, with which those of its schedules begin.
        allowed: what it takes to start it.
    """

    def __init__(self, scope: Construct, name: str, allowed: Sequence[iam.PolicyStatement]) -> None:
        self._scope = scope
        self._name = name
        self._group = scheduler.ScheduleGroup(scope, "Group", schedule_group_name=name)
        account, group = Stack.of(scope).account, self._group.schedule_group_arn
        conditions = {"StringEquals": {"aws:SourceAccount": account, "aws:SourceArn": group}}
        service = iam.ServicePrincipal("scheduler.amazonaws.com", conditions=conditions)
        role = iam.Role(scope, "Role", assumed_by=service)
        acknowledge_inline(role)
        for statement in allowed:
            role.add_to_policy(statement)
        # A target would add the right to invoke every qualifier of an alias.
        self.role = role.without_policy_updates()

    def schedule(
        self,
        target: scheduler.IScheduleTarget,
        when: scheduler.ScheduleExpression,
        description: str,
        *,
        number: int | None = None,
    ) -> None:
        """Starts ``target``, which starts by :attr:`role`; ``number``: where the group has several schedules."""
        schedule = scheduler.Schedule(
            self._scope,
            f"Schedule{_suffix(number)}",
            schedule_name=self._name if number is None else f"{self._name}-{number}",
            description=description,
            schedule_group=self._group,
            schedule=when,
            target=target,
        )
        # Not before the role's policy: the first start would be refused.
        schedule.node.add_dependency(self.role)


class FunctionClock(Clock):
    """Starts of a function, whose next run finds what one did not do.

    So a run that fails is not repeated, and a start is tried for five minutes; then it is left in ``not_started``.
    """

    def __init__(
        self,
        scope: Construct,
        stack: FunctionStack,
        function: str,
        worker: PythonFunction,
        not_started: DeadLetterQueue,
    ) -> None:
        worker.alias.configure_async_invoke(retry_attempts=0, max_event_age=FIVE_MINUTES)
        super().__init__(
            scope,
            resource(stack.settings.name, function),
            [
                allow(worker.alias.function_arn, "lambda:InvokeFunction"),
                allow(not_started.queue_arn, "sqs:SendMessage"),
            ],
        )
        self._worker = worker
        self._not_started = not_started

    def every(
        self, rate: Duration, description: str, *, told: Mapping[str, Any] | None = None, number: int | None = None
    ) -> None:
        """Starts the function at this rate; ``told`` is its event."""
        target = targets.LambdaInvoke(
            self._worker.alias,
            role=self.role,
            input=None if told is None else scheduler.ScheduleTargetInput.from_object(dict(told)),
            dead_letter_queue=without_key(self._scope, f"NotStarted{_suffix(number)}", self._not_started),
            max_event_age=FIVE_MINUTES,
            retry_attempts=10,
        )
        self.schedule(target, scheduler.ScheduleExpression.rate(rate), description, number=number)


def _suffix(number: int | None) -> str:
    return "" if number is None else str(number)
