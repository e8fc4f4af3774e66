"""The state machine that compares our orders with the suppliers' lists: thin, its decisions are the function's.

::

    Begin ── supplier and day ──► Reports: a map
                                    Report ──► its report
                                      └ given up ──► Failed
            Reconciled ◄── all made ────┘
            Unfinished ◄── some failed

A report that fails leaves the others to be made. Any report can be made again, by the next day's execution or by a person
who starts one for a day.
"""

from typing import Final

from infra.asl import ANY, Json, catch, invoke, never, retry
from infra.functions import FUNCTIONS

FUNCTION: Final = "reconciliation"
TASK_TIMEOUT_SECONDS: Final = FUNCTIONS[FUNCTION].timeout_seconds + 60
SIDE_BY_SIDE: Final = 2
"""Reports at once: a supplier lets an account ask so many times a second, and orders come first."""

HOPELESS: Final = ["ValidationError", "LookupError", "UnknownSupplier"]
"""What is asked for cannot be done: again it could not either."""
AWAY: Final = ["SupplierUnavailable", "SupplierTimeout"]
"""What is wrong with a supplier passes, but not within seconds."""


def definition() -> Json:
    """The machine in Amazon States Language; ``${Worker}`` stands for the function."""
    asked = "{% $states.context.Execution.Input %}"
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": {
            "Begin": _step({"step": "begin", "request": asked}, Next="Reports"),
            "Reports": {
                "Type": "Map",
                "Items": "{% $states.input %}",
                "MaxConcurrency": SIDE_BY_SIDE,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Report",
                    "States": {
                        "Report": _step(
                            {
                                "step": "report",
                                "supplier": "{% $states.input.supplier %}",
                                "day": "{% $states.input.day %}",
                            },
                            Catch=[catch(ANY, "Failed")],
                            End=True,
                        ),
                        "Failed": {"Type": "Pass", "Output": {"made": False}, "End": True},
                    },
                },
                "Next": "All",
            },
            "All": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% false in $states.input.made %}", "Next": "Unfinished"}],
                "Default": "Reconciled",
            },
            "Reconciled": {"Type": "Succeed"},
            "Unfinished": {
                "Type": "Fail",
                "Error": "Unfinished",
                "Cause": "Some reports could not be made; the history names the supplier, the day and why. The next day's "
                "execution makes them again, or start one for the day.",
            },
        },
    }


def _step(payload: Json, **more: object) -> Json:
    """A report takes the place of the one before, so each step may be taken again."""
    retries = [never(HOPELESS), retry(AWAY, seconds=60, attempts=5), retry(ANY, seconds=10, attempts=3)]
    return invoke(payload, timeout_seconds=TASK_TIMEOUT_SECONDS, Retry=retries, **more)
