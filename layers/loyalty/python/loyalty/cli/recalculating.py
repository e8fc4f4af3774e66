"""A recalculation that the stage's state machine does: started, watched, gone on with."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from loyalty.cli.console import fail
from loyalty.tiers.runs import RunRequest
from loyalty_contract import RECALCULATION, resource

LOOKS: Final = 2.0
"""Seconds between two looks at an execution."""
RUNNING: Final = "RUNNING"
SUCCEEDED: Final = "SUCCEEDED"


@dataclass(frozen=True, slots=True)
class Ended:
    """How an execution ended: Step Functions' word for it, what it answered, or the error that ended it."""

    status: str
    answer: dict[str, Any]
    error: str = ""


class Executions:
    """The executions of one state machine.

    Args:
        step_functions: a client.
        state_machine: ARN of the state machine.
        sleep: waits so many seconds.
    """

    def __init__(self, step_functions: Any, state_machine: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = step_functions
        self._state_machine = state_machine
        self._sleep = sleep

    def of(self, request: RunRequest) -> tuple[str, bool]:
        """ARN of the execution that does this, and whether it was started just now: one that runs already is watched."""
        given = json.dumps(request.model_dump(exclude_defaults=True), sort_keys=True)
        for arn in self._running(request.run):
            if self._client.describe_execution(executionArn=arn)["input"] == given:
                return arn, False
        # Not the run's name alone: names of executions are taken for 90 days, and a run may need several.
        name = f"{request.run}-{secrets.token_hex(4)}"
        started = self._client.start_execution(stateMachineArn=self._state_machine, name=name, input=given)
        return str(started["executionArn"]), True

    def watch(self, execution: str, look: Callable[[], None]) -> Ended:
        """Waits until the execution ends; ``look`` is called every two seconds until then."""
        while (found := self._client.describe_execution(executionArn=execution))["status"] == RUNNING:
            look()
            self._sleep(LOOKS)
        answer = json.loads(found.get("output") or "{}") if found["status"] == SUCCEEDED else {}
        return Ended(found["status"], answer, ": ".join(filter(None, (found.get("error"), found.get("cause")))))

    def _running(self, run: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_executions")
        for page in pages.paginate(stateMachineArn=self._state_machine, statusFilter=RUNNING):
            yield from (one["executionArn"] for one in page["executions"] if one["name"].rpartition("-")[0] == run)


def find_state_machine(step_functions: Any, stage: str, machine: str = RECALCULATION) -> str:
    """ARN of a state machine of the stage; ends the command where there is none."""
    name = resource(stage, machine)
    pages = step_functions.get_paginator("list_state_machines").paginate()
    machines = (machine for page in pages for machine in page["stateMachines"])
    found = next((str(machine["stateMachineArn"]) for machine in machines if machine["name"] == name), None)
    if found is None:
        fail(f"There is no state machine {name} in this account and region: look at --stage and the AWS environment.")
    return found
