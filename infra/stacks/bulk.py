"""Bulk fulfilment: its state machine."""

from aws_cdk import CfnOutput
from constructs import Construct

import loyalty_contract as contract
from infra.bulk import FUNCTION, LABEL, definition
from infra.constructs.workflow import let_start_children, workflow
from infra.stacks.base import FunctionStack


class Bulk(Construct):
    """The function ``bulk_batch`` and the state machine that calls it for every batch of a list.

    The API's function ``bulk`` and ``loyalty bulk`` start it.
    """

    def __init__(self, stack: FunctionStack) -> None:
        super().__init__(stack, "Bulk")
        settings = stack.settings
        again = "Start the campaign again: it goes on with what is not held."
        self.machine = workflow(
            self,
            "Bulk",
            stage=settings.name,
            name=contract.BULK,
            comment="Holds a reward for the members of a list, each line once",
            definition=definition(concurrency=settings.bulk_batches, tolerated_percent=settings.bulk_tolerance),
            worker=stack.function(FUNCTION),
            topic=stack.stateful.alarms,
            failed=f"A bulk fulfilment could not go on; its map run names the batches and why. {again}",
            timed_out=f"A bulk fulfilment was not done within a day. {again}",
        )
        let_start_children(self, self.machine, stage=settings.name, name=contract.BULK, label=LABEL)
        CfnOutput(stack, "BulkArn", value=self.machine.state_machine_arn)
