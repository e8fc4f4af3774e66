"""Signs of abuse: the function that watches the bus for them, and alarms on what it sees."""

from typing import Final

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_events as events
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import alarm, function_metric
from infra.functions import FUNCTIONS
from infra.stacks.base import FunctionStack

FUNCTION: Final = "abuse_watch"
QUEUE: Final = "abuse-watch"
UNDELIVERED: Final = "abuse-undelivered"
WATCHED: Final = (
    contract.POINTS_ACCRUED,
    contract.MEMBER_UPDATED,
    contract.REDEMPTION_HELD,
    contract.CARD_REVEALED,
    contract.POINTS_SENT,
    contract.POINTS_RECEIVED,
    contract.CLIENT_SUSPECTED,
)
"""Of our own events; nobody else's source is believed."""


class Watching(Construct):
    """What members and clients do → queue → ``abuse_watch``. Nothing waits for it: a hold is in force when it is written."""

    def __init__(self, stack: FunctionStack) -> None:
        super().__init__(stack, "Watching")
        queue = stack.work_queue(QUEUE, FUNCTION)
        stack.feed(stack.function(FUNCTION), queue)
        pattern = events.EventPattern(source=[contract.EVENT_SOURCE], detail_type=list(WATCHED))
        undelivered = stack.dead_letter_queue(UNDELIVERED)
        stack.rule("WatchedEvents", bus=stack.stateful.bus, pattern=pattern, queue=queue, undelivered=undelivered)
        topic, hour = stack.stateful.alarms, Duration.hours(1)
        alarm(
            self, "Held", topic=topic, threshold=1, metric=function_metric(FUNCTION, contract.MEMBERS_PUT_ON_HOLD),
            meaning="A member was put on hold for signs of abuse: a person has to look. `loyalty risk list` has the open cases.",
        )  # fmt: skip
        alarm(
            self, "Flagged", topic=topic, threshold=stack.settings.flagged_per_hour,
            metric=function_metric(FUNCTION, contract.MEMBERS_FLAGGED, period=hour),
            meaning="Many members show signs of abuse within an hour: an attack on the program, or bounds that are too low.",
        )  # fmt: skip
        alarm(
            self, "ClientSuspected", topic=topic, threshold=1, metric=function_metric(FUNCTION, contract.CLIENTS_SUSPECTED),
            meaning="A client asks for what is not there, or for cards, more often than the program allows: abuse_watch's log names it.",
        )  # fmt: skip
        for name in sorted(spec.name for spec in FUNCTIONS.values() if spec.misses):
            alarm(
                self, f"NotCounted-{name.replace('_', '-')}", topic=topic, threshold=10,
                metric=function_metric(name, contract.MISSES_NOT_COUNTED),
                meaning=f"{name} could not count what clients miss: enumeration goes unseen. Its log has the error.",
            )  # fmt: skip
        CfnOutput(stack, "AbuseDlqUrl", value=queue.dlq.queue_url)
