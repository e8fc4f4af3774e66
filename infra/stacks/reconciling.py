"""The daily reconciliation with the suppliers: its state machine, what starts it, and alarms on what it reports."""

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import alarm, function_metric
from infra.constructs.workflow import workflow
from infra.names import resource
from infra.permissions import allow
from infra.reconciliation import FUNCTION, definition
from infra.stacks.base import FunctionStack
from infra.stacks.clock import Clock
from infra.stacks.supplying import Supplying


class Reconciling(Construct):
    """The function ``reconciliation`` and the state machine that calls it for each supplier and day, started daily."""

    def __init__(self, stack: FunctionStack, suppliers: Supplying) -> None:
        super().__init__(stack, "Reconciling")
        settings, topic = stack.settings, stack.stateful.alarms
        worker = stack.function(FUNCTION, values=suppliers.values, permissions=suppliers.permissions())
        self.machine = workflow(
            self,
            "Reconciliation",
            stage=settings.name,
            name=contract.RECONCILIATION,
            comment="Compares our orders with the suppliers' lists, day by day",
            definition=definition(),
            worker=worker,
            topic=topic,
            failed="A supplier's report could not be made; the execution names the supplier, the day and why.",
            timed_out="The reconciliation with the suppliers was not done within a day.",
        )
        self._schedule(stack)
        alarm(
            self, "Differences", topic=topic, threshold=1,
            metric=function_metric(FUNCTION, contract.OPEN_DIFFERENCES),
            meaning="A supplier's list and our orders differ: look at the open differences, find out, resolve each with a note.",
        )  # fmt: skip
        alarm(
            self, "NoReport", topic=topic, threshold=1, below=True,
            metric=function_metric(FUNCTION, contract.RECONCILIATION_REPORTS, period=Duration.days(1)),
            meaning="No reconciliation report was made for a day: is the schedule enabled, may it start the state machine?",
        )  # fmt: skip
        CfnOutput(stack, "ReconciliationArn", value=self.machine.state_machine_arn)

    def _schedule(self, stack: FunctionStack) -> None:
        settings = stack.settings
        start = allow(self.machine.state_machine_arn, "states:StartExecution")
        clock = Clock(self, resource(settings.name, contract.RECONCILIATION), [start])
        target = targets.StepFunctionsStartExecution(
            self.machine,
            role=clock.role,
            input=scheduler.ScheduleTargetInput.from_object({"days": settings.reconciliation_days}),
            max_event_age=Duration.hours(12),
            retry_attempts=100,
        )
        daily = scheduler.ScheduleExpression.cron(minute="0", hour=str(settings.reconciliation_hour))
        clock.schedule(target, daily, "Compares our orders with the suppliers' lists")
