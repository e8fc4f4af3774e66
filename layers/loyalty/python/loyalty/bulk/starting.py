"""Starts the state machine of bulk fulfilments."""

import json
import secrets
from typing import Any

from loyalty.bulk.model import Campaign


class Machine:
    """The state machine.

    Args:
        step_functions: a client.
        state_machine: its ARN.
    """

    def __init__(self, step_functions: Any, state_machine: str) -> None:
        self._client = step_functions
        self._state_machine = state_machine

    def start(self, campaign: Campaign) -> None:
        """Starts an execution. Two of one campaign do the same work, and every line is held once all the same."""
        given = json.dumps({"program": campaign.program, "campaign": campaign.campaign})
        # Not the campaign's name alone: names of executions are taken for 90 days, and a campaign may need several.
        name = f"{campaign.program}-{campaign.campaign}"[:70] + f"-{secrets.token_hex(4)}"
        self._client.start_execution(stateMachineArn=self._state_machine, name=name, input=given)
