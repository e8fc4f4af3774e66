"""The table as the template declares it: the same keys, indexes and types, on any engine."""

from typing import Any

import loyalty_contract as contract
from loyalty.core.table import Table
from tests.ledgerkit.memory import forgotten


def create_table(client: Any, name: str) -> None:
    """Creates the table and waits until it takes requests."""

    def keys(sort: str) -> list[dict[str, str]]:
        return [
            {"AttributeName": contract.PARTITION_KEY, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ]

    client.create_table(
        TableName=name,
        KeySchema=keys(contract.SORT_KEY),
        AttributeDefinitions=[
            {"AttributeName": contract.PARTITION_KEY, "AttributeType": "S"},
            {"AttributeName": contract.SORT_KEY, "AttributeType": "S"},
            {"AttributeName": contract.ENTRY_INDEX_KEY, "AttributeType": "N"},
            {"AttributeName": contract.DUE_INDEX_KEY, "AttributeType": "S"},
            {"AttributeName": contract.DUE_AT, "AttributeType": "S"},
            {"AttributeName": contract.MEMBER_INDEX_KEY, "AttributeType": "S"},
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": contract.ENTRY_INDEX,
                "KeySchema": keys(contract.ENTRY_INDEX_KEY),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": contract.DUE_INDEX,
                "KeySchema": [
                    {"AttributeName": contract.DUE_INDEX_KEY, "KeyType": "HASH"},
                    {"AttributeName": contract.DUE_AT, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": contract.MEMBER_INDEX,
                "KeySchema": [
                    {"AttributeName": contract.MEMBER_INDEX_KEY, "KeyType": "HASH"},
                    {"AttributeName": contract.PARTITION_KEY, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(contract.MEMBER_INDEX_HAS)},
            },
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def empty_table(table: Table) -> None:
    """Deletes every item."""
    if forgotten(table.client):
        return
    for raw in list(table.scan()):
        table.client.delete_item(TableName=table.name, Key={name: raw[name] for name in ("pk", "sk")})


def warm_up(client: Any, name: str) -> None:
    """Sends one transaction: an engine's first may outlast the short time-outs of the library, but not this client's."""
    key = {contract.PARTITION_KEY: {"S": "warm"}, contract.SORT_KEY: {"S": "up"}}
    put = {"TableName": name, "Item": key, "ConditionExpression": f"attribute_not_exists({contract.PARTITION_KEY})"}
    client.transact_write_items(TransactItems=[{"Put": put}])
    client.delete_item(TableName=name, Key=key)
