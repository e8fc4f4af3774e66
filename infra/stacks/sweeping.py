"""The sweeper: schedules that start it, and alarms on what it reports."""

from typing import Final

from aws_cdk import CfnOutput, Duration
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import FIVE_MINUTES, alarm, function_metric
from infra.constructs.work_queue import DeadLetterQueue
from infra.permissions import allow
from infra.stacks.base import FunctionStack
from infra.stacks.clock import FunctionClock

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
        not_started = stack.dead_letter_queue(NOT_STARTED)
        clock = FunctionClock(self, stack, FUNCTION, worker, not_started)
        for number, shards in enumerate(shares(settings.sweepers)):
            clock.every(
                EVERY,
                "Writes down what fell due: maturity, expiry, warnings, time-outs",
                told={"shards": shards},
                number=number,
            )
        self._alarms(stack)
        CfnOutput(stack, "SweeperNotStartedQueueUrl", value=not_started.queue_url)

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
