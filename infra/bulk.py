"""The state machine of a bulk fulfilment: thin, its decisions are the function's.

::

    Begin ── batches ──► Ready ──► Batches: a distributed map
      │ │                            Batch ──► End
      │ └ nothing to do: a person    Sum ◄──┘ all ended, or too many failed
      │   decides, or the list         │ every batch is written down ──► Ended
      │   is refused ──► Waiting       └ some failed ──► Unfinished
      └ it failed ──► Stop ────────────────────────────────▲

What became of a batch stands in the table and not in the execution: whatever ends one, the next execution of the same
campaign goes on. Whatever fails, the campaign says so in the end: who looks at it alone would wait for ever. That lines are refused, as for want of points, is no failure: the campaign's report names them.

The map's items are its input, made by Begin, and it selects nothing from them: that is where the local cloud and AWS
agree. A batch is a range of bytes of the list, so that neither engine has to cut it up
(see docs/decisions/0074-batches-as-ranges-of-a-list.md).
"""

from typing import Final

from infra.asl import ANY, Json, catch, distributed, invoke, never, retry
from infra.functions import FUNCTIONS

LABEL: Final = "Batches"
"""Part of the ARNs of the map's children."""
FUNCTION: Final = "bulk_batch"
TASK_TIMEOUT_SECONDS: Final = FUNCTIONS[FUNCTION].timeout_seconds + 60

HOPELESS: Final = [
    "ValidationError", "ValueError", "CampaignNotFound", "ProgramNotFound", "FileNotStored", "FileChanged", "ListInvalid",
    "CampaignNotRunning", "RewardChanged", "RewardNotFound", "RewardNotForLists",
]  # fmt: skip
"""What is asked for cannot be done: again it could not either."""
STOPPED: Final = ["BulkStopped"]
"""Too many lines of a batch failed for reasons that pass, but not within seconds."""


def definition(*, concurrency: int, tolerated_percent: int) -> Json:
    """The machine in Amazon States Language; ``${Worker}`` stands for the function.

    Args:
        concurrency: batches that are worked off side by side.
        tolerated_percent: of the batches that may fail before the others are ended too.
    """
    asked = "{% $states.context.Execution.Input %}"
    given = {"step": "batch", "request": "{% $states.input.request %}", "batch": "{% $states.input.batch %}"}
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": {
            "Begin": _step({"step": "begin", "request": asked}, Catch=[catch(ANY, "Stop")], Next="Ready"),
            "Ready": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $count($states.input) > 0 %}", "Next": "Batches"}],
                "Default": "Waiting",
            },
            "Waiting": {"Type": "Succeed"},
            "Batches": {
                "Catch": [catch(ANY, "Sum")],
                **distributed(
                    LABEL,
                    concurrency=concurrency,
                    tolerated_percent=tolerated_percent,
                    start="Batch",
                    states={"Batch": _step(given, retry(STOPPED, seconds=60, attempts=2), End=True)},
                    then="Sum",
                ),
            },
            "Sum": _step({"step": "sum", "request": asked}, Next="All"),
            "All": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.complete %}", "Next": "Ended"}],
                "Default": "Unfinished",
            },
            "Stop": _step({"step": "stop", "request": asked}, Next="Unfinished"),
            "Ended": {"Type": "Succeed"},
            "Unfinished": {
                "Type": "Fail",
                "Error": "Unfinished",
                "Cause": "Begin failed, or some batches did: the map run names these and why. Mend the cause and start the campaign again: it "
                "goes on with what is not held.",
            },
        },
    }


def _step(payload: Json, *named: Json, **more: object) -> Json:
    """Repeated after whatever may pass, a time-out included: each step may be taken twice, and by two at once."""
    retries = [never(HOPELESS), *named, retry(ANY, seconds=2, attempts=8)]
    return invoke(payload, timeout_seconds=TASK_TIMEOUT_SECONDS, Retry=retries, **more)
