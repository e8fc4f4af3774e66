"""What ministack gets wrong that the platform depends on, put right around it.

Each patch wraps a function of ministack and changes only what it returns or its defaults; nothing of
ministack is copied. The patches are made for one version: ``apply`` refuses any other, so that an
upgrade is a decision and not an accident. Tests check that each patch is still needed and still right.

- **Error names.** ministack names every exception of a handler ``Runtime.HandlerError``; AWS reports
  the class's bare name, which Step Functions' Retry and Catch match.
- **Raising.** ministack ends the process of a handler that raises, and the next event waits for another (``raised_errors``).
- **Waiting for stderr.** ministack waits 50 ms for a line that most handlers never write.
- **Condition keys.** ministack sets neither ``dynamodb:LeadingKeys`` nor ``kms:EncryptionContext:*``, so
  that an Allow under such a condition would deny everything; of a transaction each item has its own (``transaction_keys``).
- **Secure transport.** The loopback interface carries no TLS, so that policies which deny plain HTTP
  (``aws:SecureTransport``) would deny everything. A request from loopback counts as secure.
- **Layers.** ministack unpacks every layer for every worker; here once (``shared_layers``).
- **Waiting for a token.** ministack takes a JSONata ``TimeoutSeconds`` for a number, and waits for the token although
  the function that was to hand it on has failed. It asks IAM whether a token may be answered for every resource, where
  AWS asks for the token's state machine (``task_tokens``).
- **Authorizers.** ministack does not know what a request is where it looks for a verdict that it keeps, and drops the key
  by which an authorizer has it counted (``authorizers``).
- **Secrets of clients.** ministack keeps one, where Cognito keeps two (``client_secrets``).
- **Streams over a stop.** ministack keeps how far a stream was read, and not the stream (``kept_state``).
- **What roles do.** Nothing is changed: each call is written down, to be compared with what is granted (``recorded_calls``).
- **Concurrency.** ministack starts one interpreter for every request in flight; a laptop has a few
  cores. Invocations beyond the bound wait for their turn instead of being throttled.
"""
# ruff: noqa: SLF001 -- what is wrapped here is private to ministack; tests notice when it changes

import functools
import ipaddress
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from ministack import app  # type: ignore[import-untyped]
from ministack.core import iam_actions, iam_evaluator, lambda_runtime  # type: ignore[import-untyped]
from ministack.services import dynamodb, eventbridge, lambda_svc, stepfunctions  # type: ignore[import-untyped]

from infra.local import authorizers, client_secrets, raised_errors
from infra.local.kept_state import keep, restore_streams, save_streams, within_streams
from infra.local.recorded_calls import Recorder
from infra.local.shared_layers import SharedLayers
from infra.local.task_tokens import TokenOwners
from infra.local.transaction_keys import by_item, enforcing_by_item

MINISTACK_VERSION: Final = "1.5.33"

UNNAMED_ERROR: Final = "Runtime.HandlerError"
"""The ``errorType`` that ministack reports for every exception of a handler."""

FIRST_LINE_WAIT: Final = 0.002
"""Seconds to wait for the first line on stderr of a handler that wrote none (ministack: 0.05)."""

IDLE_CONFIRM: Final = 0.002
"""Seconds of silence after which a handler's stderr counts as complete (ministack: 0.005)."""

_EXCEPTION_LINE = re.compile(r"^(?P<name>[A-Za-z_][\w.<>]*)(?::(?:\s|$)|$)", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last):"
_TRANSACT_MEMBERS = ("Put", "Update", "Delete", "ConditionCheck", "Get")


class UnsupportedMinistackVersion(RuntimeError):
    """The installed ministack is not the one that the patches were made for."""


def apply(max_concurrency: int, layers: Path, calls: Path) -> None:
    """Wrap the loaded ministack; call it once, before the server starts.

    Args:
        max_concurrency: how many invocations of one function run at the same time.
        layers: folder that Lambda layers are unpacked to.
        calls: file that the calls of roles are written to.

    Raises:
        UnsupportedMinistackVersion: another ministack is installed than ``MINISTACK_VERSION``.
    """
    installed = metadata.version("ministack")
    if installed != MINISTACK_VERSION:
        raise UnsupportedMinistackVersion(
            f"ministack {installed} is installed; the patches are made for {MINISTACK_VERSION}"
        )
    lambda_svc._execute_function_warm = bounded(named_errors(lambda_svc._execute_function_warm), max_concurrency)
    shared = SharedLayers(layers)
    lambda_svc._resolve_layer_zip = shared.resolving(lambda_svc._resolve_layer_zip)
    lambda_runtime.Worker._spawn = shared.while_starting(lambda_runtime.Worker._spawn)
    lambda_runtime._PYTHON_WORKER_SCRIPT = raised_errors.telling_apart(lambda_runtime._PYTHON_WORKER_SCRIPT)
    lambda_runtime.Worker.invoke = raised_errors.as_errors(lambda_runtime.Worker.invoke)
    lambda_runtime.Worker._drain_stderr_bounded = hasty_drain(lambda_runtime.Worker._drain_stderr_bounded)
    # The router imports these two by name for each request, so that wrapping them in their module is enough.
    iam_actions.dynamodb_service_context = with_leading_keys(iam_actions.dynamodb_service_context)
    iam_actions.dynamodb_transaction_checks = by_item(iam_actions.dynamodb_transaction_checks, transacted_keys)
    iam_evaluator.enforce = enforcing_by_item(iam_evaluator.enforce)
    iam_actions.request_tag_context = with_encryption_context(iam_actions.request_tag_context)
    owners = TokenOwners()
    stepfunctions._execute_task = owners.remembering(with_evaluated_timeout(stepfunctions._execute_task))
    iam_actions.extract_resource_arn = owners.naming(iam_actions.extract_resource_arn)
    stepfunctions._call_lambda = failing_its_token(stepfunctions._call_lambda)
    authorizers.patch()
    client_secrets.patch()
    app.pin_request_origin = secure_on_loopback(app.pin_request_origin)
    recorder = Recorder(calls)
    iam_evaluator.evaluate = recorder.evaluating(iam_evaluator.evaluate)
    iam_evaluator.combine_resource_policy = recorder.apart_from(iam_evaluator.combine_resource_policy)
    iam_evaluator.evaluate_resource_policy = recorder.apart_from(iam_evaluator.evaluate_resource_policy)
    stepfunctions._apply_jsonata_arguments = recorder.calling(stepfunctions._apply_jsonata_arguments)
    eventbridge._invoke_target = recorder.targeting(eventbridge._invoke_target)
    keep(stepfunctions, "loyalty_task_tokens", owners.known, owners.learn)
    keep(dynamodb, "loyalty_streams", save_streams, restore_streams)
    app._load_persisted_state = within_streams(app._load_persisted_state)


def named_errors(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Wrap an executor so that a handler's exception carries its class name as ``errorType``."""

    @functools.wraps(execute)
    def wrapper(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result = execute(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == UNNAMED_ERROR:
            name = exception_name(result.get("log", ""), body.get("errorMessage", ""))
            if name:
                result["body"] = {**body, "errorType": name}
        return result

    return wrapper


def exception_name(log: str, message: str) -> str | None:
    """The bare class name of the exception whose traceback ends a handler's log, or None without one.

    A traceback ends in ``module.Class: message`` where the message may span lines and look like
    anything, so the known message is cut off the end before the name is read.
    """
    start = log.rfind(_TRACEBACK)
    if start < 0:
        return None
    text = log[start + len(_TRACEBACK) :].rstrip("\n")
    if message and text.endswith(f": {message}"):
        text = text[: -len(message)].rstrip()
    names = [match["name"] for match in _EXCEPTION_LINE.finditer(text)]
    return names[-1].rpartition(".")[2] if names else None


def hasty_drain(drain: Callable[..., str]) -> Callable[..., str]:
    """Wrap the stderr drain with defaults that do not hold up a silent handler."""

    @functools.wraps(drain)
    def wrapper(
        self: Any, first_line_wait: float = FIRST_LINE_WAIT, idle_confirm: float = IDLE_CONFIRM, hard_cap: float = 0.25
    ) -> str:
        return drain(self, first_line_wait=first_line_wait, idle_confirm=idle_confirm, hard_cap=hard_cap)

    return wrapper


def secure_on_loopback(pin: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    """Wrap the note of a request's origin so that one from the loopback interface counts as sent over TLS."""

    @functools.wraps(pin)
    def wrapper(source_ip: str, secure_transport: bool) -> None:  # noqa: FBT001 -- the wrapped signature
        pin(source_ip, secure_transport or ipaddress.ip_address(source_ip).is_loopback)

    return wrapper


def with_evaluated_timeout(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a task state so that an expression in its ``TimeoutSeconds`` is evaluated before the task begins."""

    @functools.wraps(execute)
    def wrapper(state: dict[str, Any], raw_input: Any, execution: Any, context: Any) -> Any:
        timeout = state.get("TimeoutSeconds")
        if isinstance(timeout, str):
            seconds = stepfunctions._apply_jsonata_template(timeout, raw_input, context)
            state = {**state, "TimeoutSeconds": float(seconds)}
        return execute(state, raw_input, execution, context)

    return wrapper


def failing_its_token(call: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the invocation of a function so that its error also ends the wait for the token that it was given."""

    @functools.wraps(call)
    def wrapper(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as error:
            token = event.get("token") if isinstance(event, dict) else None
            waiting = stepfunctions._task_tokens.get(token) if token else None
            if waiting is not None:
                waiting["error"] = {"Error": error.error, "Cause": error.cause}
                waiting["event"].set()
            raise

    return wrapper


def bounded(execute: Callable[..., dict[str, Any]], max_concurrency: int) -> Callable[..., dict[str, Any]]:
    """Wrap an executor so that at most ``max_concurrency`` invocations of one function run at a time."""
    turns: dict[str, threading.BoundedSemaphore] = {}
    guard = threading.Lock()

    @functools.wraps(execute)
    def wrapper(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        name = (func.get("config") or func).get("FunctionName", "")
        with guard:
            turn = turns.setdefault(name, threading.BoundedSemaphore(max_concurrency))
        with turn:
            return execute(func, event, request_id)

    return wrapper


def with_leading_keys(context: Callable[[bytes], dict[str, Any]]) -> Callable[[bytes], dict[str, Any]]:
    """Wrap DynamoDB's condition keys so that ``dynamodb:LeadingKeys`` holds the partition keys named.

    Of a transaction all; see :mod:`infra.local.transaction_keys` for those of one item.
    """

    @functools.wraps(context)
    def wrapper(body: bytes) -> dict[str, Any]:
        found = context(body)
        keys = sorted(set(leading_keys(_json_object(body))))
        return {**found, "dynamodb:LeadingKeys": keys} if keys else found

    return wrapper


def leading_keys(request: Mapping[str, Any]) -> Iterator[str]:
    """Every partition-key value that a DynamoDB request names, in the order of the request."""
    name = _partition_key(request.get("TableName"), request.get("IndexName"))
    for member in ("Key", "Item", "ExclusiveStartKey"):
        yield from _key_value(request.get(member), name)
    yield from _queried_key(request, name)
    for table, wanted in (request.get("RequestItems") or {}).items():
        table_key = _partition_key(table, None)
        for key in (wanted.get("Keys") or []) if isinstance(wanted, dict) else []:
            yield from _key_value(key, table_key)
        for write in wanted if isinstance(wanted, list) else []:
            yield from _key_value((write.get("PutRequest") or {}).get("Item"), table_key)
            yield from _key_value((write.get("DeleteRequest") or {}).get("Key"), table_key)
    for item in request.get("TransactItems") or []:
        for member in _TRANSACT_MEMBERS:
            if isinstance(item.get(member), dict):
                yield from leading_keys(item[member])


def transacted_keys(body: bytes) -> Iterator[list[str]]:
    """The partition keys of each item of a transaction that ministack checks, in its order."""
    for item in _json_object(body).get("TransactItems") or []:
        for member in _TRANSACT_MEMBERS if isinstance(item, dict) else ():
            detail = item.get(member)
            if isinstance(detail, dict) and isinstance(detail.get("TableName"), str) and detail["TableName"]:
                yield list(leading_keys(detail))


def _queried_key(request: Mapping[str, Any], name: str | None) -> Iterator[str]:
    expression = request.get("KeyConditionExpression")
    values = request.get("ExpressionAttributeValues") or {}
    if not isinstance(expression, str) or name is None:
        return
    names = request.get("ExpressionAttributeNames") or {}
    for left, right in re.findall(r"([#\w.]+)\s*=\s*(:\w+)", expression):
        if names.get(left, left) == name:
            yield from _key_value({name: values.get(right)}, name)


def _partition_key(table: Any, index: Any) -> str | None:
    if not isinstance(table, str):
        return None
    found = dynamodb._tables.get(dynamodb._normalize_table_name(table)) or {}
    if not isinstance(index, str):
        return found.get("pk_name") or _hash_of(found.get("KeySchema"))
    indexes = [*(found.get("LocalSecondaryIndexes") or []), *(found.get("GlobalSecondaryIndexes") or [])]
    return next((_hash_of(each.get("KeySchema")) for each in indexes if each.get("IndexName") == index), None)


def _hash_of(schema: Any) -> str | None:
    return next((each["AttributeName"] for each in schema or [] if each.get("KeyType") == "HASH"), None)


def _key_value(attributes: Any, name: str | None) -> Iterator[str]:
    if isinstance(attributes, dict) and name is not None and isinstance(attributes.get(name), dict):
        yield from (str(value) for value in attributes[name].values())


def with_encryption_context(context: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Wrap the condition keys of a request so that KMS requests carry their encryption context."""

    @functools.wraps(context)
    def wrapper(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found = context(service, iam_action, body, params)
        if service != "kms":
            return found
        given = _json_object(body).get("EncryptionContext")
        if not isinstance(given, dict) or not given:
            return found
        pairs = {f"kms:EncryptionContext:{key}": value for key, value in given.items()}
        return {**found, **pairs, "kms:EncryptionContextKeys": list(given)}

    return wrapper


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
