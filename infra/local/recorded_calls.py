"""Every call that a role of the platform makes in the local cloud, as IAM names it, written down once.

The set is compared with what the roles are granted (``tests/privileges``). A transaction counts as the actions of its items, since IAM is
asked item by item. Of a call's condition keys those are kept that some statement of the caller's role names. What ministack does for
a service without asking IAM is recorded where the service acts by a role of ours: state machines, schedules and rules.
What the roles of event source mappings, of logs and of traces do is not to be seen here.
"""
# ruff: noqa: SLF001 -- what is wrapped here is private to ministack; tests notice when it changes

import functools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ministack.services import stepfunctions  # type: ignore[import-untyped]

MOST_CONDITIONS: Final = 50
"""Sets of condition values that are kept of one action on one resource: more of them tell nothing new."""

_ASSUMED: Final = ":assumed-role/"
_TARGET_ACTIONS: Final = {
    "lambda": "lambda:InvokeFunction",
    "states": "states:StartExecution",
    "sqs": "sqs:SendMessage",
    "events": "events:PutEvents",
    "sns": "sns:Publish",
}
"""What a schedule or a rule does to its target, by the target's service."""


@dataclass(frozen=True)
class Call:
    """One action of one role on one resource.

    Args:
        role: the role's name.
        action: of IAM, such as ``dynamodb:PutItem``.
        resource: ARN.
        conditions: values of the condition keys that the role's statements name, by key in lower case.
        allowed: IAM let it pass.
    """

    role: str
    action: str
    resource: str
    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    allowed: bool = True


class Recorder:
    """Writes each call once to a file, as soon as it is made: a stop of the cloud loses none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = set(read_calls(file)) if file.is_file() else set()
        self._kept: dict[tuple[str, str, str], int] = {}
        self._guard = threading.Lock()
        self._of_resource: ContextVar[bool] = ContextVar("of_resource", default=False)

    def note(self, call: Call) -> None:
        """Write ``call`` down, unless it was before."""
        with self._guard:
            place = (call.role, call.action, call.resource)
            if call in self._seen or (call.allowed and self._kept.get(place, 0) >= MOST_CONDITIONS):
                return
            self._seen.add(call)
            self._kept[place] = self._kept.get(place, 0) + 1
            with self._file.open("a") as file:
                file.write(json.dumps(asdict(call)) + "\n")

    def evaluating(self, evaluate: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the evaluation of policies, which every signed request of a role goes through."""

        @functools.wraps(evaluate)
        def wrapper(context: Any, policies: Any, *limits: Any) -> Any:
            result = evaluate(context, policies, *limits)
            if _ASSUMED in context.principal_arn and not self._of_resource.get():
                role = context.principal_arn.partition(_ASSUMED)[2].partition("/")[0]
                known = tuple(_conditions(_keys_named(policies), context.service_context))
                self.note(Call(role, context.action, context.resource_arn, known, result.decision == "Allow"))
            return result

        return wrapper

    def apart_from(self, combine: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap an evaluation of a resource's own policy, which is no grant of the role's: what it lets pass is not noted."""

        @functools.wraps(combine)
        def wrapper(*request: Any, **named: Any) -> Any:
            token = self._of_resource.set(True)
            try:
                return combine(*request, **named)
            finally:
                self._of_resource.reset(token)

        return wrapper

    def calling(self, arguments: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the arguments of a task state: they are made anew for each attempt, right before it."""

        @functools.wraps(arguments)
        def wrapper(state: Mapping[str, Any], raw_input: Any, context: Any) -> Any:
            effective = arguments(state, raw_input, context)
            if state.get("Type") == "Task":
                machine = stepfunctions._state_machines.get(context["StateMachine"]["Id"]) or {}
                self.note(_task_call(_role_name(machine.get("roleArn", "")), state["Resource"], effective))
            return effective

        return wrapper

    def targeting(self, invoke: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the delivery to a target of a rule or schedule: those with a role of their own use it."""

        @functools.wraps(invoke)
        def wrapper(target: Mapping[str, Any], *others: Any, **named: Any) -> Any:
            arn = target.get("Arn", "")
            service = arn.split(":")[2] if arn.count(":") > 1 else arn
            if target.get("RoleArn"):
                self.note(Call(_role_name(target["RoleArn"]), _TARGET_ACTIONS.get(service, f"{service}:?"), arn))
            return invoke(target, *others, **named)

        return wrapper


def read_calls(file: Path) -> list[Call]:
    """The calls in a file that a :class:`Recorder` wrote."""
    return [_call(json.loads(line)) for line in file.read_text().splitlines()]


def _call(written: Mapping[str, Any]) -> Call:
    conditions = tuple((key, tuple(values)) for key, values in written["conditions"])
    return Call(written["role"], written["action"], written["resource"], conditions, written["allowed"])


def _keys_named(policies: Iterable[Iterable[Any]]) -> set[str]:
    """Condition keys that the statements name, in lower case."""
    statements = [statement for policy in policies for statement in policy]
    return {key.lower() for one in statements for block in one.conditions.values() for key in block}


def _conditions(names: set[str], context: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in sorted(names):
        if context.get(name) is not None:
            value = context[name]
            yield name, tuple(str(one) for one in value) if isinstance(value, list | tuple | set) else (str(value),)


def _task_call(role: str, resource: str, arguments: Any) -> Call:
    """What a task does: of other services than these two the resource itself is written, which no grant covers."""
    plain = resource.removesuffix(".waitForTaskToken")
    if plain.endswith(":lambda:invoke"):
        return Call(role, "lambda:InvokeFunction", arguments["FunctionName"])
    if ":states:startExecution" in plain:
        return Call(role, "states:StartExecution", arguments["StateMachineArn"])
    return Call(role, plain, "*")


def _role_name(arn: str) -> str:
    return arn.rpartition("/")[2]
