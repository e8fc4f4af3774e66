"""The state machine of exports and erasures: thin, its decisions are the function's.

::

    Which ── export ──► Export ──► Ended
      │                   └ it failed ──► Failed: the export says so ──► Unfinished
      └ erase ──► Erase ──► Ended
                    └ it failed ──► Unfinished

Each step may be taken again, and by two at once: what was done is found done.
"""

from typing import Final

from infra.asl import ANY, Json, catch, invoke, never, retry
from infra.functions import FUNCTIONS

FUNCTION: Final = "privacy_work"
TASK_TIMEOUT_SECONDS: Final = FUNCTIONS[FUNCTION].timeout_seconds + 60
HOPELESS: Final = [
    "ValidationError", "ProgramNotFound", "MemberNotFound", "MemberMerged", "MemberErased", "ExportNotFound", "ErasureNotFound",
    "ErasureDecided", "ErasureBlocked",
]  # fmt: skip
"""What is asked for cannot be done: again it could not either."""


def definition() -> Json:
    """The machine in Amazon States Language; ``${Worker}`` stands for the function."""
    asked = "{% $states.context.Execution.Input %}"
    failed = "{% $merge([$states.context.Execution.Input, {'step': 'export_failed'}]) %}"
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Which",
        "States": {
            "Which": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.step = 'export' %}", "Next": "Export"}],
                "Default": "Erase",
            },
            "Export": _step(asked, Catch=[catch(ANY, "Failed")], Next="Ended"),
            "Failed": _step(failed, Next="Unfinished"),
            "Erase": _step(asked, Next="Ended"),
            "Ended": {"Type": "Succeed"},
            "Unfinished": {
                "Type": "Fail",
                "Error": "Unfinished",
                "Cause": "A copy of a member's data could not be made; the history says why. Mend the cause; it is asked for anew.",
            },
        },
    }


def _step(payload: object, **more: object) -> Json:
    retries = [never(HOPELESS), retry(ANY, seconds=5, attempts=6)]
    return invoke(payload, timeout_seconds=TASK_TIMEOUT_SECONDS, Retry=retries, **more)  # type: ignore[arg-type]
