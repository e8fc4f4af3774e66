"""``loyalty tiers recalculate`` by the state machine: one execution for a run, watched until it ends."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from loyalty.cli import recalculating
from loyalty.cli.app import app
from loyalty.cli.recalculating import Ended, Executions, find_state_machine
from loyalty.core.clock import system_clock
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.runs import RunRequest, TierRun
from tests.ledgerkit.world import World
from tests.unit.cli.test_tiers import COMMAND, world

__all__ = ["world"]
RUNNER = CliRunner()
MACHINE = "arn:aws:states:eu-south-1:1:stateMachine:loyalty-test-tier-recalculation"
EVERYBODY = RunRequest(program="acme", run="x", everybody=True)


class StepFunctions:
    """The few calls that the commands make. An execution runs for so many looks, and then ends as it is told."""

    def __init__(self, *, status: str = "SUCCEEDED", looks: int = 2, **end: str) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self._status, self._looks, self._end = status, looks, end

    def start_execution(self, **request: str) -> dict[str, str]:
        name = request["name"]
        arn = f"{request['stateMachineArn'].replace('stateMachine', 'execution')}:{name}"
        self.executions[arn] = {"name": name, "input": request["input"], "looks": self._looks, "status": "RUNNING"}
        return {"executionArn": arn}

    def describe_execution(self, **request: str) -> dict[str, Any]:
        found = self.executions[request["executionArn"]]
        if found["status"] == "RUNNING" and found["looks"] == 0:
            found |= {"status": self._status, **self._end}
        found["looks"] -= 1
        return found

    def get_paginator(self, operation: str) -> Any:
        return self if operation == "list_executions" else _Machines()

    def paginate(self, **request: str) -> Iterator[Any]:
        assert request["stateMachineArn"] == MACHINE
        for arn, one in self.executions.items():
            found = [{"executionArn": arn, "name": one["name"]}] if one["status"] == request["statusFilter"] else []
            yield {"executions": found}


class _Machines:
    def paginate(self) -> Iterator[Any]:
        yield {"stateMachines": [{"name": "loyalty-test-fulfillment", "stateMachineArn": "arn:other"}]}
        yield {"stateMachines": [{"name": "loyalty-test-tier-recalculation", "stateMachineArn": MACHINE}]}


def test_a_run_that_an_execution_does_already_is_watched_and_not_started_again() -> None:
    states = StepFunctions()
    executions = Executions(states, MACHINE)
    first, again = executions.of(EVERYBODY), executions.of(EVERYBODY)
    assert (first[1], again) == (True, (first[0], False))
    assert json.loads(states.executions[first[0]]["input"]) == {"program": "acme", "run": "x", "everybody": True}
    others = [EVERYBODY.model_copy(update=change) for change in ({"run": "x-1"}, {"program": "other"})]
    assert [executions.of(other)[1] for other in others] == [True, True]


def test_one_that_has_ended_is_followed_by_another_of_another_name() -> None:
    states = StepFunctions(looks=0)
    executions = Executions(states, MACHINE)
    first, _ = executions.of(EVERYBODY)
    executions.watch(first, lambda: None)
    assert executions.of(EVERYBODY) != (first, False)
    assert len(states.executions) == 2


def test_it_is_looked_at_every_two_seconds_until_it_ends() -> None:
    waits: list[float] = []
    executions = Executions(StepFunctions(looks=3, output='{"members": 2}'), MACHINE, waits.append)
    looks: list[None] = []
    assert executions.watch(executions.of(EVERYBODY)[0], lambda: looks.append(None)) == Ended(
        "SUCCEEDED", {"members": 2}
    )
    assert (waits, len(looks)) == ([2.0] * 3, 3)


def test_why_it_failed() -> None:
    executions = Executions(StepFunctions(status="FAILED", looks=0, error="Unfinished", cause="Mend it."), MACHINE)
    assert executions.watch(executions.of(EVERYBODY)[0], lambda: None) == Ended("FAILED", {}, "Unfinished: Mend it.")


def test_the_machine_is_found_by_the_stage_s_name() -> None:
    assert find_state_machine(StepFunctions(), "test") == MACHINE
    with pytest.raises(SystemExit):
        find_state_machine(StepFunctions(), "nowhere")


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch, world: World) -> StepFunctions:
    """Its executions do nothing: what is done is done beside them."""
    states = StepFunctions(looks=1, output=json.dumps({"members": 1, "changed": 1}))
    client = boto3.client
    monkeypatch.setattr(
        boto3, "client", lambda name, **more: states if name == "stepfunctions" else client(name, **more)
    )
    monkeypatch.setattr(recalculating.Executions.__init__, "__defaults__", (lambda _: None,))
    monkeypatch.setenv("LOYALTY_STAGE", "test")
    return states


def test_the_command_tells_what_the_run_has_done(world: World, states: StepFunctions) -> None:
    Recalculation(world.table, system_clock, workers=1).many(world.program, TierRun("acme", "x"))
    result = RUNNER.invoke(app, [*COMMAND, "--everybody", "--run", "x", "--workflow", "--json"])
    assert (result.exit_code, json.loads(result.stdout)["members"]) == (0, 2), result.output
    result = RUNNER.invoke(app, [*COMMAND, "--member", f"mbr_{'a' * 26}", "--state-machine", MACHINE])
    assert (result.exit_code, "1 members, 1 changed." in result.stdout) == (0, True), result.output


def test_an_execution_that_fails_is_exit_code_1(world: World, states: StepFunctions) -> None:
    states._status, states._end = "FAILED", {"error": "Unfinished"}
    result = RUNNER.invoke(app, [*COMMAND, "--everybody", "--workflow"])
    assert (result.exit_code, "0 members, 0 changed until it ended" in result.stdout) == (1, True), result.output
    assert "FAILED. Unfinished" in result.stderr


def test_ctrl_c_leaves_the_run_and_says_how_to_go_on(
    world: World, states: StepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(recalculating.Executions.__init__, "__defaults__", (pressed,))
    result = RUNNER.invoke(app, [*COMMAND, "--everybody", "--run", "x", "--workflow"])
    assert (result.exit_code, "the same command with --run x goes on" in result.stderr) == (130, True), result.output
    assert [one["status"] for one in states.executions.values()] == ["RUNNING"]


def test_the_workflow_needs_a_stage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_STAGE", raising=False)
    assert RUNNER.invoke(app, [*COMMAND, "--everybody", "--workflow"]).exit_code == 2
