import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pydantic import ValidationError

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.money import Money
from loyalty.suppliers.model import SupplierAccessDenied
from loyalty.suppliers.registry import Suppliers, SuppliersSettings, UnknownSupplier


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-south-1")


def settings(**suppliers: Any) -> SuppliersSettings:
    return SuppliersSettings.model_validate_json(json.dumps(suppliers))


def test_a_supplier_is_made_once_and_reads_its_own_secret(sandbox: SandboxSupplier, secrets: Any) -> None:
    arn = secrets.create_secret(Name="t", SecretString=json.dumps({"api_key": sandbox.key}))["ARN"]
    access = {"url": sandbox.url, "secret": arn, "rates": {"EUR": "1.25"}}
    suppliers = Suppliers(settings(tremendous=access), secrets)
    tremendous = suppliers.get("tremendous")
    assert suppliers.names == ("tremendous",)
    assert suppliers.get("tremendous") is tremendous
    assert tremendous.balance("EUR") == Money.of(Decimal(800000), "EUR")


@pytest.mark.parametrize("name", ["tango", "", "model_config", "access", "Tremendous"])
def test_a_supplier_that_the_stage_does_not_have(name: str) -> None:
    access = {"url": "https://x.example", "secret": "arn"}
    with pytest.raises(UnknownSupplier, match=f"no supplier '{name}'"):
        Suppliers(settings(tremendous=access)).get(name)


def test_the_key_of_callbacks_is_in_the_same_secret_and_need_not_be(secrets: Any) -> None:
    with_key = secrets.create_secret(Name="a", SecretString='{"api_key": "k", "webhook_key": "w"}')["ARN"]
    without = secrets.create_secret(Name="b", SecretString='{"client_id": "c"}')["ARN"]
    suppliers = Suppliers(
        settings(
            tremendous={"url": "https://x.example", "secret": with_key},
            xoxoday={"url": "https://y.example", "secret": without},
        ),
        secrets,
    )
    assert suppliers.webhook_key("tremendous") == "w"
    with pytest.raises(SupplierAccessDenied, match="'xoxoday' has no webhook_key"):
        suppliers.webhook_key("xoxoday")


@pytest.mark.parametrize(
    "document",
    [
        {"acme": {"url": "https://x.example", "secret": "arn"}},
        {"tango": {"url": "https://x.example", "secret": "arn"}},
        {"tremendous": {"url": "https://x.example"}},
        {"tremendous": {"url": "https://x.example", "secret": "arn", "read_seconds": 60}},
        {"tremendous": {"url": "https://x.example", "secret": "arn", "rates": {"EUR": "0"}}},
    ],
)
def test_settings_that_are_wrong_stop_the_function_at_its_start(document: Any) -> None:
    with pytest.raises(ValidationError):
        settings(**document)
