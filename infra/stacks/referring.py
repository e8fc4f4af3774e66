"""The lives of referrals: the function that events wake, the one that the clock starts, and alarms on what they report."""

from typing import Final

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_events as events
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import FIVE_MINUTES, alarm, function_metric
from infra.stacks.base import FunctionStack
from infra.stacks.clock import FunctionClock

WOKEN: Final = "referral_events"
CLOCK: Final = "referral_clock"
QUEUE: Final = "referrals"
UNDELIVERED: Final = "referrals-undelivered"
NOT_STARTED: Final = "referral-clock-not-started"
EVERY: Final = FIVE_MINUTES
WAKING: Final = (
    contract.POINTS_ACCRUED,
    contract.POINTS_REVERSED,
    contract.MEMBER_ENROLLED,
    contract.MEMBER_UPDATED,
    contract.MEMBER_MERGED,
    contract.MEMBER_ERASED,
    contract.REFERRAL_ENROLLED,
    contract.REFERRAL_REVIEWED,
)
"""Of our own events; nobody else's source is believed."""


class Referring(Construct):
    """What happens to members → queue → ``referral_events``; deadlines, reminders and payments → ``referral_clock``.

    Either reads what is true from the table: an event that never comes costs a referral no more than time, and the clock
    finds what is left.
    """

    def __init__(self, stack: FunctionStack) -> None:
        super().__init__(stack, "Referring")
        queue = stack.work_queue(QUEUE, WOKEN)
        stack.feed(stack.function(WOKEN), queue)
        pattern = events.EventPattern(source=[contract.EVENT_SOURCE], detail_type=list(WAKING))
        undelivered = stack.dead_letter_queue(UNDELIVERED)
        stack.rule("ReferralEvents", bus=stack.stateful.bus, pattern=pattern, queue=queue, undelivered=undelivered)
        not_started = stack.dead_letter_queue(NOT_STARTED)
        clock = FunctionClock(self, stack, CLOCK, stack.function(CLOCK), not_started)
        clock.every(EVERY, "Referrals: deadlines, reminders, payments once the return window is over")
        self._alarms(stack)
        CfnOutput(stack, "ReferralsDlqUrl", value=queue.dlq.queue_url)
        CfnOutput(stack, "ReferralClockNotStartedQueueUrl", value=not_started.queue_url)

    def _alarms(self, stack: FunctionStack) -> None:
        topic = stack.stateful.alarms
        alarm(
            self, "Lag", topic=topic, threshold=Duration.hours(1).to_seconds(), periods=2,
            metric=function_metric(CLOCK, contract.REFERRALS_LAG, statistic="max"),
            meaning="A referral was due more than an hour ago: it is not paid, reminded or ended. referral_clock fails or cannot keep up.",
        )  # fmt: skip
        alarm(
            self, "NotDone", topic=topic, threshold=1, periods=3,
            metric=function_metric(CLOCK, contract.REFERRALS_FAILED),
            meaning="referral_clock fails at the same referrals run after run: its log names them and the error.",
        )  # fmt: skip
        alarm(
            self, "Silent", topic=topic, threshold=1, below=True,
            metric=function_metric(CLOCK, contract.REFERRALS_LAG, statistic="n", period=Duration.minutes(15)),
            meaning="referral_clock has not run for a quarter of an hour: is its schedule enabled, may it start it?",
        )  # fmt: skip
        for name in (CLOCK, WOKEN):
            alarm(
                self, f"ManyWaiting-{name.replace('_', '-')}", topic=topic, threshold=stack.settings.flagged_per_hour,
                metric=function_metric(name, contract.REFERRALS_WAITING, period=Duration.hours(1)),
                meaning="Many referrals began to wait for a person within an hour: rewards are farmed, or thresholds are too low.",
            )  # fmt: skip
