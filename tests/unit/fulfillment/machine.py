"""Runs the state machine's own definition, as far as it is written in: whatever else appears there fails the test."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.fulfillment import definition

INPUT = re.compile(r"\{% \$states\.context\.Execution\.Input\.(\w+) %\}")
STATUS = re.compile(r"\{% \$states\.input\.status = '(\w+)' %\}")
MAX_STATES = 400
_EVENTS = {"Task": 6, "Wait": 2, "Choice": 2, "Succeed": 2, "Fail": 2}
"""Of a state, at most: a task is entered, scheduled, started, submitted where it waits for a token, succeeds, is left."""
TOKEN = "{% $states.context.Task.Token %}"

Data = dict[str, Any]


@dataclass
class Execution:
    """How an execution ended, and the states that it went through."""

    succeeded: bool
    error: str | None
    trail: list[str] = field(default_factory=list)
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def way(self) -> list[str]:
        """The trail without what only branches."""
        return [name for name in self.trail if name != "Decide"]

    @property
    def events(self) -> int:
        """Of the execution's history, of which Step Functions keeps 25,000; repeated attempts of a task aside."""
        return 2 + sum(_EVENTS[self.kinds[name]] for name in self.trail)


class Machine:
    """One execution at a time; waits take no time of ours.

    Args:
        worker: the function. What it raises fails the task under the error's bare name, as Lambda reports it.
        waits: called at each wait with its seconds, in which late answers arrive.
        woken: called where the machine waits with a token: the answer that somebody gave it, or None, and the time is over.
    """

    def __init__(
        self,
        worker: Callable[[Mapping[str, str]], Data],
        waits: Callable[[int], None] = lambda _: None,
        woken: Callable[[str], Data | None] = lambda _: None,
    ) -> None:
        machine = definition(settle_seconds=1)
        self._states, self._start = machine["States"], machine["StartAt"]
        self._worker = worker
        self._waits = waits
        self._woken = woken
        self._tokens = 0
        self.fatal: tuple[type[BaseException], ...] = ()
        """What ends the execution itself, whatever it would do about it."""

    def run(self, request: Mapping[str, str]) -> Execution:
        kinds = {name: state["Type"] for name, state in self._states.items()}
        run, name, data = Execution(succeeded=False, error=None, kinds=kinds), self._start, dict(request)
        while len(run.trail) < MAX_STATES:
            run.trail.append(name)
            state = self._states[name]
            match state["Type"]:
                case "Task":
                    name, data = self._task(state, request, data)
                case "Wait":
                    self._waits(int(_evaluated(state["Seconds"], request, data, "")))
                    name = state["Next"]
                case "Choice":
                    name = _choice(state, data)
                case "Succeed":
                    run.succeeded = True
                    return run
                case "Fail":
                    run.error = state["Error"]
                    return run
                case other:
                    raise AssertionError(f"this machine cannot run a {other}")
        raise AssertionError(f"no end in sight: {run.trail[-40:]}")

    def _task(self, state: Mapping[str, Any], request: Mapping[str, str], data: Data) -> tuple[str, Data]:
        waiting = state["Resource"].endswith(".waitForTaskToken")
        assert state["Output"] == ("{% $states.result %}" if waiting else "{% $states.result.Payload %}")
        tries = [0] * len(state["Retry"])
        while True:
            self._tokens += 1
            token = f"token-{self._tokens}"
            payload = {
                key: _evaluated(value, request, data, token) for key, value in state["Arguments"]["Payload"].items()
            }
            try:
                return state["Next"], self._tried(state, payload, data, token, waiting=waiting)
            except BaseException as error:
                if isinstance(error, (AssertionError, KeyboardInterrupt, *self.fatal)):
                    raise
                name = "States.Timeout" if isinstance(error, _TimeIsOver) else type(error).__name__
            retry = _matching(state["Retry"], name)
            if retry is not None and tries[retry] < state["Retry"][retry]["MaxAttempts"]:
                tries[retry] += 1
                continue
            catch = _matching(state["Catch"], name)
            assert catch is not None, f"nobody catches {name}"
            rule = state["Catch"][catch]
            return rule["Next"], dict(rule.get("Output", {"Error": name}))

    def _tried(
        self, state: Mapping[str, Any], payload: Mapping[str, str], data: Data, token: str, *, waiting: bool
    ) -> Data:
        answer = self._worker(payload)
        if not waiting:
            return answer
        woken = self._woken(token)
        if woken is None:
            self._waits(int(_evaluated(state["TimeoutSeconds"], {}, data, "")))
            raise _TimeIsOver
        return woken


class _TimeIsOver(Exception):
    """As Step Functions reports a task that nobody answered."""


def _matching(rules: list[dict[str, Any]], error: str) -> int | None:
    for place, rule in enumerate(rules):
        if error in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]:
            return place
    return None


def _choice(state: Mapping[str, Any], data: Data) -> str:
    for choice in state["Choices"]:
        condition = STATUS.fullmatch(choice["Condition"])
        assert condition is not None, choice
        if data["status"] == condition[1]:
            return str(choice["Next"])
    return str(state["Default"])


def _evaluated(value: str, request: Mapping[str, str], data: Data, token: str) -> str:
    if value == TOKEN:
        return token
    if value == "{% $states.input.wait %}":
        return str(data["wait"])
    if value == "{% $states.input.Error %}":
        return str(data["Error"])
    expression = INPUT.fullmatch(value)
    assert expression is not None or "{%" not in value, value
    return value if expression is None else request[expression[1]]
