"""The engines themselves: a fresh table on each, faults in front of each, nothing beyond loopback."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from tests.engines.faults import FaultProxy, cancelled, lost_reply, lost_request, throttled
from tests.engines.fixtures import TableEngine, dynamodb_client
from tests.integration.local.sockets import listening_addresses

pytestmark = pytest.mark.integration


def _write(sk: str, table: str) -> dict[str, Any]:
    item = {"pk": {"S": "M#p#1"}, "sk": {"S": sk}, "seq": {"N": "1"}}
    return {"TransactItems": [{"Put": {"TableName": table, "Item": item}}]}


def test_table_holds_items_and_reads_them_by_index(table_engine: TableEngine) -> None:
    client, table = table_engine.client, table_engine.table_name
    client.transact_write_items(**_write("ENTRY#a", table))
    client.put_item(TableName=table, Item={"pk": {"S": "M#p#1"}, "sk": {"S": "WALLET"}})
    found = client.query(
        TableName=table,
        IndexName="by_seq",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "M#p#1"}},
        ConsistentRead=True,
    )
    assert [item["sk"]["S"] for item in found["Items"]] == ["ENTRY#a"]


def test_each_test_gets_an_empty_table(table_engine: TableEngine) -> None:
    assert table_engine.client.scan(TableName=table_engine.table_name)["Items"] == []


def test_lost_reply_leaves_the_write_applied_and_a_lost_request_does_not(
    table_engine: TableEngine, fault_proxy: FaultProxy
) -> None:
    table = table_engine.table_name
    faulty = dynamodb_client(fault_proxy.endpoint)
    for rule, sk in ((lost_request("TransactWriteItems"), "never"), (lost_reply("TransactWriteItems"), "applied")):
        fault_proxy.inject(rule)
        with pytest.raises(HTTPClientError):
            faulty.transact_write_items(**_write(sk, table))
    assert [item["sk"]["S"] for item in table_engine.client.scan(TableName=table)["Items"]] == ["applied"]
    faulty.close()


def test_named_cancellations_and_throttling_reach_the_client(
    table_engine: TableEngine, fault_proxy: FaultProxy
) -> None:
    faulty = dynamodb_client(fault_proxy.endpoint)
    fault_proxy.inject(cancelled(["TransactionConflict"]))
    with pytest.raises(ClientError) as conflict:
        faulty.transact_write_items(**_write("x", table_engine.table_name))
    assert conflict.value.response["CancellationReasons"] == [{"Code": "TransactionConflict"}]
    fault_proxy.inject(throttled("TransactWriteItems"))
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        faulty.transact_write_items(**_write("x", table_engine.table_name))
    fault_proxy.inject()
    faulty.transact_write_items(**_write("x", table_engine.table_name))
    faulty.close()


def test_engines_and_proxy_listen_on_loopback_only(table_engine: TableEngine, fault_proxy: FaultProxy) -> None:
    for url in (table_engine.endpoint_url, fault_proxy.endpoint):
        assert listening_addresses(int(url.rpartition(":")[2])) == {"127.0.0.1"}
