"""Both functions as Lambda calls them: real composition roots, moto for AWS, the sandbox supplier over HTTP."""

import importlib
import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws
from pydantic import ValidationError

from infra.local.supplier.server import SandboxSupplier
from loyalty.core import aws
from loyalty.core.clock import system_clock
from loyalty.core.keys import KmsDataKeys
from loyalty.core.pii import Vault
from loyalty.core.table import Table
from loyalty.core.telemetry import logger
from loyalty.fulfillment.model import METRICS, OrderNotDelivered, Progress
from loyalty.ledger.items import new_book_put
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import Redemption
from loyalty.rewards.store import RedemptionStore
from loyalty.vault.service import CardService
from loyalty.vault.store import CardStore
from tests.apikit.gateway import CONTEXT
from tests.ledgerkit.tables import create_table
from tests.ledgerkit.world import World
from tests.unit.fulfillment.rig import PROGRAM
from tests.unit.fulfillment.test_start import REDEMPTION, message

REGION = "eu-south-1"
MEMBER = "mbr_01ja0000000000000000000000"


def fresh_module(name: str) -> ModuleType:
    """The function's module as at a cold start."""
    sys.modules.pop(name, None)
    return importlib.import_module(name)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the functions log, as it goes to CloudWatch."""
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "LOYALTY_STAGE": "test",
        "POWERTOOLS_SERVICE_NAME": "fulfillment",
    }.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    with mock_aws():
        yield
    aws.client.cache_clear()


@pytest.fixture
def held(cloud: None, sandbox: SandboxSupplier, monkeypatch: pytest.MonkeyPatch) -> Redemption:
    """A held gift card in a table that the function is told of, with a key and a secret."""
    table = Table("loyalty", region=REGION)
    create_table(table.client, table.name)
    secret = aws.client("secretsmanager").create_secret(
        Name="supplier", SecretString=json.dumps({"api_key": sandbox.key})
    )
    for name, value in {
        "LOYALTY_TABLE": table.name,
        "LOYALTY_VAULT_KEY": aws.client("kms").create_key()["KeyMetadata"]["Arn"],
        "LOYALTY_SUPPLIERS": json.dumps({"tremendous": {"url": sandbox.url, "secret": secret["ARN"]}}),
        "LOYALTY_FULFILLMENT": "{}",
    }.items():
        monkeypatch.setenv(name, value)
    world = World(table, of=PROGRAM)
    table.write([new_book_put("acme", MEMBER, "bronze", world.clock())])
    ProgramStore(table, world.clock).publish(PROGRAM.document, expected_version=0, actor="test")
    world.accrue("R-1", "1000", member=MEMBER)
    return world.hold("k-1", "card", member=MEMBER)[0]


def step(handler: ModuleType, redemption: Redemption, name: str, **more: str) -> dict[str, str]:
    request = {"program": "acme", "member_id": MEMBER, "redemption_id": redemption.redemption_id}
    answer: dict[str, str] = handler.handler({"step": name, **request, **more}, CONTEXT)
    return answer


def test_a_card_is_delivered_and_neither_link_nor_key_is_logged(
    held: Redemption,
    sandbox: SandboxSupplier,
    log: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    handler = fresh_module("functions.fulfillment.handler")
    told = [step(handler, held, name)["status"] for name in ("screen", "order", "capture", "release")]
    assert told == ["clear", "ordered", "captured", "captured"]
    vault = Vault(KmsDataKeys(os.environ["LOYALTY_VAULT_KEY"]))
    cards = CardService(CardStore(handler.TABLE), RedemptionStore(handler.TABLE), vault, system_clock)
    link = cards.reveal("acme", MEMBER, held.redemption_id, client_id="app").card.link or ""
    assert link
    out, err = capfd.readouterr()
    assert "GiftCardsOrdered" in out
    assert held.redemption_id in log.getvalue()
    assert "/api/v2/orders" in caplog.text  # urllib3's own log is among what is searched
    logged = out + err + caplog.text + log.getvalue()
    for planted in (link, link.rsplit("/", 1)[-1], sandbox.key):
        assert planted not in logged
    assert link.rsplit("/", 1)[-1] not in str(list(handler.TABLE.scan()))


def test_the_steps_fail_under_their_errors_own_names(held: Redemption, sandbox: SandboxSupplier) -> None:
    handler = fresh_module("functions.fulfillment.handler")
    sandbox.api.faults.replace([{"fault": "refuse"}])
    assert step(handler, held, "screen") == {"status": "clear"}
    assert step(handler, held, "order") == {"status": "not_ordered"}
    with pytest.raises(OrderNotDelivered):
        step(handler, held, "attention", error="Lambda.Unknown") and step(handler, held, "capture")
    assert step(handler, held, "release") == {"status": "released"}


@pytest.mark.parametrize("change", [{"step": "cancel"}, {"member_id": "planted"}, {"redemption_id": None}, {"more": 1}])
def test_a_request_that_is_none_reaches_nothing(held: Redemption, change: dict[str, Any]) -> None:
    handler = fresh_module("functions.fulfillment.handler")
    request = {"step": "order", "program": "acme", "member_id": MEMBER, "redemption_id": held.redemption_id}
    with pytest.raises(ValidationError) as caught:
        handler.handler(request | change, CONTEXT)
    assert "planted" not in str(caught.value)


def test_each_progress_has_its_metric() -> None:
    assert set(METRICS) == set(Progress)
    assert len(set(METRICS.values())) == len(Progress)


def sqs(*bodies: str) -> dict[str, Any]:
    records = [
        {
            "messageId": f"m-{place}",
            "receiptHandle": "h",
            "body": body,
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{REGION}:000000000000:fulfillment-start",
            "awsRegion": REGION,
        }
        for place, body in enumerate(bodies)
    ]
    return {"Records": records}


def test_a_batch_starts_what_it_can_and_returns_the_rest(
    cloud: None, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    steps = aws.client("stepfunctions")
    machine = steps.create_state_machine(
        name="fulfillment",
        definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/states",
    )["stateMachineArn"]
    monkeypatch.setenv("LOYALTY_STATE_MACHINE", machine)
    handler = fresh_module("functions.fulfillment_start.handler")
    other = "rdm_" + "8" * 26
    answer = handler.handler(sqs(message(), "planted", message(redemption_id=other)), CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    names = {execution["name"] for execution in steps.list_executions(stateMachineArn=machine)["executions"]}
    assert names == {REDEMPTION, other}
    assert "malformed_event" in log.getvalue()
    assert "planted" not in log.getvalue() + caplog.text


def test_a_batch_of_nothing_but_failures_is_returned_whole(cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_STATE_MACHINE", f"arn:aws:states:{REGION}:123456789012:stateMachine:absent")
    handler = fresh_module("functions.fulfillment_start.handler")
    answer = handler.handler(sqs("{}", message()), CONTEXT)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m-0", "m-1"]


def test_the_starter_is_given_no_table(cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_TABLE", raising=False)
    monkeypatch.delenv("LOYALTY_STATE_MACHINE", raising=False)
    with pytest.raises(RuntimeError, match="LOYALTY_STATE_MACHINE"):
        fresh_module("functions.fulfillment_start.handler")
