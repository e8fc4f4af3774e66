"""The recalculation of many members' tiers: its state machine, and alarms on what it reports."""

from aws_cdk import CfnOutput
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import alarm, function_metric
from infra.constructs.workflow import let_start_children, workflow
from infra.recalculation import FUNCTION, LABEL, definition
from infra.stacks.base import FunctionStack


class Recalculating(Construct):
    """The function ``recalculation`` and the state machine that calls it for every shard of a program's members.

    An operator starts it, by ``loyalty tiers recalculate`` or the console; nothing else does.
    """

    def __init__(self, stack: FunctionStack) -> None:
        super().__init__(stack, "Recalculating")
        settings, topic = stack.settings, stack.stateful.alarms
        again = "Start the same run again: it goes on where each shard is."
        self.machine = workflow(
            self,
            "Recalculation",
            stage=settings.name,
            name=contract.RECALCULATION,
            comment="Recalculates the tiers of one member, of those on a tier, or of everybody",
            definition=definition(
                concurrency=settings.recalculated_shards, tolerated_percent=settings.recalculation_tolerance
            ),
            worker=stack.function(FUNCTION),
            topic=topic,
            failed=f"A recalculation of tiers could not go on; its map run names the shards and why. {again}",
            timed_out=f"A recalculation of tiers was not done within a day. {again}",
        )
        let_start_children(self, self.machine, stage=settings.name, name=contract.RECALCULATION, label=LABEL)
        alarm(
            self, "NotRecalculated", topic=topic, threshold=1,
            metric=function_metric(FUNCTION, contract.MEMBERS_NOT_RECALCULATED),
            meaning="A recalculation of tiers passed members whom it could not recalculate: its checkpoints name them.",
        )  # fmt: skip
        CfnOutput(stack, "RecalculationArn", value=self.machine.state_machine_arn)
