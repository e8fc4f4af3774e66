"""The partition keys that a DynamoDB request names, which become ``dynamodb:LeadingKeys``."""

import json
from typing import Any

import pytest
from ministack.core import iam_actions  # type: ignore[import-untyped]
from ministack.services import dynamodb  # type: ignore[import-untyped]

from infra.local.ministack_patches import leading_keys, transacted_keys, with_leading_keys
from infra.local.transaction_keys import by_item, enforcing_by_item

TABLE = {"pk_name": "pk", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}
KEY = {"pk": {"S": "M#a"}, "sk": {"S": "WALLET"}}
OTHER = {"pk": {"S": "M#b"}, "sk": {"S": "WALLET"}}


@pytest.fixture(autouse=True)
def _tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb, "_tables", {"t": TABLE})


@pytest.mark.parametrize(
    ("request_", "keys"),
    [
        ({"TableName": "t", "Key": KEY}, ["M#a"]),
        ({"TableName": "t", "Item": {**KEY, "x": {"S": "y"}}}, ["M#a"]),
        ({"RequestItems": {"t": {"Keys": [KEY, OTHER]}}}, ["M#a", "M#b"]),
        ({"RequestItems": {"t": [{"PutRequest": {"Item": KEY}}, {"DeleteRequest": {"Key": OTHER}}]}}, ["M#a", "M#b"]),
        (
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": KEY}},
                    {"ConditionCheck": {"TableName": "t", "Key": OTHER}},
                ]
            },
            ["M#a", "M#b"],
        ),
        (
            {
                "TableName": "t",
                "KeyConditionExpression": "#p = :p AND begins_with(sk, :s)",
                "ExpressionAttributeNames": {"#p": "pk"},
                "ExpressionAttributeValues": {":p": {"S": "M#a"}, ":s": {"S": "ENTRY#"}},
            },
            ["M#a"],
        ),
        ({"TableName": "t"}, []),
        ({"TableName": "unknown", "Key": KEY}, []),
    ],
)
def test_every_partition_key_named_is_found(request_: dict[str, Any], keys: list[str]) -> None:
    assert list(leading_keys(request_)) == keys


def test_a_request_without_keys_has_no_such_condition_key() -> None:
    wrapped = with_leading_keys(lambda _body: {"dynamodb:Select": "ALL_ATTRIBUTES"})
    assert wrapped(b'{"TableName": "t"}') == {"dynamodb:Select": "ALL_ATTRIBUTES"}
    assert wrapped(b"not json") == {"dynamodb:Select": "ALL_ATTRIBUTES"}


def test_each_item_of_a_transaction_is_decided_by_its_own_keys() -> None:
    body = json.dumps(
        {
            "TransactItems": [
                {"Put": {"TableName": "t", "Item": KEY}},
                {"Update": {"TableName": "t", "Key": OTHER}},
            ]
        }
    ).encode()
    decided: list[tuple[str, list[str]]] = []

    def enforce(_key: str, action: str, *, service_context: dict[str, Any]) -> None:
        decided.append((action, service_context["dynamodb:LeadingKeys"]))

    checks = by_item(iam_actions.dynamodb_transaction_checks, transacted_keys)
    together = {"dynamodb:LeadingKeys": ["M#a", "M#b"]}
    for action, _ in checks("dynamodb:TransactWriteItems", body, "eu-south-1", "000000000000"):
        enforcing_by_item(enforce)("key", action, service_context=together)
    enforcing_by_item(enforce)("key", "dynamodb:BatchWriteItem", service_context=together)
    assert decided == [
        ("dynamodb:PutItem", ["M#a"]),
        ("dynamodb:UpdateItem", ["M#b"]),
        ("dynamodb:BatchWriteItem", ["M#a", "M#b"]),
    ]
