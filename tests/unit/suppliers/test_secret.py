import json

import boto3
import pytest
from moto import mock_aws

from loyalty.suppliers.model import SupplierAccessDenied
from loyalty.suppliers.secret import PENDING, SecretApiKey, SupplierSecret, TangoKeys, XoxodayKeys


class FakeSecrets:
    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.reads = 0

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803
        assert (SecretId, VersionStage) == ("arn:secret", "AWSCURRENT")
        self.reads += 1
        return {"SecretString": self._texts[min(self.reads, len(self._texts)) - 1]}


def test_the_secret_is_read_once_until_it_is_refused() -> None:
    secrets = FakeSecrets('{"api_key": "first"}', '{"api_key": "second"}')
    key = SecretApiKey("arn:secret", secrets)
    assert secrets.reads == 0
    assert [key.read(), key.read()] == ["first", "first"]
    assert secrets.reads == 1
    key.forget()
    assert key.read() == "second"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "planted",
        "[]",
        '"planted"',
        "{}",
        json.dumps({"api_key": ""}),
        json.dumps({"api_key": 7}),
        json.dumps({"api_key": "planted\r\nHost: elsewhere"}),
        json.dumps({"api_key": "plantéd"}),
        json.dumps({"client_secret": "planted"}),
    ],
)
def test_a_secret_without_a_key_is_named_and_not_repeated(text: str) -> None:
    with pytest.raises(SupplierAccessDenied, match="api_key") as caught:
        SecretApiKey("arn:secret", FakeSecrets(text)).read()
    assert "plant" not in str(caught.value)
    assert caught.value.__suppress_context__


TANGO = {"platform_name": "acme", "platform_key": "k~1"}


def test_each_supplier_has_its_own_document_and_what_else_is_in_it_does_not_matter() -> None:
    text = json.dumps(TANGO | {"note": "of the finance team"})
    keys = SupplierSecret("arn:secret", TangoKeys, FakeSecrets(text)).read()
    assert (keys.platform_name, keys.platform_key, keys.webhook_key) == ("acme", "k~1", None)


def test_a_message_names_every_field_that_is_missing() -> None:
    with pytest.raises(SupplierAccessDenied, match="JSON with access_token, client_secret"):
        SupplierSecret(
            "arn:secret", XoxodayKeys, FakeSecrets('{"client_id": "planted", "refresh_token": "planted"}')
        ).read()


def test_keys_are_in_no_representation() -> None:
    keys = SupplierSecret("arn:secret", TangoKeys, FakeSecrets(json.dumps(TANGO))).read()
    assert "k~1" not in f"{keys} {keys!r} {[keys]}"


@mock_aws
def test_what_is_being_rotated_in_is_not_read_before_it_is_in_force() -> None:
    secrets = boto3.client("secretsmanager", region_name="eu-south-1")
    arn = secrets.create_secret(Name="supplier", SecretString='{"api_key": "old"}')["ARN"]
    secrets.put_secret_value(
        SecretId=arn, SecretString='{"platform_name": "n", "platform_key": "new"}', VersionStages=[PENDING]
    )
    assert SecretApiKey(arn, secrets).read() == "old"
    assert SupplierSecret(arn, TangoKeys, secrets, stage=PENDING).read().platform_key == "new"


@mock_aws
def test_a_secret_without_a_value_denies_access_and_another_fault_of_the_service_does_not() -> None:
    secrets = boto3.client("secretsmanager", region_name="eu-south-1")
    arn = secrets.create_secret(Name="supplier")["ARN"]
    with pytest.raises(SupplierAccessDenied, match="no value AWSCURRENT"):
        SecretApiKey(arn, secrets).read()
