"""Query and Scan of the engine in memory against AWS's own: ranges, indexes, pages, filters."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulation.pair import TABLE, Pair

pytestmark = pytest.mark.integration
REFUSED = ("ValidationException", None)


def text(value: str) -> dict[str, str]:
    return {"S": value}


@pytest.fixture(scope="module")
def filled(pair: Pair) -> Pair:
    """Nine items of one partition, seven of them in each index, in another order than in the table."""
    for number in range(1, 8):
        item: dict[str, Any] = {
            "pk": text("q"),
            "sk": text(f"E#{number}"),
            "seq": {"N": str(number * 4 % 7 * 10 - 20)},
            "holder": text("o"),
            "due": text(f"2026-0{number * 3 % 7 + 1}"),
            "code": {"B": bytes([number * 5 % 7, 255])},
            "v": {"N": str(number)},
        }
        pair.accepted("put_item", TableName=TABLE, Item=item)
    pair.accepted("put_item", TableName=TABLE, Item={"pk": text("q"), "sk": text("X"), "due": text("2026-01")})
    pair.accepted("put_item", TableName=TABLE, Item={"pk": text("q"), "sk": text("é"), "v": text("5")})
    pair.accepted("put_item", TableName=TABLE, Item={"pk": text("r"), "sk": text("E#1"), "holder": text("p")})
    return pair


def query(pair: Pair, condition: str, *, p: str = "q", **request: Any) -> Any:
    """``condition`` may use ``:p``, and ``:a``, ``:b`` if they are given."""
    values = {f":{name}": request.pop(name) for name in ("a", "b") if name in request}
    request["ExpressionAttributeValues"] = {":p": text(p), **values}
    return pair.send("query", TableName=TABLE, KeyConditionExpression=condition, **request)


def names(answer: Any) -> list[str]:
    return [item["sk"]["S"] for item in answer["Items"]]


def pages(method: Callable[..., Any], request: dict[str, Any]) -> list[Any]:
    """Every page that is not empty: whether one may follow, DynamoDB Local sees from the bounds, DynamoDB does not."""
    found = [method(**request)]
    while start := found[-1].get("LastEvaluatedKey"):
        found.append(method(**request, ExclusiveStartKey=start))
    return [page for page in found if page["Items"]]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize(
    ("index", "condition", "bounds"),
    [
        (None, "pk = :p", {}),
        (None, "(pk = :p AND begins_with(sk, :a))", {"a": text("E#")}),
        (None, "pk = :p AND sk < :a", {"a": text("E#3")}),
        (None, "pk = :p AND sk <= :a", {"a": text("E#3")}),
        (None, "pk = :p AND sk > :a", {"a": text("E#3")}),
        (None, "sk >= :a AND pk = :p", {"a": text("E#3")}),
        (None, "(pk = :p) AND (sk = :a)", {"a": text("E#3")}),
        (None, ":p = pk AND :a < sk", {"a": text("E#3")}),
        (None, "pk = :p AND sk BETWEEN :a AND :b", {"a": text("E#3"), "b": text("E#5")}),
        (None, "pk = :p AND sk > :a", {"a": text("Z")}),
        ("by_seq", "pk = :p", {}),
        ("by_seq", "pk = :p AND seq < :a", {"a": {"N": "9"}}),
        ("by_seq", "pk = :p AND seq BETWEEN :a AND :b", {"a": {"N": "-1e1"}, "b": {"N": "20.0"}}),
        ("by_code", "pk = :p AND begins_with(code, :a)", {"a": {"B": b"\x05"}}),
        ("by_code", "pk = :p AND code >= :a", {"a": {"B": b"\x03"}}),
        ("by_due", "holder = :p AND begins_with(due, :a)", {"p": "o", "a": text("2026-0")}),
        ("by_due", "holder = :p AND due >= :a", {"p": "o", "a": text("2026-03")}),
    ],
)
@pytest.mark.parametrize("limit", [None, 1, 3, 7, 100])
def test_ranges(
    filled: Pair, index: str | None, condition: str, bounds: dict[str, Any], limit: int | None, *, forward: bool
) -> None:
    condition = condition.replace("holder", "#h")
    more: dict[str, Any] = {"ExpressionAttributeNames": {"#h": "holder"}} if "#h" in condition else {}
    if index:
        more["IndexName"] = index
    if limit:
        more["Limit"] = limit
    values = {f":{name}": value for name, value in bounds.items() if name != "p"} | {":p": text(bounds.get("p", "q"))}
    request = {
        "TableName": TABLE,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": forward,
        **more,
    }
    mine, theirs = ([names(page) for page in pages(client.query, request)] for client in (filled.memory, filled.local))
    assert mine == theirs


def test_an_index_holds_the_items_that_have_its_keys(filled: Pair) -> None:
    assert len(filled.walk(None, "q")) == 9
    assert len(filled.walk("by_seq", "q")) == 7
    assert len(filled.walk("by_due", "o")) == 7
    assert [sorted(item) for item in filled.walk("by_holder", "p")] == [["holder", "pk", "sk"]]
    assert [sorted(item) for item in filled.walk("by_code", "q")] == [["code", "pk", "sk"]] * 7
    assert len(filled.walk("by_number", 20)) == 1


def test_an_item_moves_within_its_indexes(filled: Pair) -> None:
    def update(expression: str, **values: Any) -> None:
        filled.accepted(
            "update_item",
            TableName=TABLE,
            Key={"pk": text("q"), "sk": text("X")},
            UpdateExpression=expression,
            ExpressionAttributeNames={"#h": "holder"},
            **({"ExpressionAttributeValues": values} if values else {}),
        )

    update("SET #h = :o", **{":o": text("o")})
    assert len(filled.walk("by_due", "o")) == 8
    update("SET #h = :o, due = :d", **{":o": text("o2"), ":d": text("2027")})
    assert len(filled.walk("by_due", "o")) == 7
    assert [item["due"]["S"] for item in filled.walk("by_due", "o2")] == ["2027"]
    update("SET due = :d REMOVE #h", **{":d": text("2026-01")})
    assert filled.walk("by_due", "o2") == filled.walk("by_holder", "o2") == []


@pytest.mark.parametrize(
    ("condition", "more"),
    [
        ("sk = :p", {}),
        ("pk = :p AND sk <> :a", {"a": text("1")}),
        ("pk = :p OR sk = :a", {"a": text("1")}),
        ("NOT pk = :p", {}),
        ("pk > :p", {}),
        ("pk = :p AND v = :a", {"a": text("1")}),
        ("pk = :p AND sk > :a AND sk < :b", {"a": text("1"), "b": text("2")}),
        ("pk = :p AND pk = :a", {"a": text("1")}),
        ("pk = :p AND sk = :a", {"a": {"N": "1"}}),
        ("pk = :p AND sk > :a", {"a": text("")}),
        ("pk = :p", {"p": ""}),
        ("pk = :p AND attribute_exists(sk)", {}),
        ("pk = :p AND sk = v", {}),
        ("pk = :p AND sk BETWEEN :b AND :a", {"a": text("1"), "b": text("2")}),
        ("pk = :p AND begins_with(seq, :a)", {"a": {"N": "1"}, "IndexName": "by_seq"}),
        ("pk = :p", {"IndexName": "by_nothing"}),
        ("pk = :p", {"a": text("unused")}),
        ("pk = :p AND sk = :c", {}),
        ("#p = :p", {}),
        ("pk = :p", {"ExclusiveStartKey": {"pk": text("q")}}),
        ("pk = :p", {"ExclusiveStartKey": {"pk": text("other"), "sk": text("1")}}),
        ("pk = :p AND sk < :a", {"a": text("E#3"), "ExclusiveStartKey": {"pk": text("q"), "sk": text("E#5")}}),
        ("pk = :p", {"IndexName": "by_seq", "ExclusiveStartKey": {"pk": text("q"), "sk": text("E#5")}}),
        ("#h = :p", {"IndexName": "by_due", "ConsistentRead": True, "ExpressionAttributeNames": {"#h": "holder"}}),
        ("#h = :p", {"IndexName": "by_holder", "ConsistentRead": True, "ExpressionAttributeNames": {"#h": "holder"}}),
        ("pk = :p", {"FilterExpression": "sk > :a", "a": text("E")}),
    ],
)
def test_what_no_query_may_ask(filled: Pair, condition: str, more: dict[str, Any]) -> None:
    assert query(filled, condition, **more) == REFUSED


def test_a_page_starts_where_there_is_no_item_any_more(filled: Pair) -> None:
    gone = {"pk": text("q"), "sk": text("E#3x")}
    assert names(query(filled, "pk = :p", ExclusiveStartKey=gone))[0] == "E#4"
    assert names(query(filled, "pk = :p", ExclusiveStartKey=gone, ScanIndexForward=False))[0] == "E#3"
    answer = query(filled, "pk = :p", IndexName="by_seq", ExclusiveStartKey={**gone, "seq": {"N": "5"}})
    assert [item["seq"]["N"] for item in answer["Items"]] == [10, 20, 30, 40]


def test_filters_count_towards_the_limit(filled: Pair) -> None:
    answer = query(filled, "pk = :p", FilterExpression="v > :a", a={"N": "3"}, Limit=5)
    assert (answer["Count"], answer["ScannedCount"]) == (2, 5)
    assert query(filled, "pk = :p", Select="COUNT")["Count"] == 9
    assert query(filled, "pk = :p", ProjectionExpression="sk, v", Limit=2)["Items"][0] == {
        "sk": text("E#1"),
        "v": {"N": 1},
    }
    assert query(filled, "pk = :p", p="nothing", Limit=3) == {"Items": [], "Count": 0, "ScannedCount": 0}


def test_a_page_ends_after_a_megabyte(filled: Pair) -> None:
    for number in range(6):
        item = {"pk": text("big"), "sk": text(str(number)), "v": text("x" * 300_000)}
        filled.accepted("put_item", TableName=TABLE, Item=item)
    answer = query(filled, "pk = :p", p="big")
    assert names(answer) == ["0", "1", "2", "3"]
    assert answer["LastEvaluatedKey"]["sk"] == text("3")


@pytest.mark.parametrize("more", [{}, {"FilterExpression": "attribute_exists(seq)"}, {"IndexName": "by_seq"}])
def test_scans_find_every_item_partition_by_partition(filled: Pair, more: dict[str, Any]) -> None:
    found = []
    for client in (filled.memory, filled.local):
        request = {"TableName": TABLE, "Limit": 4, "ConsistentRead": True, **more}
        items = [(item["pk"]["S"], item["sk"]["S"]) for page in pages(client.scan, request) for item in page["Items"]]
        partitions = [pk for number, (pk, _) in enumerate(items) if not number or items[number - 1][0] != pk]
        assert len(partitions) == len(set(partitions))
        found.append(sorted(items))
    assert found[0] == found[1]
    assert len(found[0]) >= 7


def test_no_scan_of_a_global_index_is_consistent(filled: Pair) -> None:
    assert filled.send("scan", TableName=TABLE, IndexName="by_due", ConsistentRead=True) == REFUSED
