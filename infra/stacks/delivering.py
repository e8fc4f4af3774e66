"""What the platform gives by itself: the function that delivers, the one that closes settlement batches, and their alarms."""

from typing import Final

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_events as events
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import alarm, function_metric
from infra.constructs.bucket import acknowledge_files, files_of
from infra.permissions import allow
from infra.stacks.base import FunctionStack
from infra.stacks.clock import FunctionClock
from infra.stacks.stateful import REPORTS

DELIVERY: Final = "delivery"
QUEUE: Final = "reward-delivery"
SETTLEMENT: Final = "settlement"
NOT_STARTED: Final = "settlement-not-started"
"""Starts of the closer that its schedule could not deliver."""
FOLDER: Final = "settlements/"
KINDS: Final = ("cashback", "discount", "donation")
"""Types of rewards that the platform delivers, beside gift cards; of discounts those with codes."""


class Delivering(Construct):
    """Held redemptions → queue → ``delivery``; every hour ``settlement``, which closes batches of days that are over."""

    def __init__(self, stack: FunctionStack) -> None:
        super().__init__(stack, "Delivering")
        self._delivery(stack)
        self._settlement(stack)

    def _delivery(self, stack: FunctionStack) -> None:
        stateful = stack.stateful
        pooled = {f"kms:EncryptionContext:{contract.SEALED_FOR}": contract.CODE_POOL}
        worker = stack.function(DELIVERY, permissions=[allow(stateful.keys.vault.key_arn, "kms:Decrypt", where=pooled)])
        queue = stack.work_queue(QUEUE, DELIVERY)
        stack.feed(worker, queue)
        held = events.EventPattern(
            source=[contract.EVENT_SOURCE],
            detail_type=[contract.REDEMPTION_HELD],
            detail={"reward_type": list(KINDS)},
        )
        undelivered = stack.dead_letter_queue("delivery-undelivered")
        stack.rule("HeldForDelivery", bus=stateful.bus, pattern=held, queue=queue, undelivered=undelivered)
        alarm(
            self, "CodePoolLow", topic=stateful.alarms, threshold=1, metric=function_metric(DELIVERY, contract.CODE_POOL_LOW),
            meaning="Few codes are left in a pool: the log of delivery names it. Import more, before redemptions are released.",
        )  # fmt: skip
        alarm(
            self, "Refused", topic=stateful.alarms, threshold=1, metric=function_metric(DELIVERY, contract.DELIVERIES_REFUSED),
            meaning="There was nothing to give for a redemption, and its points went back: the log of delivery says of which reward.",
        )  # fmt: skip
        CfnOutput(stack, "DeliveryDlqUrl", value=queue.dlq.queue_url)

    def _settlement(self, stack: FunctionStack) -> None:
        settings = stack.settings
        files = files_of(stack, settings.name, REPORTS, FOLDER)
        worker = stack.function(SETTLEMENT, permissions=[allow(files, "s3:PutObject")])
        acknowledge_files(worker.role, settings.name, REPORTS, "Files bear their batch's name.", FOLDER)
        clock = FunctionClock(self, stack, SETTLEMENT, worker, stack.dead_letter_queue(NOT_STARTED))
        clock.every(Duration.hours(1), "Closes the settlement batches of days that are over")
