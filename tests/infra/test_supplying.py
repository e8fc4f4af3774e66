"""Suppliers of gift cards: where they are reached, with what, and whose credentials rotate by themselves."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

import loyalty_contract as contract
from infra.names import resource
from infra.settings import StageSettings, SuppliersSettings
from infra.settings.model import TangoSettings, TremendousSettings, XoxodaySettings
from loyalty.suppliers import registry
from tests.infra.templates import Templates, many, text

TREMENDOUS = TremendousSettings(url="https://www.tremendous.com", rates={"EUR": Decimal("1.25")})
TANGO = TangoSettings(url="https://api.tangocard.com", customer="acme-loyalty", account="acme-cards")
XOXODAY = XoxodaySettings(url="https://accounts.xoxoday.com/chef", utc_offset_minutes=330)
EVERY = SuppliersSettings(tremendous=TREMENDOUS, tango=TANGO, xoxoday=XOXODAY)
ARN = "arn:aws:secretsmanager:eu-south-1:123456789012:secret:{}"


def test_what_the_settings_write_is_what_the_library_reads() -> None:
    """The one document that both sides share: every supplier, every field."""
    told = EVERY.environment(urls={}, secrets={name: ARN.format(name) for name in EVERY.all()})
    read = registry.SuppliersSettings.model_validate_json(json.dumps(told))
    assert read.tremendous is not None
    assert read.tango is not None
    assert read.xoxoday is not None
    assert {name: str(rate) for name, rate in read.tremendous.rates.items()} == {"EUR": "1.25"}
    assert (read.tango.customer, read.tango.account) == ("acme-loyalty", "acme-cards")
    assert (read.xoxoday.url, read.xoxoday.utc_offset_minutes) == ("https://accounts.xoxoday.com/chef", 330)
    suppliers = registry.Suppliers(read)
    assert [suppliers.get(name).name for name in suppliers.names] == ["tango", "tremendous", "xoxoday"]


def test_a_url_that_the_settings_leave_open_comes_from_the_deployment() -> None:
    local = SuppliersSettings(tremendous=TremendousSettings(url=None))
    told = local.environment(urls={"tremendous": "http://127.0.0.1:4570"}, secrets={"tremendous": "arn"})
    assert (told["tremendous"]["url"], told["tremendous"]["secret"]) == ("http://127.0.0.1:4570", "arn")


@pytest.mark.parametrize("url", ["http://supplier.example.com", "https://supplier.example.com/", "ftp://x.example", ""])
def test_settings_name_a_supplier_over_tls(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        TremendousSettings(url=url)


@pytest.mark.parametrize(("seconds", "good"), [(60, False), (119, False), (120, True)])
def test_xoxoday_is_given_the_time_that_its_orders_may_take(seconds: int, good: bool) -> None:
    def made() -> StageSettings:
        return StageSettings(name="x-1", region="eu-south-1", suppliers=EVERY, supplier_settle_seconds=seconds)

    if good:
        assert made().suppliers == EVERY
    else:
        with pytest.raises(ValidationError, match="supplier_settle_seconds must be at least 120"):
            made()


def _function(stage: Templates, settings: StageSettings, name: str) -> dict[str, Any]:
    (function,) = [
        each
        for each in stage.properties("AWS::Lambda::Function")
        if each["FunctionName"] == resource(settings.name, name)
    ]
    return function


@pytest.mark.parametrize("name", ["fulfillment", "supplier_rotation"])
def test_functions_are_told_of_every_supplier(stage: Templates, settings: StageSettings, name: str) -> None:
    told = text(_function(stage, settings, name)["Environment"]["Variables"][contract.ENV_SUPPLIERS])
    for supplier, access in settings.suppliers.all().items():
        assert supplier in told
        assert f"{supplier.title()}Secret" in told
        assert (access.url or f"{supplier.title()}Url") in told


def test_the_fulfilment_reads_each_secret_and_nothing_else_of_them(stage: Templates, settings: StageSettings) -> None:
    reads = [
        text(each["Resource"])
        for each in stage.statements("fulfillment")
        if "secretsmanager:GetSecretValue" in many(each["Action"])
    ]
    named = " ".join(reads)
    assert all(f"{supplier.title()}Secret" in named for supplier in settings.suppliers.all())


def test_parameters_are_for_urls_that_are_left_open(stage: Templates, settings: StageSettings) -> None:
    parameters = stage.stacks["workflows"].get("Parameters", {})
    urls = {name: parameter for name, parameter in parameters.items() if name.endswith("Url")}
    left_open = [name for name, access in settings.suppliers.all().items() if access.url is None]
    assert sorted(urls) == sorted(f"{name.title()}Url" for name in left_open)
    for parameter in urls.values():
        assert "Default" not in parameter
        plain = bool(re.fullmatch(parameter["AllowedPattern"], "http://127.0.0.1:4570"))
        assert plain is (settings.target == "local")


def test_xoxodays_tokens_are_rotated_within_their_life(stage: Templates, settings: StageSettings) -> None:
    schedules = stage.properties("AWS::SecretsManager::RotationSchedule")
    if contract.ROTATED_SUPPLIER not in settings.suppliers.all():
        assert schedules == []
        return
    (schedule,) = schedules
    assert schedule["RotationRules"] == {"ScheduleExpression": "rate(7 days)"}
    assert schedule["RotateImmediatelyOnUpdate"] is False
    assert "Alias" in text(schedule["RotationLambdaARN"])
    assert "XoxodaySecret" in text(schedule["SecretId"])
    (permission,) = [
        each
        for each in stage.properties("AWS::Lambda::Permission")
        if each["Principal"] == "secretsmanager.amazonaws.com"
    ]
    assert "XoxodaySecret" in text(permission["SourceArn"])
    for statement in stage.statements("supplier_rotation"):
        if "secretsmanager:PutSecretValue" in many(statement["Action"]):
            assert "XoxodaySecret" in text(statement["Resource"])
            assert "TremendousSecret" not in text(statement["Resource"])
