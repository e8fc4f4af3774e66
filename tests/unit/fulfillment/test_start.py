"""From the event to the execution; a second delivery starts nothing."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from loyalty.core.errors import Rejected
from loyalty.fulfillment.start import FulfillmentStarter

MACHINE = "arn:aws:states:eu-south-1:000000000000:stateMachine:fulfillment"
MEMBER = "mbr_01ja0000000000000000000000"
REDEMPTION = "rdm_" + "7" * 26
DETAIL: dict[str, Any] = {
    "schema_version": 1,
    "id": f"acme/{MEMBER}/{REDEMPTION}:held",
    "program": "acme",
    "member_id": MEMBER,
    "redemption_id": REDEMPTION,
    "reward_id": "card",
    "reward_type": "gift_card",
    "quantity": 1,
    "points": 200,
}


class FakeStepFunctions:
    def __init__(self, fails_with: str | None = None) -> None:
        self.executions: dict[str, dict[str, str]] = {}
        self._fails_with = fails_with

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803
        assert stateMachineArn == MACHINE
        code = self._fails_with or ("ExecutionAlreadyExists" if name in self.executions else None)
        if code is not None:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "StartExecution")
        self.executions[name] = json.loads(input)
        return {"executionArn": f"{MACHINE}:{name}"}


def message(**changes: Any) -> str:
    detail = {name: value for name, value in (DETAIL | changes).items() if value is not None}
    return json.dumps({"version": "0", "source": "loyalty", "detail-type": "redemption.held", "detail": detail})


def test_an_execution_bears_the_redemptions_id() -> None:
    client = FakeStepFunctions()
    assert FulfillmentStarter(client, MACHINE).start(message()) == (REDEMPTION, True)
    request = {"program": "acme", "member_id": MEMBER, "redemption_id": REDEMPTION}
    assert client.executions == {REDEMPTION: request}


def test_a_second_delivery_starts_nothing_and_is_no_error() -> None:
    client = FakeStepFunctions()
    starter = FulfillmentStarter(client, MACHINE)
    assert [starter.start(message())[1] for _ in range(3)] == [True, False, False]
    assert len(client.executions) == 1


@pytest.mark.parametrize("code", ["ThrottlingException", "StateMachineDoesNotExist", "AccessDeniedException"])
def test_any_other_failure_brings_the_event_back(code: str) -> None:
    with pytest.raises(ClientError, match=code):
        FulfillmentStarter(FakeStepFunctions(code), MACHINE).start(message())


@pytest.mark.parametrize(
    "body",
    [
        "",
        "planted",
        "[]",
        "{}",
        '{"detail": null}',
        message(redemption_id="planted/../name"),
        message(redemption_id=None),
        message(member_id="planted@example.com"),
        message(program="Planted Program"),
        message(reward_type="perk"),
        message(reward_type=None),
    ],
)
def test_what_is_no_such_event_is_refused_without_repeating_it(body: str) -> None:
    client = FakeStepFunctions()
    with pytest.raises(Rejected) as caught:
        FulfillmentStarter(client, MACHINE).start(body)
    assert caught.value.reason == "malformed_event"
    assert "planted" not in str(caught.value).lower()
    assert caught.value.__suppress_context__
    assert client.executions == {}
