"""Runs the state machine's own definition, as far as it is written in: whatever else appears there fails the test."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.fulfillment import definition

INPUT = re.compile(r"\{% \$states\.context\.Execution\.Input\.(\w+) %\}")
CONDITION = re.compile(r"\{% \$states\.input\.status = '(\w+)' %\}")
MAX_STATES = 200


@dataclass
class Run:
    """How an execution ended, and the states that it went through."""

    succeeded: bool
    error: str | None
    trail: list[str] = field(default_factory=list)


class Machine:
    """One execution at a time; waits take no time.

    Args:
        worker: the function. What it raises fails the task under the error's bare name, as Lambda reports it.
        settled: called at each Wait, while which late answers arrive.
    """

    def __init__(
        self, worker: Callable[[Mapping[str, str]], dict[str, str]], settled: Callable[[], None] = lambda: None
    ) -> None:
        self._states = definition(settle_seconds=1)["States"]
        self._start = definition(settle_seconds=1)["StartAt"]
        self._worker = worker
        self._settled = settled

    def run(self, request: Mapping[str, str]) -> Run:
        run, name, data = Run(succeeded=False, error=None), self._start, dict(request)
        while len(run.trail) < MAX_STATES:
            run.trail.append(name)
            state = self._states[name]
            match state["Type"]:
                case "Task":
                    name, data = self._task(state, request)
                case "Wait":
                    self._settled()
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
        raise AssertionError(f"no end in sight: {run.trail}")

    def _task(self, state: Mapping[str, Any], request: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        assert state["Output"] == "{% $states.result.Payload %}"
        payload = {key: _evaluated(value, request) for key, value in state["Arguments"]["Payload"].items()}
        tries = [0] * len(state["Retry"])
        while True:
            try:
                return state["Next"], self._worker(payload)
            except BaseException as error:
                if isinstance(error, AssertionError | KeyboardInterrupt):
                    raise
                name = type(error).__name__
            retry = _matching(state["Retry"], name)
            if retry is not None and tries[retry] < state["Retry"][retry]["MaxAttempts"]:
                tries[retry] += 1
                continue
            catch = _matching(state["Catch"], name)
            assert catch is not None, f"nobody catches {name}"
            return state["Catch"][catch]["Next"], {"Error": name}


def _matching(rules: list[dict[str, Any]], error: str) -> int | None:
    for place, rule in enumerate(rules):
        if error in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]:
            return place
    return None


def _choice(state: Mapping[str, Any], data: Mapping[str, str]) -> str:
    for choice in state["Choices"]:
        condition = CONDITION.fullmatch(choice["Condition"])
        assert condition is not None, choice
        if data["status"] == condition[1]:
            return str(choice["Next"])
    return str(state["Default"])


def _evaluated(value: str, request: Mapping[str, str]) -> str:
    expression = INPUT.fullmatch(value)
    assert expression is not None or "{%" not in value, value
    return value if expression is None else request[expression[1]]
