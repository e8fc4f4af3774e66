"""Grants against calls: what is granted and never used, what was called and is not granted, what is granted twice."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from infra.local.recorded_calls import Call

_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "StringEquals": operator.eq,
    "ArnEquals": fnmatchcase,
    "StringLike": fnmatchcase,
    "ArnLike": fnmatchcase,
}
_SETS: Final[Mapping[str, Callable[[Iterable[object]], bool]]] = {"ForAllValues": all, "ForAnyValue": any}

Conditions = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Operator, key in lower case, values."""


class UnknownCondition(ValueError):
    """A statement has an operator that the comparison does not know."""


@dataclass(frozen=True)
class Grant:
    """One action on one resource that a statement of a role allows, under its conditions."""

    role: str
    action: str
    resource: str
    conditions: Conditions = ()

    def __str__(self) -> str:
        under = "".join(f" where {key} {how} {', '.join(values)}" for how, key, values in self.conditions)
        return f"{self.role}: {self.action} on {self.resource}{under}"

    def covers(self, call: Call) -> bool:
        """The grant alone would let the call pass."""
        return (
            self.role == call.role
            and fnmatchcase(call.action.lower(), self.action.lower())
            and fnmatchcase(call.resource, self.resource)
            and all(_met(one, dict(call.conditions)) for one in self.conditions)
        )


@dataclass(frozen=True)
class Excused:
    """Grants that no call in the local cloud can use, and why they are right nevertheless.

    Args:
        role: name of the role, with ``*`` for any part.
        actions: of IAM, as granted.
        reason: for a security reviewer.
        resources: ARN of the resource, with ``*`` for any part.
    """

    role: str
    actions: frozenset[str]
    reason: str
    resources: str = "*"

    def holds_for(self, grant: Grant) -> bool:
        """The grant is among those that are excused."""
        return (
            fnmatchcase(grant.role, self.role)
            and grant.action in self.actions
            and fnmatchcase(grant.resource, self.resources)
        )


def grants_of(role: str, statements: Iterable[Any]) -> Iterator[Grant]:
    """What statements of a role allow, one action and one resource at a time. What it refuses is no grant, and tested elsewhere.

    What a statement denies is no grant, and is left out: a call that it stops was not allowed, which is found; and that each
    role has its refusals ``tests/infra/test_auditing.py`` sees to.

    Raises:
        UnknownCondition: see there.
        ValueError: a statement names what it does not mean: no role of ours has one.
    """
    for statement in statements:
        if {"NotAction", "NotResource"} & set(statement):
            raise ValueError(f"{role} has a statement that is no plain grant: {statement}")
        if statement["Effect"] != "Allow":
            continue
        conditions = tuple(_conditions(statement.get("Condition", {})))
        for action in many(statement["Action"]):
            for resource in many(statement["Resource"]):
                yield Grant(role, action, resource, conditions)


def findings(grants: Sequence[Grant], calls: Sequence[Call], excused: Sequence[Excused]) -> list[str]:
    """Everything in which grants and calls differ, a line each; none where they are the same."""
    used: set[Grant] = set()
    found = []
    for call in calls:
        covering = [grant for grant in grants if grant.covers(call)]
        used.update(covering)
        if not covering or not call.allowed:
            found.append(
                f"called and not granted: {call.role}: {call.action} on {call.resource} {dict(call.conditions)}"
            )
        if len(covering) > 1:
            found.append(f"granted more than once: {covering[0]}; {covering[1]}")
    unused = [grant for grant in grants if grant not in used]
    without_use = [grant for grant in unused if not any(one.holds_for(grant) for one in excused)]
    found += [f"granted and never used: {grant}" for grant in without_use]
    for one in excused:
        missing = {
            action
            for action in one.actions
            if not any(one.holds_for(grant) for grant in unused if grant.action == action)
        }
        found += [f"excused without need: {one.role}: {action}" for action in sorted(missing)]
    return sorted(set(found))


def many(value: Any) -> list[Any]:
    """An element of a policy as a list, whether it was written as one or not."""
    return value if isinstance(value, list) else [value]


def _conditions(blocks: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for how, keys in blocks.items():
        if how.rpartition(":")[2] not in _OPERATORS or how.rpartition(":")[0] not in {"", *_SETS}:
            raise UnknownCondition(how)
        for key, values in keys.items():
            yield how, key.lower(), tuple(many(values))


def _met(condition: tuple[str, str, tuple[str, ...]], known: dict[str, tuple[str, ...]]) -> bool:
    how, key, wanted = condition
    quantity, _, plain = how.rpartition(":")
    if key not in known:
        return quantity == "ForAllValues"
    matches = [any(_OPERATORS[plain](value, one) for one in wanted) for value in known[key]]
    return _SETS.get(quantity, any)(matches)
