"""Condition and update expressions that no drawn request has: every operator by hand, and what is no expression."""

from itertools import count
from typing import Any

import pytest

from tests.simulation.pair import TABLE, Pair

pytestmark = pytest.mark.integration
_numbers = count()
ITEM: dict[str, Any] = {
    "n": {"N": "5"},
    "s": {"S": "hello"},
    "m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"S": "z"}}}}},
    "l": {"L": [{"N": "1"}, {"S": "x"}]},
    "f": {"BOOL": True},
    "none": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bin": {"B": b"abc"},
}
VALUES: dict[str, Any] = {
    ":n1": {"N": "1"},
    ":n2": {"N": "2"},
    ":n5": {"N": "5.0"},
    ":n9": {"N": "9"},
    ":s5": {"S": "5"},
    ":he": {"S": "he"},
    ":hello": {"S": "hello"},
    ":empty": {"S": ""},
    ":true": {"BOOL": True},
    ":null": {"NULL": True},
    ":map": {"M": {"b": {"M": {"c": {"S": "z"}}}, "a": {"N": "1.0"}}},
    ":set": {"SS": ["b", "a"]},
    ":abc": {"SS": ["a", "b", "c"]},
    ":b": {"SS": ["b"]},
    ":one": {"NS": ["1.0"]},
    ":list": {"L": [{"S": "q"}]},
    ":bin": {"B": b"ab"},
    ":kind": {"S": "S"},
    ":many": {"N": "1E-40"},
    ":huge": {"N": "9.999E125"},
}
CONDITIONS = """
n = :n5 | n = :s5 | n <> :s5 | nil <> :s5 | nil = :s5 | NOT nil = :s5 | n < :s5 | n < :true | n < :map | n > :set
f = :true | none = :null | m = :map | ss = :set | s >= :empty | bin < :bin | bin > :bin | n<=:n5 | n >= :n9
m.a = :n1 | m.b.c = :he | #m.#a = :n1 | l[0] = :n1 | l[5] = :n1 | l[1] <> :he | s.x = :he | l.x = :he | m[0] = :he
n BETWEEN :n1 AND :n9 | n BETWEEN :n9 AND :n1 | n BETWEEN :s5 AND :hello | n BETWEEN :s5 AND :n9
:n5 BETWEEN n AND :n9 | nil BETWEEN :n1 AND :n9 | n BETWEEN :n1 AND n | n BETWEEN :true AND :true
n IN (:n5, :he) | nil IN (:n5) | s IN (s) | n IN (:n1, m.a) | n IN () | :n5 IN (n)
begins_with(s, :he) | begins_with(n, :s5) | begins_with(s, :n5) | begins_with(bin, :bin) | begins_with(nil, :he)
begins_with(s, s) | begins_with(:hello, :he) | begins_with(m.b.c, :empty) | begins_with(s) | begins_with(s, :he, :he)
contains(s, :he) | contains(ss, :he) | contains(l, :n1) | contains(n, :n5) | contains(ns, :n1) | contains(ss, :n1)
contains(:abc, m.b.c) | contains(s, s) | contains(nil, :he) | contains(bin, :bin) | contains(m, :he)
size(s) = :n5 | size(m) = :n2 | size(n) > :n1 | size(nil) > :n1 | size(ss) = :n2 | size(bin) > :n2 | size(f) = :n1
NOT size(nil) > :n1 | size(l) = size(ss) | size(s) BETWEEN :n1 AND :n9 | size(none) = :n1 | size(m.b) = :n1
attribute_type(s, :kind) | attribute_type(n, :kind) | attribute_type(nil, :kind) | attribute_type(s, :he)
attribute_type(s, :n1) | attribute_type(s, s)
attribute_exists(m.nil) | attribute_exists(m.b) | attribute_exists(l[1]) | attribute_exists(l[2]) | attribute_exists(s.x)
attribute_not_exists(nil) | attribute_exists(:n1) | attribute_exists(n, s) | ATTRIBUTE_EXISTS(n) | attribute_exists (n)
attribute_exists(pk) AND n = :n1 OR s = :hello | attribute_exists(nil) AND (n = :n5 OR s = :hello) | NOT NOT n = :n5
NOT (n = :n1) AND NOT s = :he | not n = :n5 or n = :n1 | NOT n = :n1 AND n = :n1 | n = :n1 OR NOT n = :n1 AND n = :n5
((n = :n5)) | (n = :n5) | ((n = :n5) AND (s = :hello)) | (NOT (n = :n5)) | ((n = :n5) OR ((s = :hello)))
:n5 = n | :n5 = :n5 | n = n | nil = nil | n < m | m < l | f = none | n = s | n = m.a | ns = :one | :n1 < :n9
n | n = | = :n1 | n = :n1 AND | foo(n) | n == :n5 | n != :n5 | (n = :n5 | n = :n5) | n = :nope | #nope = :n1 | AND
name = :he | a-b = :n1 | _x = :n1 | x_1 = :n1 | 1x = :n1 | #1 = :n1 | n = :n1, s = :he | n.#m = :n1 | l[-1] = :n1 | l[x] = :n1
"""
UPDATES = """
SET n = :n9 | SET n = n + :n1 | SET n = n - :n9 | SET nil = n + n | SET n = :n1 + n | SET n = n + :n1 + :n1
SET n = nil | SET n = if_not_exists(nil, :n1) + :n2 | SET n = if_not_exists(n, :n1) | SET nil = if_not_exists(nil, n)
SET n = if_not_exists(nil, nope) | SET n = if_not_exists(n, nope) | SET n = if_not_exists(:n1, :n2) | SET n = foo(n)
SET l = list_append(l, :list) | SET l = list_append(:list, l) | SET l = list_append(l, :he) | SET l = list_append(s, l)
SET l = list_append(if_not_exists(nil, :list), l) | SET nil = list_append(nil, :list) | SET l = list_append(l, l)
SET m.a = :n2 | SET m.new = :n2 | SET nil.a = :n2 | SET s.a = :n2 | SET l[0] = :n2 | SET l[9] = :n2 | SET m.b.c = m.a
SET n[0] = :n2 | SET l.a = :n2 | SET l[5] = :n5, l[7] = :n9 | SET l[7] = :n9, l[5] = :n5 | SET l[1] = l[0], l[0] = l[1]
SET m.b = :map, m.new = m.b | SET m = m.b | SET #m.#a = :n9 | SET n = s, s = n | SET n = (n) | SET n = (n + :n1)
SET n = n + s | SET n = s + n | SET n = n + :s5 | SET n = n + :many | SET n = :huge + :huge | SET n = n - n
REMOVE n, s | REMOVE m.a | REMOVE nil | REMOVE m.nil | REMOVE l[0] | REMOVE l[9] | REMOVE nil.a | REMOVE s.a
REMOVE l[0], l[1] | REMOVE l[1], l[0] | REMOVE l[0] SET l[1] = :n9 | REMOVE m.b.c, m.a | REMOVE n, n
ADD n :n2 | ADD nil :n2 | ADD s :n2 | ADD ss :abc | ADD nil :abc | ADD ss :one | ADD n :s5 | ADD m.a :n2 | ADD n :b
ADD ns :one | ADD l :list | ADD n n | ADD m.new :n1 | ADD nil.a :n1 | ADD n :many
DELETE ss :b | DELETE ss :abc | DELETE nil :b | DELETE ss :he | DELETE s :b | DELETE ns :one | DELETE ss :one
SET n = :n1 REMOVE s ADD nil :n1 DELETE ss :b | set n = :n1 remove s | SET n = :n1 SET s = :he | SET n = :n1, n = :n2
SET m = :map, m.a = :n1 | SET m.a = :n1, m.b.c = :n2 | SET l = :list, l[0] = :n1 | SET n = :n1 REMOVE n | SET pk = :he
REMOVE sk | SET pk = pk | ADD sk :n1 | SET n = | SET n | n = :n1 | SET n = :n1, | SET = :n1 | SET n = :nope | SET name = :n1
SET code = :bin | REMOVE code | SET due = :he | SET n = :empty | SET n = size(s) | SET n = attribute_exists(s)
"""


def texts(block: str) -> list[str]:
    return [text.strip() for line in block.strip().splitlines() for text in line.split(" | ")]


def placeholders(text: str) -> dict[str, Any]:
    names = {name: value for name, value in {"#m": "m", "#a": "a", "#1": "n"}.items() if name in text}
    words = text.replace("(", " ").replace(")", " ").replace(",", " ").split()
    values = {name: value for name, value in VALUES.items() if any(word.endswith(name) for word in words)}
    request: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
    return request | ({"ExpressionAttributeValues": values} if values else {})


@pytest.fixture(scope="module")
def seeded(pair: Pair) -> Pair:
    pair.accepted("put_item", TableName=TABLE, Item={"pk": {"S": "seeded"}, "sk": {"S": "1"}, **ITEM})
    return pair


@pytest.mark.parametrize("text", texts(CONDITIONS))
def test_conditions(seeded: Pair, text: str) -> None:
    for sk in ("1", "missing"):
        check = {
            "TableName": TABLE,
            "Key": {"pk": {"S": "seeded"}, "sk": {"S": sk}},
            "ConditionExpression": text,
            **placeholders(text),
        }
        seeded.send("transact_write_items", TransactItems=[{"ConditionCheck": check}])


@pytest.mark.parametrize("text", texts(UPDATES))
def test_updates(pair: Pair, text: str) -> None:
    number = next(_numbers)
    for sk in ("stored", "missing"):
        key = {"pk": {"S": f"updated-{number}"}, "sk": {"S": sk}}
        if sk == "stored":
            pair.accepted("put_item", TableName=TABLE, Item={**key, **ITEM})
        update = {"TableName": TABLE, "Key": key, "UpdateExpression": text, **placeholders(text)}
        pair.send("update_item", **update, ReturnValues="ALL_NEW")
        pair.send("transact_write_items", TransactItems=[{"Update": update}])
        pair.send("get_item", TableName=TABLE, Key=key)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ExpressionAttributeValues": {":unused": {"S": "x"}}},
        {"ConditionExpression": "attribute_exists(pk)", "ExpressionAttributeValues": {":unused": {"S": "x"}}},
        {"ConditionExpression": "attribute_exists(pk)", "ExpressionAttributeNames": {"#unused": "x"}},
        {"ConditionExpression": "pk = :x", "ExpressionAttributeValues": {":x": {"N": "abc"}}},
        {"ConditionExpression": "attribute_exists(#a-b)", "ExpressionAttributeNames": {"#a-b": "x"}},
        {"ConditionExpression": ""},
    ],
)
def test_placeholders_are_used_and_well_formed(pair: Pair, wrong: dict[str, Any]) -> None:
    item = {"pk": {"S": "seeded"}, "sk": {"S": "unused"}}
    assert pair.send("put_item", TableName=TABLE, Item=item, **wrong) == ("ValidationException", None)
