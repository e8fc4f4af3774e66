"""Condition keys of DynamoDB's transactions, item by item.

AWS authorizes each item of a transaction as the action that it is, with the partition key that it names. ministack does so with
the keys of all items together, so that a refusal to change one partition would refuse every transaction that puts into it and
changes another.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, Self

LEADING_KEYS = "dynamodb:LeadingKeys"


class ItemAction(str):
    """An action of a transaction's item, which knows the item's partition keys."""

    __slots__ = ("keys",)
    keys: tuple[str, ...]

    @classmethod
    def of(cls, action: str, keys: Iterable[str]) -> Self:
        """The action on an item with these keys."""
        made = cls(action)
        made.keys = tuple(keys)
        return made


def by_item(
    checks: Callable[..., list[tuple[str, str]]], items: Callable[[bytes], Iterable[Iterable[str]]]
) -> Callable[..., list[tuple[str, str]]]:
    """Wrap ministack's list of a transaction's checks; ``items`` gives the keys of each, in the same order."""

    @functools.wraps(checks)
    def wrapper(iam_action: str, body: bytes, region: str, account_id: str) -> list[tuple[str, str]]:
        found = checks(iam_action, body, region, account_id)
        if not found:
            return found
        keys = list(items(body))
        return [(ItemAction.of(action, keys[place]), arn) for place, (action, arn) in enumerate(found)]

    return wrapper


def enforcing_by_item(enforce: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ministack's decision so that an item of a transaction has its own keys and not those of the others."""

    @functools.wraps(enforce)
    def wrapper(access_key: str, iam_action: str, *arguments: Any, **more: Any) -> Any:
        if isinstance(iam_action, ItemAction):
            context = more.get("service_context") or {}
            more["service_context"] = {**context, LEADING_KEYS: list(iam_action.keys)}
        return enforce(access_key, str(iam_action), *arguments, **more)

    return wrapper
