"""The state machine's executions, as far as whoever decides about a run needs them."""

import json
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from loyalty.core.aws import start_once
from loyalty.fulfillment.model import Answer
from loyalty.fulfillment.run import Run

_GONE: Final = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})


def execution_name(run: Run) -> str:
    """The redemption's id, with a number from the second execution on."""
    return run.redemption_id if run.executions == 1 else f"{run.redemption_id}-{run.executions}"


class ExecutionPort(Protocol):
    """What decisions and callbacks ask of the state machine's executions."""

    def start(self, run: Run) -> bool:
        """See :meth:`Executions.start`."""

    def wake(self, token: str, answer: Answer) -> bool:
        """See :meth:`Executions.wake`."""

    def running(self, run: Run) -> bool | None:
        """See :meth:`Executions.running`."""


class Executions:
    """Starts, wakes and looks at executions.

    Args:
        step_functions: a client.
        state_machine: ARN of the state machine.
    """

    def __init__(self, step_functions: Any, state_machine: str) -> None:
        self._client = step_functions
        self._state_machine = state_machine

    def start(self, run: Run) -> bool:
        """Starts the run's execution; False where its name was started before."""
        request = {"program": run.program, "member_id": run.member_id, "redemption_id": run.redemption_id}
        return start_once(self._client, self._state_machine, execution_name(run), request)

    def wake(self, token: str, answer: Answer) -> bool:
        """Answers the token that an execution waits with; False where it does not wait with it any more."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(answer.document()))
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return False
            raise
        return True

    def running(self, run: Run) -> bool | None:
        """Whether the run's execution goes on; None where there is none of its name."""
        arn = f"{self._state_machine.replace(':stateMachine:', ':execution:', 1)}:{execution_name(run)}"
        try:
            status: str = self._client.describe_execution(executionArn=arn)["status"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return None
            raise
        return status == "RUNNING"
