"""Starts the state machine of exports and erasures."""

import json
import secrets
from typing import Any

from loyalty.members.erasure import Erasure
from loyalty.privacy.export_store import Export


class Machine:
    """The state machine. What two executions of the same do is done once.

    Args:
        step_functions: a client.
        state_machine: its ARN.
    """

    def __init__(self, step_functions: Any, state_machine: str) -> None:
        self._client = step_functions
        self._state_machine = state_machine

    def export(self, export: Export) -> None:
        """Starts the making of an export."""
        self._start("export", export.program, export.member_id, export_id=export.export_id)

    def erase(self, erasure: Erasure) -> None:
        """Starts the steps of an erasure."""
        self._start("erase", erasure.program, erasure.member_id)

    def _start(self, step: str, program: str, member_id: str, **more: str) -> None:
        given = json.dumps({"step": step, "program": program, "member_id": member_id, **more})
        # Not the member's id alone: names of executions are taken for 90 days, and what stopped is started again.
        name = f"{step}-{member_id}-{secrets.token_hex(4)}"
        self._client.start_execution(stateMachineArn=self._state_machine, name=name, input=given)
