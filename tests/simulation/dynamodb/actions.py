"""One write, alone or in a transaction: its condition, and the item after it."""

from collections.abc import Mapping
from typing import Any

from tests.simulation.dynamodb.conditions import parse_condition
from tests.simulation.dynamodb.predicates import Condition
from tests.simulation.dynamodb.schema import Key
from tests.simulation.dynamodb.storage import StoredTable
from tests.simulation.dynamodb.syntax import Scope
from tests.simulation.dynamodb.updates import Update, parse_update
from tests.simulation.dynamodb.values import Item, copied_item, normal_item


class Action:
    """A Put, Update, Delete or ConditionCheck; making one checks the request as far as the stored item does not matter.

    ``before`` and ``after`` are the item on either side of the write, once :meth:`decide` has said that it may be made;
    ``payload`` is what it counts towards the limit of a transaction.
    """

    def __init__(self, kind: str, request: Mapping[str, Any], table: StoredTable) -> None:
        self.table = table
        self.before: Item | None = None
        self.after: Item | None = None
        self.payload = 0
        self._item: Item | None = None
        self.writes = kind != "ConditionCheck"
        self._request = request
        self._update: Update | None = None
        self._scope = Scope(request)
        if kind == "Put":
            self._item = normal_item(request["Item"])
            self.key: Key = table.schema.key_of(self._item)
            self.payload = table.schema.check_item(self._item)
        else:
            self.key = table.schema.key(request["Key"])
        placeholders: frozenset[str] = frozenset()
        if kind == "Update":
            self._update = parse_update(request["UpdateExpression"]) if "UpdateExpression" in request else Update()
            placeholders = self._update.placeholders
        self._condition: Condition | None = None
        if "ConditionExpression" in request:
            parsed = parse_condition(request["ConditionExpression"])
            self._condition = parsed.condition
            placeholders |= parsed.placeholders
        self._scope.require_used(placeholders)
        if self._condition is not None:
            self._condition.check(self._scope)
        if self._update is not None:
            self._update.check(self._scope, table.schema.keys)

    @property
    def target(self) -> tuple[str, Key]:
        """Which item it is about."""
        return self.table.schema.table, self.key

    def decide(self) -> bool:
        """Whether the condition holds for the stored item; if so, sets ``before`` and ``after``.

        Raises:
            Refused: the update cannot be made to the stored item.
        """
        self.before = self.table.get(self.key)
        if self._condition is not None and not self._condition.holds(self.before or {}, self._scope):
            return False
        if self._update is None:
            self.after = self._item
        else:
            start = normal_item(self._request["Key"]) if self.before is None else self.before
            self.after = self._update.applied(start, self._scope)
            self.table.schema.check_item(self.after)
        return True

    def shown(self) -> dict[str, Item]:
        """The stored item, where the request asks for it in case of a refusal and there is one."""
        wanted = self._request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return {"Item": copied_item(self.before)} if wanted and self.before is not None else {}

    def returned(self) -> dict[str, Item]:
        """What a single write answers."""
        wanted = self._request.get("ReturnValues", "NONE")
        if wanted == "NONE":
            return {}
        if wanted not in {"ALL_OLD", "ALL_NEW"}:
            raise NotImplementedError(f"ReturnValues {wanted}")
        item = self.before if wanted == "ALL_OLD" else self.after
        return {} if item is None else {"Attributes": copied_item(item)}
