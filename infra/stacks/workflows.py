"""Workflows: the fulfilment of gift cards, and the recalculation of tiers."""

import json

from aws_cdk import CfnOutput
from aws_cdk import aws_events as events
from constructs import Construct

import loyalty_contract as contract
from infra.bundling import Assets
from infra.constructs.alarms import alarm, function_metric
from infra.constructs.workflow import workflow
from infra.fulfillment import DAYS, definition
from infra.permissions import allow
from infra.settings import StageSettings
from infra.stacks.base import FunctionStack
from infra.stacks.bulk import Bulk
from infra.stacks.delivering import Delivering
from infra.stacks.privacy import Privacy
from infra.stacks.recalculating import Recalculating
from infra.stacks.reconciling import Reconciling
from infra.stacks.stateful import StatefulStack
from infra.stacks.supplying import Supplying


class WorkflowsStack(FunctionStack):
    """A held redemption of a gift card starts one execution, named after the redemption; an operator starts the other."""

    def __init__(
        self, scope: Construct, name: str, *, settings: StageSettings, stateful: StatefulStack, assets: Assets
    ) -> None:
        super().__init__(scope, name, settings=settings, stateful=stateful, assets=assets, purpose="workflows")
        self.suppliers = Supplying(self)
        patience = {**settings.fulfillment.model_dump(), "settle_seconds": settings.supplier_settle_seconds}
        told = {contract.ENV_FULFILLMENT: json.dumps(patience)}
        worker = self.function(
            "fulfillment", values={**self.suppliers.values, **told}, permissions=self.suppliers.permissions()
        )
        meaning = "A gift-card fulfilment {}: its execution bears the redemption's id and names the cause."
        self.machine = workflow(
            self,
            "Fulfillment",
            stage=settings.name,
            name="fulfillment",
            comment="Orders a gift card from the supplier and captures the points that are held for it",
            definition=definition(settle_seconds=settings.supplier_settle_seconds),
            worker=worker,
            topic=stateful.alarms,
            failed=meaning.format("was refused, or needs a person"),
            timed_out=meaning.format(f"has not ended within {DAYS} days"),
            days=DAYS,
        )
        self._alarms()
        self._start()
        self.recalculating = Recalculating(self)
        self.delivering = Delivering(self)
        self.bulk = Bulk(self)
        self.privacy = Privacy(self)
        self.reconciling = Reconciling(self, self.suppliers)
        CfnOutput(self, "StateMachineArn", value=self.machine.state_machine_arn)

    def _alarms(self) -> None:
        low = function_metric("fulfillment", "SupplierBalanceLow")
        meaning = (
            "A supplier's balance does not cover a gift card and the floor: fill it up. Orders wait, and go on by "
            "themselves; the runs that await funds name the supplier."
        )
        alarm(self, "SupplierBalanceLow", topic=self.stateful.alarms, metric=low, threshold=1, meaning=meaning)
        spent = function_metric("fulfillment", "ProgramBudgetSpent")
        meaning = "A program's budget of gift cards for the month is spent: orders wait for the next month, or a higher budget."
        alarm(self, "ProgramBudgetSpent", topic=self.stateful.alarms, metric=spent, threshold=1, meaning=meaning)

    def _start(self) -> None:
        arn = self.machine.state_machine_arn
        starter = self.function(
            "fulfillment_start",
            values={contract.ENV_STATE_MACHINE: arn},
            permissions=[allow(arn, "states:StartExecution")],
        )
        queue = self.work_queue("fulfillment-start", "fulfillment_start")
        self.feed(starter, queue)
        undelivered = self.dead_letter_queue("fulfillment-undelivered")
        held = events.EventPattern(
            source=[contract.EVENT_SOURCE],
            detail_type=[contract.REDEMPTION_HELD],
            detail={"reward_type": ["gift_card"]},
        )
        self.rule("HeldGiftCards", bus=self.stateful.bus, pattern=held, queue=queue, undelivered=undelivered)
        CfnOutput(self, "FulfillmentDlqUrl", value=queue.dlq.queue_url)
