"""Exports and erasures of members: their state machine."""

from aws_cdk import CfnOutput
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.workflow import workflow
from infra.privacy import FUNCTION, definition
from infra.stacks.base import FunctionStack


class Privacy(Construct):
    """The function ``privacy_work`` and the state machine that calls it. The API's function ``privacy`` starts it."""

    def __init__(self, stack: FunctionStack) -> None:
        super().__init__(stack, "Privacy")
        settings = stack.settings
        self.machine = workflow(
            self,
            "Privacy",
            stage=settings.name,
            name=contract.PRIVACY,
            comment="Makes copies of members' data, and erases members",
            definition=definition(),
            worker=stack.function(FUNCTION),
            topic=stack.stateful.alarms,
            failed="An export or an erasure of a member could not be done; its execution says why. An erasure is approved again "
            "once the cause is mended: it has a time by law.",
            timed_out="An export or an erasure of a member was not done within a day.",
        )
        CfnOutput(stack, "PrivacyArn", value=self.machine.state_machine_arn)
