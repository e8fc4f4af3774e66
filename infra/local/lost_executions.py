"""Executions that a stop of the local cloud ended: ministack runs each in a thread, and has none of them go on.

On AWS they outlive everything. Here each is found failed after the next start, and the platform does what it does where an
execution dies: whoever decides about the run starts another one.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

BY_A_STOP: Final = "States.ServiceRestart"
"""The error that ministack gives them."""


def lost_executions(states: "SFNClient", since: datetime) -> dict[str, list[str]]:
    """Names of the executions that were found lost at a start after ``since`` (UTC), by the name of their state machine."""
    lost: dict[str, list[str]] = {}
    for page in states.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            names = _lost(states, machine["stateMachineArn"], since)
            if names:
                lost[machine["name"]] = names
    return lost


def told(lost: dict[str, list[str]]) -> list[str]:
    """What to print of them: nothing where there is none."""
    lines = [f"{machine}: {', '.join(names)}" for machine, names in lost.items()]
    if not lines:
        return []
    count = sum(map(len, lost.values()))
    return [
        f"{count} execution{'s' if count > 1 else ''} ended with the last stop; ministack cannot have them go on:",
        *(f"  {line}" for line in lines),
        "  a gift card that awaits approval goes on once it is approved or rejected, any other once it is retried",
        "  (POST …/fulfillment-runs/{id}/retry), a list once it is started again",
    ]


def _lost(states: "SFNClient", machine: str, since: datetime) -> list[str]:
    names = []
    for page in states.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="FAILED"):
        for found in page["executions"]:
            if found["stopDate"] >= since:
                execution = states.describe_execution(executionArn=found["executionArn"])
                names += [found["name"]] if execution.get("error") == BY_A_STOP else []
    return names
