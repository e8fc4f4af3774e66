"""DynamoDB in memory in the place of AWS's, as unit tests have it: for every client that would speak to AWS, and only for these."""

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from infra.local.processes import free_port
from loyalty.core.table import Put, Table
from tests.ledgerkit.memory import dynamodb_in_memory
from tests.ledgerkit.tables import create_table, empty_table
from tests.simulation.counters import PK, counter

REGION = "eu-south-1"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def made() -> Table:
    table = Table("ledger", region=REGION)
    create_table(table.client, table.name)
    return table


def test_whoever_speaks_to_aws_finds_the_same_table() -> None:
    with dynamodb_in_memory():
        made().write([Put(counter("1", 7))])
        assert Table("ledger", region=REGION).read(PK, "1") is not None
        client = boto3.client("dynamodb", region_name=REGION)
        found = client.get_item(TableName="ledger", Key={"pk": {"S": PK}, "sk": {"S": "1"}})
        assert found["Item"]["total"] == {"N": "7"}


def test_bytes_come_back_as_they_went() -> None:
    item = {"pk": {"S": PK}, "sk": {"S": "1"}, "sealed": {"M": {"B": {"B": b"\x00\xff"}}}}
    with dynamodb_in_memory():
        table = made()
        table.client.put_item(TableName="ledger", Item=item)
        assert table.read(PK, "1") == item


def test_each_has_tables_of_its_own_and_the_outer_ones_come_back() -> None:
    with dynamodb_in_memory():
        table = made()
        table.write([Put(counter("1", 7))])
        with dynamodb_in_memory(), pytest.raises(ClientError, match="ResourceNotFoundException"):
            table.client.scan(TableName="ledger")
        assert table.read(PK, "1") is not None


def test_clients_with_an_endpoint_and_other_services_are_left_alone() -> None:
    nobody = Table("ledger", region=REGION, endpoint=f"http://127.0.0.1:{free_port()}")
    with dynamodb_in_memory(), mock_aws():
        made()
        with pytest.raises(EndpointConnectionError):
            nobody.client.list_tables()
        assert boto3.client("sts", region_name=REGION).get_caller_identity()["Account"]
        assert boto3.client("sqs", region_name=REGION).list_queues().get("QueueUrls", []) == []


def test_a_table_is_emptied_at_once_or_item_by_item() -> None:
    with dynamodb_in_memory():
        table = made()
        table.write([Put(counter(str(number), number)) for number in range(3)])
        empty_table(table)
        assert list(table.scan()) == []
    with mock_aws():
        elsewhere = made()
        elsewhere.write([Put(counter("1", 1))])
        empty_table(elsewhere)
        assert list(elsewhere.scan()) == []
