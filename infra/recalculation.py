"""The state machine that recalculates tiers: thin, its decisions are the function's.

::

    Whom ── one member ──► Member ──► Recalculated
      │
      └► Begin ── shards ──► Shards: a distributed map
                               ┌────────┐ there is more
                               ▼        │
                             Shard ──► Walked ── done ──► End
         Sum ◄── all ended ────┘
          │ all done ──► Recalculated
          └ not all ───► Unfinished

How far each shard is stands in the table and not in the execution: whatever ends one, the next execution of the same
run goes on. A shard that fails leaves the others to go on, up to the tolerated share of them; then the map ends.

The map's items are its input, made by Begin, and it selects nothing from them: that is where the local cloud and AWS
agree (see docs/decisions/0054-members-by-index-and-checkpoints.md).
"""

from typing import Final

from infra.asl import ANY, Json, distributed, invoke, never, retry
from infra.functions import FUNCTIONS

LABEL: Final = "Shards"
"""Part of the ARNs of the map's children."""
FUNCTION: Final = "recalculation"
TASK_TIMEOUT_SECONDS: Final = FUNCTIONS[FUNCTION].timeout_seconds + 60
"""After the function's own, which it answers well before: an invocation whose result is lost holds nothing up for ever."""

HOPELESS: Final = ["ValidationError", "ValueError", "ProgramNotFound", "TierUnknown", "RunDiffers"]
"""What is asked for cannot be done: again it could not either."""
STOPPED: Final = ["RunStopped"]
"""Too many members of a page failed: what is wrong may pass, but not within seconds."""
GONE: Final = ["MemberNotFound"]


def definition(*, concurrency: int, tolerated_percent: int) -> Json:
    """The machine in Amazon States Language; ``${Worker}`` stands for the function.

    Args:
        concurrency: shards that are worked off side by side.
        tolerated_percent: of the shards that may fail before the others are ended too.
    """
    asked = "{% $states.context.Execution.Input %}"
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Whom",
        "States": {
            "Whom": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $exists($states.input.member) %}", "Next": "Member"}],
                "Default": "Begin",
            },
            "Member": _step({"step": "member", "request": asked}, never(HOPELESS + GONE), then="Recalculated"),
            "Begin": _step({"step": "begin", "request": asked}, never(HOPELESS), then="Shards"),
            "Shards": distributed(
                LABEL,
                concurrency=concurrency,
                tolerated_percent=tolerated_percent,
                start="Shard",
                states=_walk(),
                then="Sum",
            ),
            "Sum": _step({"step": "sum", "request": asked}, never(HOPELESS), then="All"),
            "All": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.finished %}", "Next": "Recalculated"}],
                "Default": "Unfinished",
            },
            "Recalculated": {"Type": "Succeed"},
            "Unfinished": {
                "Type": "Fail",
                "Error": "Unfinished",
                "Cause": "Some shards failed; the map run names them and why. Mend the cause and start the same run again: "
                "it goes on where each shard is.",
            },
        },
    }


def _walk() -> Json:
    """One shard: the function answers before its time is up, and is asked again until nobody is left."""
    given = {"step": "shard", "request": "{% $states.input.request %}", "shard": "{% $states.input.shard %}"}
    return {
        "Shard": _step(given, never(HOPELESS), retry(STOPPED, seconds=60, attempts=2), then="Walked"),
        "Walked": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.done %}", "Next": "End"}],
            "Default": "Shard",
        },
        "End": {"Type": "Succeed"},
    }


def _step(payload: Json, *named: Json, then: str) -> Json:
    """Repeated after whatever may pass, a time-out included: each step may be taken twice, and by two at once."""
    retries = [*named, retry(ANY, seconds=2, attempts=8)]
    return invoke(payload, timeout_seconds=TASK_TIMEOUT_SECONDS, Retry=retries, Next=then)
