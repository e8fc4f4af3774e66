"""The engine in memory against AWS's own: the same requests, drawn ones and chosen ones, have the same effects."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.simulation import drawn
from tests.simulation.pair import INDEXES, TABLE, Pair

pytestmark = pytest.mark.integration
_examples = count()
ABSENT: Mapping[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
SHOWN: Mapping[str, Any] = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def key(sk: str, pk: str = "chosen") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def operation(kind: str, sk: str, attributes: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A member of a transaction."""
    what = {"Item": {**key(sk), **(attributes or {})}} if kind == "Put" else {"Key": key(sk)}
    return {kind: {"TableName": TABLE, **what, **more}}


@settings(
    max_examples=150,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes of requests
    suppress_health_check=list(HealthCheck),
)
@given(requests=st.lists(drawn.requests(), min_size=1, max_size=12))
def test_drawn_requests_have_the_same_effects(pair: Pair, requests: list[tuple[str, dict[str, Any]]]) -> None:
    example = next(_examples)
    for method, request in requests:
        pair.send(method, **drawn.own(request, example))
    for index, (pk, _) in INDEXES.items():
        if pk != "seq":  # its partitions are shared by all examples
            for name in drawn.PARTITIONS if pk == "pk" else drawn.HOLDERS:
                pair.walk(index, drawn.own(name, example), forward=example % 2 == 0)


NUMBERS = (
    "1 01 1.10 -0 +5 .5 5. 1E2 1E+20 1E-5 -1.50E-3 1E125 9.9E125 1E126 1E-130 1E-131 0.10 100 -100 1e2 "
    "12345678901234567890123456789012345678 123456789012345678901234567890123456789 "
    "12345678901234567890123456789012345678000 0.000000000000000000000000000000000000000000001 abc 1_0 1.2.3 e5 --1"
)


@pytest.mark.parametrize("text", [*NUMBERS.split(), "", " 1"])
def test_numbers_have_one_form(pair: Pair, text: str) -> None:
    """As attributes of their own: within lists and maps, DynamoDB Local leaves them as they were sent."""
    pair.send("put_item", TableName=TABLE, Item={**key("number"), "x": {"N": text}})
    mine, theirs = (
        client.get_item(TableName=TABLE, Key=key("number")).get("Item") for client in (pair.memory, pair.local)
    )
    assert mine == theirs


@pytest.mark.parametrize(
    "item",
    [
        {"pk": {"S": ""}, "sk": {"S": "1"}},
        {"pk": {"S": "a"}, "sk": {"S": ""}},
        {"pk": {"S": "a"}},
        {"pk": {"S": "a"}, "sk": {"N": "1"}},
        {"pk": {"S": "a" * 2049}, "sk": {"S": "1"}},
        {"pk": {"S": "é" * 1024}, "sk": {"S": "1" * 1024}},
        {"pk": {"S": "a"}, "sk": {"S": "1" * 1025}},
        {**key("i"), "seq": {"S": "1"}},
        {**key("i"), "holder": {"S": ""}},
        {**key("i"), "due": {"S": ""}},
        {**key("i"), "due": {"NULL": True}},
        {**key("i"), "x": {"S": "x" * (409600 - 8 - 3 - 1)}},  # to the byte: pk, "chosen", sk, "i", x
        {**key("i"), "x": {"S": "x" * (409600 - 8 - 3)}},
        {**key("i"), "x": {"M": {"é": {"L": [{"N": "-12.5"}, {"NULL": True}]}}}, "y": {"S": "é" * 204_785}},
        {**key("i"), "x": {"SS": ["b", "a"]}, "y": {"NS": ["10", "9", "1.0"]}, "z": {"BS": [b"b", b"a"]}},
        {**key("i"), "x": {"SS": ["a", "a"]}},
        {**key("i"), "x": {"NS": ["1", "1.0"]}},
        {**key("i"), "x": {"SS": []}},
        {**key("i"), "x": {"NULL": False}},
        {**key("i"), "": {"S": "x"}},
        {**key("i"), "x": {"S": ""}, "y": {"B": b""}, "z": {"L": []}, "m": {"M": {}}},
    ],
    ids=lambda item: str(item)[:70],
)
def test_items_are_taken_or_refused(pair: Pair, item: dict[str, Any]) -> None:
    pair.send("put_item", TableName=TABLE, Item=item)
    pair.send("get_item", TableName=TABLE, Key=key("i"))
    if item.keys() >= {"pk", "sk"}:
        pair.send("get_item", TableName=TABLE, Key={name: item[name] for name in ("pk", "sk")})


def test_a_key_is_a_whole_key_and_nothing_else(pair: Pair) -> None:
    for wrong in ({"pk": {"S": "a"}}, {**key("1"), "x": {"S": "1"}}, {"pk": {"S": "a"}, "sk": {"N": "1"}}):
        assert pair.send("get_item", TableName=TABLE, Key=wrong) == ("ValidationException", None)
        assert pair.send("delete_item", TableName=TABLE, Key=wrong) == ("ValidationException", None)
        wanted = {TABLE: {"Keys": [wrong]}}
        assert pair.send("batch_get_item", RequestItems=wanted) == ("ValidationException", None)
    assert pair.send("get_item", TableName="nowhere", Key=key("1")) == ("ResourceNotFoundException", None)


def test_a_transaction_is_written_whole_or_not_at_all(pair: Pair) -> None:
    first = [operation("Put", "t1", {"n": {"N": "1"}}, **ABSENT), operation("Put", "t2", **ABSENT)]
    pair.accepted("transact_write_items", TransactItems=first)
    refused = pair.send(
        "transact_write_items",
        TransactItems=[
            operation("Put", "t1", **ABSENT, **SHOWN),
            operation("Put", "t3"),
            operation("ConditionCheck", "t4", ConditionExpression="attribute_exists(pk)", **SHOWN),
            operation("Delete", "t2", **ABSENT),
        ],
    )
    assert [reason if isinstance(reason, str) else reason[0] for reason in refused[:-1]] == [
        "TransactionCanceledException",
        "ConditionalCheckFailed",
        "None",
        "ConditionalCheckFailed",
        "ConditionalCheckFailed",
    ]
    changed = [
        operation("Update", "t1", UpdateExpression="SET n = n + n"),
        operation("Update", "t5", UpdateExpression="SET n = pk"),
        operation("Delete", "t2"),
        operation("ConditionCheck", "t4", **ABSENT),
    ]
    pair.accepted("transact_write_items", TransactItems=changed)
    assert {item["sk"]["S"] for item in pair.walk(None, "chosen")} >= {"t1", "t5"}
    assert {item["sk"]["S"] for item in pair.walk(None, "chosen")}.isdisjoint({"t2", "t3", "t4"})


@pytest.mark.parametrize(
    "members",
    [
        [operation("Put", "x1"), operation("Delete", "x1")],
        [operation("ConditionCheck", "x1", **ABSENT), operation("Put", "x1")],
        [operation("Put", f"x{number}") for number in range(101)],
        [operation("Put", f"x{number}") for number in range(100)],
        [operation("Put", f"x{number}", {"v": {"S": "x" * 400_000}}) for number in range(11)],
        [operation("Put", "x1"), operation("Put", "")],
        [operation("Put", "x1"), operation("Put", "x2", {"seq": {"S": "1"}})],
        [operation("Put", "x1"), operation("Put", "x2", {"v": {"S": "x" * 409_600}})],
        [operation("Put", "x1"), operation("Update", "x2", UpdateExpression="SET a = b")],
        [operation("Put", "x1"), operation("Update", "x2", UpdateExpression="SET sk = pk")],
        [{"Put": {"TableName": "nowhere", "Item": key("x1")}}],
        [operation("Put", "x1") | operation("Delete", "x2")],
        [{}],
    ],
    ids=lambda members: f"{len(members)} {str(members[-1])[:70]}",
)
def test_transactions_have_limits(pair: Pair, members: list[Any]) -> None:
    pair.send("transact_write_items", TransactItems=members)
    pair.walk(None, "chosen")


def test_a_token_is_good_for_one_success(pair: Pair) -> None:
    once = {"TransactItems": [operation("Put", "token", **ABSENT)], "ClientRequestToken": "token-1"}
    pair.accepted("transact_write_items", **once)
    pair.accepted("transact_write_items", **once)
    other = {**once, "TransactItems": [operation("Put", "token", {"n": {"N": "1"}}, **ABSENT)]}
    assert pair.send("transact_write_items", **other) == ("IdempotentParameterMismatchException", None)
    again = {**once, "ClientRequestToken": "token-2"}
    assert pair.send("transact_write_items", **again)[0] == "TransactionCanceledException"
    pair.accepted("delete_item", TableName=TABLE, Key=key("token"))
    pair.accepted("transact_write_items", **again)
    assert pair.accepted("get_item", TableName=TABLE, Key=key("token")) == {"Item": key("token")}


def test_single_writes_answer_what_is_asked(pair: Pair) -> None:
    put = {"TableName": TABLE, "Item": {**key("single"), "n": {"N": "1"}}, **ABSENT}
    assert pair.accepted("put_item", **put) == {}
    assert pair.send("put_item", **put) == ("ConditionalCheckFailedException", None)
    assert pair.send("put_item", **put, **SHOWN)[1]["n"] == {"N": 1}
    update = {"TableName": TABLE, "Key": key("single"), "UpdateExpression": "ADD n :one"}
    update["ExpressionAttributeValues"] = {":one": {"N": "1"}}
    assert pair.accepted("update_item", **update, ReturnValues="ALL_OLD")["Attributes"]["n"] == {"N": 1}
    assert pair.accepted("update_item", **update, ReturnValues="ALL_NEW")["Attributes"]["n"] == {"N": 3}
    assert pair.accepted("delete_item", TableName=TABLE, Key=key("single"), ReturnValues="ALL_OLD")["Attributes"]
    assert pair.accepted("delete_item", TableName=TABLE, Key=key("single"), ReturnValues="ALL_OLD") == {}
    assert pair.accepted("update_item", TableName=TABLE, Key=key("single")) == {}
    assert pair.accepted("get_item", TableName=TABLE, Key=key("single"))["Item"] == key("single")


def test_a_batch_of_reads_has_limits(pair: Pair) -> None:
    pair.accepted("put_item", TableName=TABLE, Item=key("batch"))
    keys = [key("batch"), *(key(f"none-{number}") for number in range(99))]
    answer = pair.accepted("batch_get_item", RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})
    assert answer == {"Responses": {TABLE: [key("batch")]}, "UnprocessedKeys": {}}
    for wrong in ([*keys, key("one-more")], [key("batch"), key("batch")]):
        assert pair.send("batch_get_item", RequestItems={TABLE: {"Keys": wrong}}) == ("ValidationException", None)
