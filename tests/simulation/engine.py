"""DynamoDB in memory: the service behind the wire, one table or more, atomic and strongly consistent.

It answers requests in their wire form and knows nothing of botocore; :mod:`tests.simulation.client` makes botocore's
answers and exceptions of its own. What it does not know, it refuses loudly with ``NotImplementedError``: a parameter that
is passed over would make a simulation prove nothing. ``test_conformance`` holds it against AWS's DynamoDB Local.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.simulation.dynamodb.actions import Action
from tests.simulation.dynamodb.errors import CONDITION_FAILED, NO_REASON, Refused, cancelled, conflict_reason, invalid
from tests.simulation.dynamodb.reads import Reader, projection, projection_placeholders
from tests.simulation.dynamodb.schema import Key, Schema
from tests.simulation.dynamodb.storage import Change, Show, StoredTable
from tests.simulation.dynamodb.syntax import Scope
from tests.simulation.dynamodb.values import Item, copied_item

PAGE_BYTES: Final = 1024 * 1024
BATCH_KEYS: Final = 100
TRANSACTION_ITEMS: Final = 100
TRANSACTION_BYTES: Final = 4 * 1024 * 1024
_COMMON: Final = frozenset({"TableName", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"})
_PLACEHOLDERS: Final = frozenset({"ExpressionAttributeNames", "ExpressionAttributeValues"})
_CONDITION: Final = _PLACEHOLDERS | {"ConditionExpression", "ReturnValuesOnConditionCheckFailure"}
_READ: Final = _PLACEHOLDERS | {"ConsistentRead", "ProjectionExpression"}
_PAGE: Final = _READ | {"IndexName", "Limit", "ExclusiveStartKey", "FilterExpression", "Select"}
_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "GetItem": _COMMON | _READ | {"Key"},
    "BatchGetItem": _COMMON | {"RequestItems"},
    "TransactGetItems": _COMMON | {"TransactItems"},
    "Get": frozenset({"TableName", "Key"}),
    "Query": _COMMON | _PAGE | {"KeyConditionExpression", "ScanIndexForward"},
    "Scan": _COMMON | _PAGE,
    "PutItem": _COMMON | _CONDITION | {"Item", "ReturnValues"},
    "UpdateItem": _COMMON | _CONDITION | {"Key", "UpdateExpression", "ReturnValues"},
    "DeleteItem": _COMMON | _CONDITION | {"Key", "ReturnValues"},
    "TransactWriteItems": _COMMON | {"TransactItems", "ClientRequestToken"},
    "Put": _COMMON | _CONDITION | {"Item"},
    "Update": _COMMON | _CONDITION | {"Key", "UpdateExpression"},
    "Delete": _COMMON | _CONDITION | {"Key"},
    "ConditionCheck": _COMMON | _CONDITION | {"Key"},
    "CreateTable": _COMMON
    | {"KeySchema", "AttributeDefinitions", "LocalSecondaryIndexes", "GlobalSecondaryIndexes", "BillingMode"},
}


@dataclass(slots=True, eq=False)
class SlowCommit:
    """A transaction whose writes become visible one after the other."""

    last_change: int = 0
    """The number of its last change, once that is visible."""


class MemoryDynamoDb:
    """The service. Tables are made by CreateTable requests, so that they are declared as on any other engine.

    Args:
        page_bytes: what a page of Query or Scan holds; a small number makes small tables page as large ones do.
        index_lag: the last so many writes may be missing from global indexes, until :meth:`settle`.
        show: of the changes of one item that a global index lacks, how many a read sees all the same.
        author: whose request is being answered.
    """

    def __init__(
        self,
        *,
        page_bytes: int = PAGE_BYTES,
        index_lag: int = 0,
        show: Show = lambda missing: missing,
        author: Callable[[], str] = str,
    ) -> None:
        self.changes: list[Change] = []
        """Every write that changed something, with the item before and after it: what the table's stream would carry."""
        self.in_progress: set[str] = set()
        """Tokens of transactions that the service has taken and not decided yet."""
        self._tables: dict[str, StoredTable] = {}
        self.slow_commits: list[SlowCommit] = []
        """Those that are becoming visible at this moment."""
        self.slowly_changed: dict[int, SlowCommit] = {}
        """Of which of them each of their changes was, by its number."""
        self._held: set[tuple[str, Key]] = set()
        self._tokens: dict[str, Sequence[Any]] = {}
        self._page_bytes = page_bytes
        self._index_lag = index_lag
        self._show = show
        self._author = author
        self._operations: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "GetItem": self._get,
            "BatchGetItem": self._batch_get,
            "TransactGetItems": self._transact_get,
            "Query": lambda request: Reader(self._table(request), request, self._page_bytes).query(),
            "Scan": lambda request: Reader(self._table(request), request, self._page_bytes).scan(),
            "PutItem": lambda request: self._write("Put", request),
            "UpdateItem": lambda request: self._write("Update", request),
            "DeleteItem": lambda request: self._write("Delete", request),
            "TransactWriteItems": self._transact,
            "CreateTable": self._create,
        }

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request; it shares nothing with what is stored.

        Raises:
            Refused: the service's error answer.
        """
        if operation not in self._operations:
            raise NotImplementedError(operation)
        _require_known(operation, request)
        return self._operations[operation](request)

    @property
    def held(self) -> frozenset[tuple[str, Key]]:
        """Table and key of each item that a slow commit holds at this moment."""
        return frozenset(self._held)

    def clear(self) -> None:
        """Empties every table, and forgets what was ever written to any."""
        self._tables = {name: self._stored(table.schema) for name, table in self._tables.items()}
        self.changes.clear()
        self.slowly_changed.clear()
        self._tokens.clear()

    def settle(self) -> None:
        """Global indexes catch up with their tables."""
        for table in self._tables.values():
            for index in table.indexes.values():
                index.settle(len(self.changes))

    def commit_slowly(self, request: Mapping[str, Any], order: Callable[[list[Action]], None]) -> Iterator[None]:
        """A TransactWriteItems that takes its time: what it writes becomes visible item by item, as in DynamoDB.

        Yields after each item but the last. In between, reads see what is written so far, and who would write one of
        the items meets a conflict. ``order`` puts the writes into the order in which they become visible.

        Raises:
            Refused: as :meth:`call`, before anything is written.
        """
        _require_known("TransactWriteItems", request)
        actions = [] if self._repeated(request) else self._prepared(request, frozenset())
        self._remember(request)
        held, commit = {action.target for action in actions}, SlowCommit()
        self._held |= held
        self.slow_commits.append(commit)
        order(actions)
        try:
            for place, action in enumerate(actions):
                before = len(self.changes)
                self._apply(action)
                self.slowly_changed |= dict.fromkeys(range(before + 1, len(self.changes) + 1), commit)
                if place + 1 < len(actions):
                    yield
        finally:
            self._held -= held
            self.slow_commits.remove(commit)
            commit.last_change = len(self.changes)

    def transact(self, request: Mapping[str, Any], conflicts: frozenset[int]) -> dict[str, Any]:
        """A TransactWriteItems that meets another transaction at these of its places."""
        _require_known("TransactWriteItems", request)
        if not self._repeated(request):
            actions = self._prepared(request, conflicts)
            self._remember(request)
            for action in actions:
                self._apply(action)
        return {}

    def _transact(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.transact(request, frozenset())

    def _repeated(self, request: Mapping[str, Any]) -> bool:
        """Whether the transaction with this token was written before; it is not written again."""
        token = request.get("ClientRequestToken")
        if token in self.in_progress:
            raise Refused("TransactionInProgressException", "Transaction is in progress")
        if token not in self._tokens:
            return False
        if self._tokens[token] != request["TransactItems"]:
            raise Refused("IdempotentParameterMismatchException", "")
        return True

    def _remember(self, request: Mapping[str, Any]) -> None:
        if (token := request.get("ClientRequestToken")) is not None:
            self._tokens[token] = request["TransactItems"]

    def _prepared(self, request: Mapping[str, Any], conflicts: frozenset[int]) -> list[Action]:
        """The transaction's actions, after all of their conditions were found to hold."""
        actions = [self._action_of(member) for member in request["TransactItems"]]
        if not 0 < len(actions) <= TRANSACTION_ITEMS:
            raise invalid(f"Member must have length less than or equal to {TRANSACTION_ITEMS}")
        if len({action.target for action in actions}) < len(actions):
            raise invalid("Transaction request cannot include multiple operations on one item")
        if sum(action.payload for action in actions) > TRANSACTION_BYTES:
            raise invalid("Transaction payload size cannot exceed 4MB")
        reasons = [self._reason(action, conflict=place in conflicts) for place, action in enumerate(actions)]
        if any(reason is not NO_REASON for reason in reasons):
            raise cancelled(reasons)
        return actions

    def _action_of(self, member: Mapping[str, Mapping[str, Any]]) -> Action:
        if len(member) != 1:
            raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, request),) = member.items()
        _require_known(kind, request)
        return Action(kind, request, self._table(request))

    def _reason(self, action: Action, *, conflict: bool) -> Mapping[str, Any]:
        """Why the action cannot be part of its transaction, as a cancellation reason."""
        if conflict or action.target in self._held:
            return conflict_reason()
        try:
            if action.decide():
                return NO_REASON
        except Refused as refusal:
            return {"Code": "ValidationError", "Message": refusal.message}
        return {"Code": CONDITION_FAILED, "Message": "The conditional request failed", **action.shown()}

    def _write(self, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
        action = Action(kind, request, self._table(request))
        if action.target in self._held:
            raise Refused("TransactionConflictException", "Transaction is ongoing for the item")
        if not action.decide():
            message = "The conditional request failed"
            raise Refused("ConditionalCheckFailedException", message, members=action.shown())
        self._apply(action)
        return action.returned()

    def _apply(self, action: Action) -> None:
        if action.writes and action.before != action.after:
            number = len(self.changes) + 1
            change = Change(number, action.table.schema.table, action.key, action.before, action.after, self._author())
            self.changes.append(change)
            action.table.apply(change)

    def _table(self, request: Mapping[str, Any]) -> StoredTable:
        table = self._tables.get(request["TableName"])
        if table is None:
            raise Refused("ResourceNotFoundException", "Cannot do operations on a non-existent table")
        return table

    def _create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        schema = Schema.of_request(request)
        if schema.table in self._tables:
            raise Refused("ResourceInUseException", "Cannot create preexisting table")
        self._tables[schema.table] = self._stored(schema)
        return {"TableDescription": {"TableName": schema.table, "TableStatus": "ACTIVE"}}

    def _stored(self, schema: Schema) -> StoredTable:
        return StoredTable(schema, lag=self._index_lag, show=self._show)

    def _get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        table, scope = self._table(request), Scope(request)
        scope.require_used(projection_placeholders(request))
        item = table.get(table.schema.key(request["Key"]))
        return {} if item is None else {"Item": projection(item, request, scope)}

    def _batch_get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, list[Item]] = {}
        for name, wanted in request["RequestItems"].items():
            table = self._table({"TableName": name})
            if wanted.keys() - {"Keys", "ConsistentRead"}:
                raise NotImplementedError(f"BatchGetItem with {', '.join(wanted)}")
            keys = [table.schema.key(key) for key in wanted["Keys"]]
            if not 0 < len(keys) <= BATCH_KEYS:
                raise invalid("Too many items requested for the BatchGetItem call")
            if len(set(keys)) < len(keys):
                raise invalid("Provided list of item keys contains duplicates")
            found[name] = [copied_item(item) for key in keys if (item := table.get(key)) is not None]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _transact_get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """All of one moment, or none of them while a transaction writes one."""
        wanted: list[tuple[StoredTable, Key]] = []
        for member in request["TransactItems"]:
            get = member["Get"]
            _require_known("Get", get)
            table = self._table(get)
            wanted.append((table, table.schema.key(get["Key"])))
        if not 0 < len(wanted) <= TRANSACTION_ITEMS:
            raise invalid(f"Member must have length less than or equal to {TRANSACTION_ITEMS}")
        if len({(table.schema.table, key) for table, key in wanted}) < len(wanted):
            raise invalid("Transaction request cannot include multiple operations on one item")
        held = [(table.schema.table, key) in self._held for table, key in wanted]
        if any(held):
            raise cancelled([conflict_reason() if conflict else NO_REASON for conflict in held])
        items = [table.get(key) for table, key in wanted]
        return {"Responses": [{} if item is None else {"Item": copied_item(item)} for item in items]}


def _require_known(operation: str, request: Mapping[str, Any]) -> None:
    if unknown := request.keys() - _KNOWN[operation]:
        raise NotImplementedError(f"{operation} with {', '.join(sorted(unknown))}")
