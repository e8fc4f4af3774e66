"""Events: commerce events in, the table's changes out, tiers recalculated, what fell due written down, referrals brought on."""

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

import loyalty_contract as contract
from infra.bundling import Assets
from infra.constructs.alarms import FIVE_MINUTES, alarm
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import DeadLetterQueue, WorkQueue
from infra.permissions import allow, read_stream
from infra.settings import StageSettings
from infra.stacks.auditing import Auditing
from infra.stacks.base import FunctionStack, without_key
from infra.stacks.referring import Referring
from infra.stacks.stateful import StatefulStack
from infra.stacks.sweeping import Sweeping
from infra.stacks.watching import Watching


class EventsStack(FunctionStack):
    """Bus to queues to functions, the stream to the bus, and the sweeper by the clock."""

    def __init__(
        self, scope: Construct, name: str, *, settings: StageSettings, stateful: StatefulStack, assets: Assets
    ) -> None:
        super().__init__(scope, name, settings=settings, stateful=stateful, assets=assets, purpose="events in and out")
        self.undelivered = self.dead_letter_queue("undelivered")
        self.inbound = self._inbound()
        self.tiers = self._tiers()
        self.publisher = self._publisher()
        self.sweeping = Sweeping(self, self.inbound.dlq)
        self.watching = Watching(self)
        self.referring = Referring(self)
        self.auditing = Auditing(self)
        CfnOutput(self, "UndeliveredQueueUrl", value=self.undelivered.queue_url)

    def _inbound(self) -> WorkQueue:
        # What one member did within a batch is one transaction, so batches are large: see docs/commerce.md.
        queue = self.work_queue("inbound", "accrual_events", batch_size=100, window_seconds=2)
        worker = self.function(
            "accrual_events",
            values={contract.ENV_INBOUND_DLQ: queue.dlq.queue_url},
            permissions=[allow(queue.dlq.queue_arn, "sqs:SendMessage")],
        )
        self.feed(worker, queue)
        foreign = events.EventPattern(source=events.Match.anything_but(contract.EVENT_SOURCE))
        own = events.EventPattern(
            source=[contract.EVENT_SOURCE], detail_type=[contract.MEMBER_ENROLLED, contract.MEMBER_UPDATED]
        )
        bus = self.stateful.bus
        self.rule("ForeignEvents", bus=bus, pattern=foreign, queue=queue, undelivered=self.undelivered)
        self.rule("MemberEvents", bus=bus, pattern=own, queue=queue, undelivered=self.undelivered)
        self._partner_buses(queue, self.undelivered)
        CfnOutput(self, "InboundQueueUrl", value=queue.queue_url)
        CfnOutput(self, "InboundDlqUrl", value=queue.dlq.queue_url)
        return queue

    def _partner_buses(self, queue: WorkQueue, undelivered: DeadLetterQueue) -> None:
        """What partners of AWS send: each on the bus of its source."""
        for source, bus in self.stateful.partner_buses.items():
            pattern = events.EventPattern(source=[source])
            name = f"PartnerEvents-{source.replace('/', ':')}"
            self.rule(name, bus=bus, pattern=pattern, queue=queue, undelivered=undelivered)

    def _tiers(self) -> WorkQueue:
        queue = self.work_queue("tier-recalculation", "tier_recalculation")
        self.feed(self.function("tier_recalculation"), queue)
        # Of reversals too: a ladder may lower a tier at once that is not earned any more.
        types = [contract.POINTS_ACCRUED, contract.POINTS_REVERSED]
        earned = events.EventPattern(source=[contract.EVENT_SOURCE], detail_type=types)
        self.rule("PointsEvents", bus=self.stateful.bus, pattern=earned, queue=queue, undelivered=self.undelivered)
        return queue

    def _publisher(self) -> PythonFunction:
        unpublished = self.dead_letter_queue(contract.UNPUBLISHED_QUEUE)
        function = self.function(
            "publisher",
            values={contract.ENV_UNPUBLISHED: unpublished.queue_url},
            permissions=[
                allow(self.stateful.bus.event_bus_arn, "events:PutEvents"),
                allow(unpublished.queue_arn, "sqs:SendMessage"),
                read_stream(self.stateful.table),
            ],
        )
        written = lambda_.FilterCriteria.filter(
            {
                "eventName": lambda_.FilterRule.or_("INSERT", "MODIFY"),
                "dynamodb": {
                    "Keys": {
                        "sk": {
                            "S": [
                                {"prefix": contract.ENTRY_PREFIX},
                                contract.MEMBER_SK,
                                {"prefix": contract.REDEMPTION_PREFIX},
                                {"prefix": contract.PROGRAM_VERSION_PREFIX},
                                {"prefix": contract.ACCESS_PREFIX},
                                {"prefix": contract.CONSENT_PREFIX},
                                contract.RUN_SK,
                                contract.RISK_SK,
                                contract.SUSPECTED_SK,
                                {"prefix": contract.SHARE_PREFIX},
                                contract.CLICK_SK,
                                contract.REFERRAL_SK,
                            ]
                        }
                    }
                },
            }
        )
        self.follow(function, without_key(function, "Unpublished", unpublished), [written], at_once=4)
        alarm(
            self,
            "IteratorAge",
            topic=self.stateful.alarms,
            metric=function.function.metric("IteratorAge", period=FIVE_MINUTES, statistic="max"),
            threshold=Duration.minutes(5).to_milliseconds(),
            meaning="Changes of the table reach the bus late: the publisher fails or cannot keep up.",
        )
        CfnOutput(self, "UnpublishedQueueUrl", value=unpublished.queue_url)
        return function
