"""From the event that points are held for a gift card to its workflow, started once."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from loyalty.core.aws import start_once
from loyalty.core.errors import Rejected
from loyalty.core.fields import MemberId, ProgramId, RedemptionId


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Detail(_Part):
    program: ProgramId
    member_id: MemberId
    redemption_id: RedemptionId
    reward_type: Literal["gift_card"]


class HeldGiftCard(_Part):
    """``redemption.held`` in its EventBridge envelope, as far as it is needed here."""

    detail: _Detail


class FulfillmentStarter:
    """Starts executions named after the redemption: the name makes a second delivery start nothing.

    Args:
        step_functions: a client.
        state_machine: ARN of the state machine.
    """

    def __init__(self, step_functions: Any, state_machine: str) -> None:
        self._client = step_functions
        self._state_machine = state_machine

    def start(self, body: str) -> tuple[str, bool]:
        """Starts the workflow of the event in a message's body; its redemption's id, and False where it had been started.

        Raises:
            Rejected: the body is no such event, and never will be.
        """
        detail = _detail(body)
        request = {"program": detail.program, "member_id": detail.member_id, "redemption_id": detail.redemption_id}
        return detail.redemption_id, start_once(self._client, self._state_machine, detail.redemption_id, request)


def _detail(body: str) -> _Detail:
    try:
        return HeldGiftCard.model_validate_json(body).detail
    except ValidationError as error:
        where: Mapping[str, None] = dict.fromkeys(".".join(map(str, each["loc"])) or "body" for each in error.errors())
        raise Rejected("malformed_event", f"not a redemption.held event of a gift card: {', '.join(where)}") from None
