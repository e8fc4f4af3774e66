"""One stage: the stacks of one region."""

import aws_cdk as cdk
from constructs import Construct

from infra.bundling import Assets
from infra.settings import StageSettings
from infra.stacks.api import ApiStack
from infra.stacks.events import EventsStack
from infra.stacks.observability import ObservabilityStack
from infra.stacks.stateful import StatefulStack
from infra.stacks.workflows import WorkflowsStack


class LoyaltyStage(cdk.Stage):
    """A cell of the platform: everything that one region needs, and nothing from another region."""

    def __init__(self, scope: Construct, settings: StageSettings, assets: Assets) -> None:
        super().__init__(scope, settings.name, env=cdk.Environment(region=settings.region))
        stateful = StatefulStack(self, "stateful", settings=settings)
        ApiStack(self, "api", settings=settings, stateful=stateful, assets=assets)
        EventsStack(self, "events", settings=settings, stateful=stateful, assets=assets)
        WorkflowsStack(self, "workflows", settings=settings, stateful=stateful, assets=assets)
        ObservabilityStack(self, "observability", settings=settings, stateful=stateful)
        cdk.Tags.of(self).add("application", "loyalty")
        cdk.Tags.of(self).add("stage", settings.name)
