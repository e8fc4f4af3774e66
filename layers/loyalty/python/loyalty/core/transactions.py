"""Transactions as pynamodb sends them: which operation a refusal is about, and what DynamoDB says by it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactGetError, TransactWriteError

from loyalty.core.operations import Delete, Operation, Put, RawItem, TransactionRefused, Update
from loyalty_contract import PARTITION_KEY, SORT_KEY

_GROUPS: Final = ("check", "delete", "put", "update")
"""In this order pynamodb sends the operations of a transaction."""


def transact(connection: Connection, table: str, operations: Sequence[Operation]) -> None:
    """One TransactWriteItems, all or nothing.

    Raises:
        TransactionRefused: a condition did not hold, or another transaction was in the way.
    """
    order: dict[str, list[int]] = {group: [] for group in _GROUPS}
    requests: dict[str, list[dict[str, Any]]] = {group: [] for group in _GROUPS}
    for place, operation in enumerate(operations):
        group, request = _request(connection, table, operation)
        order[group].append(place)
        requests[group].append(request)
    try:
        checks, deletes, puts, updates = (requests[group] for group in _GROUPS)
        connection.transact_write_items(checks, deletes, puts, updates)
    except TransactWriteError as error:
        # The reasons come back in the order in which pynamodb sends, not in the caller's.
        places = [place for group in _GROUPS for place in order[group]]
        refusal = _refusal(error, places)
        if refusal is None:
            raise  # with botocore's error, which says why, still in its context
        raise refusal from error


def read_together(
    connection: Connection, table: str, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], RawItem]:
    """One TransactGetItems: the items that exist, as they were at one moment, by (pk, sk).

    Raises:
        TransactionRefused: a transaction is writing one of them at the moment.
    """
    wanted = [{"TableName": table, "Key": {PARTITION_KEY: {"S": pk}, SORT_KEY: {"S": sk}}} for pk, sk in keys]
    try:
        answer = connection.transact_get_items(wanted)
    except TransactGetError as error:
        codes = [reason["Code"] for reason in _response(error).get("CancellationReasons", [])]
        if "TransactionConflict" not in codes:
            raise
        raise TransactionRefused({}, codes, contended=True) from error
    return {key: found["Item"] for key, found in zip(keys, answer["Responses"], strict=True) if found.get("Item")}


def _request(connection: Connection, table: str, operation: Operation) -> tuple[str, dict[str, Any]]:
    condition = operation.condition
    if isinstance(operation, Put):
        group, item = "put", operation.item
        request = connection.get_operation_kwargs(
            table, item.pk, item.sk, key="Item", attributes=item.serialize(), condition=condition
        )
    elif isinstance(operation, Update):
        group = "update"
        request = connection.get_operation_kwargs(
            table, operation.pk, operation.sk, actions=list(operation.actions), condition=condition
        )
    else:
        group = "delete" if isinstance(operation, Delete) else "check"
        request = connection.get_operation_kwargs(table, operation.pk, operation.sk, condition=condition)
    if condition is not None:
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return group, request


def error_code(error: PynamoDBException) -> str | None:
    """DynamoDB's code of an error that pynamodb raised, or None where no answer came.

    Not ``error.cause_response_code``: a lost connection has a response, which is None, and pynamodb trips over it.
    """
    code: str | None = _response(error).get("Error", {}).get("Code")
    return code


def _response(error: PynamoDBException) -> Mapping[str, Any]:
    response: Mapping[str, Any] = getattr(error.cause, "response", None) or {}
    return response


def _refusal(error: TransactWriteError, places: Sequence[int]) -> TransactionRefused | None:
    """The refusal that the error is, or None where it is something else: throttling, a lost connection, a bad request."""
    reasons = list(error.cancellation_reasons)
    if error_code(error) == "TransactionInProgressException":
        return TransactionRefused({}, ["TransactionInProgress"], contended=True)
    if not reasons:
        return None
    codes = [reason.code for reason in reasons if reason is not None]
    if not set(codes) <= {"ConditionalCheckFailed", "TransactionConflict"}:
        return None
    failed: dict[int, RawItem | None] = {
        place: (reason.raw_item or None)
        for place, reason in zip(places, reasons, strict=True)
        if reason is not None and reason.code == "ConditionalCheckFailed"
    }
    return TransactionRefused(failed, codes, contended="TransactionConflict" in codes)
