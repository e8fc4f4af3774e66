"""Requests that Hypothesis draws: conditions and updates as pynamodb writes them, over few items and few values.

Texts that begin with ``@`` are made the example's own by :func:`own`, so that examples share a table undisturbed.
"""

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, _Size
from pynamodb.expressions.update import Action, Update

from tests.simulation.pair import TABLE

PARTITIONS: Final = ("@a", "@b")
HOLDERS: Final = ("@x", "@y")
_NAMES: Final = ("n", "s", "m", "l", "ss", "seq", "due")
INDEXED: Final = ("seq", "due")
_numbers = st.sampled_from(["-1", "0", "1", "2", "2.0", "2.5", "10", "1e3"]).map(lambda text: {"N": text})
_texts = st.sampled_from(["", "a", "ab", "b", "é", "\U0001f600", "\uffff"]).map(lambda text: {"S": text})
_sets = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(lambda members: {"SS": members})
_lists = st.lists(_numbers | _texts, max_size=3).map(lambda members: {"L": members})
_maps = st.dictionaries(st.sampled_from("ab"), _numbers | _texts, max_size=2).map(lambda members: {"M": members})
_flags = st.sampled_from([{"BOOL": True}, {"BOOL": False}, {"NULL": True}])
_bytes = st.sampled_from([b"\x00", b"a", b"\xff"]).map(lambda content: {"B": content})
values = st.one_of(_numbers, _texts, _sets, _lists, _maps, _flags, _bytes)
_keys = st.fixed_dictionaries(
    {
        "pk": st.sampled_from(PARTITIONS).map(lambda text: {"S": text}),
        "sk": st.sampled_from(["1", "2", "E#1", "E#2"]).map(lambda text: {"S": text}),
    }
)
_indexed = st.fixed_dictionaries(
    {},
    optional={
        "seq": st.sampled_from(["1", "2", "10", "-3", "0.5"]).map(lambda text: {"N": text}),
        "holder": st.sampled_from(HOLDERS).map(lambda text: {"S": text}),
        "due": st.sampled_from(["2026-01", "2026-02", "3"]).map(lambda text: {"S": text}),
        "code": _bytes,
    },
)
_others = st.fixed_dictionaries(
    {},
    optional={
        "n": _numbers | values,
        "s": _texts | values,
        "m": _maps | values,
        "l": _lists | values,
        "ss": _sets | values,
    },
)
items = st.builds(lambda *parts: {name: part[name] for part in parts for name in part}, _keys, _indexed, _others)

_members = st.sampled_from("ab").map(lambda name: Path("m")[name])
_places = st.integers(0, 2).map(lambda place: Path("l")[place])
_paths = st.sampled_from([Path(name) for name in _NAMES]) | _members | _places
_comparable = st.one_of(_numbers, _texts, _bytes)
_bounds = st.one_of(
    st.lists(_numbers, min_size=2, max_size=2).map(lambda pair: sorted(pair, key=lambda value: Decimal(value["N"]))),
    st.lists(_texts, min_size=2, max_size=2).map(lambda pair: sorted(pair, key=lambda value: value["S"])),
)
_equality = st.sampled_from([operator.eq, operator.ne])
_order = st.sampled_from([operator.lt, operator.le, operator.gt, operator.ge])


def _compared(sign: Callable[[Any, Any], Condition], left: Any, right: Any) -> Condition:
    return sign(left, right)


_simple = st.one_of(
    st.builds(_compared, _equality, _paths, values),
    st.builds(_compared, _order, _paths, _comparable),
    st.builds(_compared, _equality | _order, _paths, _paths),
    st.builds(_compared, _equality | _order, _paths.map(_Size), _numbers),
    st.builds(lambda path, bounds: path.between(*bounds), _paths, _bounds | st.tuples(values, values)),
    st.builds(lambda path, choices: path.is_in(*choices), _paths, st.lists(values, min_size=1, max_size=3)),
    st.builds(lambda path, wanted: path.exists() if wanted else path.does_not_exist(), _paths, st.booleans()),
    st.builds(lambda path, prefix: path.startswith(prefix), _paths, _texts),
    st.builds(lambda path, member: path.contains(member), _paths, values),
    st.builds(
        lambda path, kind: path.is_type(kind), _paths, st.sampled_from(["S", "N", "SS", "M", "L", "BOOL", "NULL"])
    ),
)
conditions = st.recursive(
    _simple,
    lambda inner: st.one_of(
        st.builds(lambda left, right: left & right, inner, inner),
        st.builds(lambda left, right: left | right, inner, inner),
        st.builds(lambda part: ~part, inner),
    ),
    max_leaves=4,
)

_counted = st.sampled_from([Path("n"), Path("m")["a"]])
_actions = st.one_of(
    # Index keys of any other type are refused by DynamoDB, and taken by DynamoDB Local.
    st.sampled_from([Path("seq").set({"N": "7"}), Path("seq").remove(), Path("due").set({"S": "2026-07"})]),
    st.builds(lambda path, value: path.set(value), _paths.filter(lambda path: path.path[0] not in INDEXED), values),
    st.builds(lambda path, other, value: path.set(other | value), _counted, _paths, values),
    st.builds(lambda path, other: path.set(other), _counted, _paths),
    st.builds(lambda path, by: path.set(path + by), _counted, _numbers),
    st.builds(lambda path, start, by: path.set((path | start) - by), _counted, _numbers, _numbers),
    st.builds(lambda path, by: path.add(by), _counted, _numbers),
    st.builds(lambda more: Path("l").set((Path("l") | {"L": []}).append(more)), _lists),
    st.builds(lambda more: Path("l").set(Path("l").prepend(more)), _lists),
    st.builds(lambda members: Path("ss").add(members), _sets),
    st.builds(lambda members: Path("ss").delete(members), _sets),
    st.builds(lambda path: path.remove(), _paths.filter(lambda path: path.path[0] not in INDEXED)),
)


_shown = st.sampled_from(["ALL_OLD", "NONE"])


@st.composite
def writes(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """The name of an operation in a transaction, and its request."""
    kind = draw(st.sampled_from(["Put", "Put", "Update", "Update", "Delete", "ConditionCheck"]))
    request: dict[str, Any] = {"TableName": TABLE}
    names: dict[str, str] = {}
    given: dict[str, Any] = {}
    if kind == "Put":
        request["Item"] = draw(items)
    else:
        request["Key"] = draw(_keys)
    if kind == "Update":
        request["UpdateExpression"] = _update_text(draw(st.lists(_actions, min_size=1, max_size=2)), names, given)
    if kind == "ConditionCheck" or draw(st.booleans()):
        request["ConditionExpression"] = draw(conditions).serialize(names, given)
        request["ReturnValuesOnConditionCheckFailure"] = draw(_shown)
    if names:
        request["ExpressionAttributeNames"] = {placeholder: name for name, placeholder in names.items()}
    if given:
        request["ExpressionAttributeValues"] = given
    return kind, request


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """The method of a client, and its request."""
    kind = draw(st.sampled_from(["write", "write", "transaction", "transaction", "get", "batch"]))
    if kind == "get":
        return "get_item", {"TableName": TABLE, "Key": draw(_keys), "ConsistentRead": True}
    if kind == "batch":
        keys = draw(st.lists(_keys, min_size=1, max_size=4, unique_by=repr))
        return "batch_get_item", {"RequestItems": {TABLE: {"Keys": keys, "ConsistentRead": True}}}
    if kind == "transaction":
        # Two operations on one item are refused by DynamoDB at once, by DynamoDB Local after the conditions.
        members = draw(st.lists(writes(), min_size=1, max_size=4, unique_by=_target))
        return "transact_write_items", {"TransactItems": [{name: request} for name, request in members]}
    name, request = draw(writes().filter(lambda drawn: drawn[0] != "ConditionCheck"))
    if draw(st.booleans()):
        request["ReturnValues"] = draw(st.sampled_from(["ALL_OLD", "ALL_NEW"] if name == "Update" else ["ALL_OLD"]))
    return f"{name.lower()}_item", request


def _target(write: tuple[str, dict[str, Any]]) -> tuple[str, str]:
    key = write[1].get("Key") or write[1]["Item"]
    return key["pk"]["S"], key["sk"]["S"]


def own(request: Any, example: int) -> Any:
    """The request, on items that no other example knows."""
    if isinstance(request, Mapping):
        return {name: own(member, example) for name, member in request.items()}
    if isinstance(request, list):
        return [own(member, example) for member in request]
    return f"{example}{request}" if isinstance(request, str) and request.startswith("@") else request


def _update_text(actions: list[Action], names: dict[str, str], given: dict[str, Any]) -> str | None:
    return Update(*actions).serialize(names, given)
