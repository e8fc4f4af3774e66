"""The machine that recalculates tiers: every step may be taken again, and none is taken for ever."""

import json
from collections.abc import Iterator

import pytest

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.names import resource
from infra.recalculation import FUNCTION, HOPELESS, LABEL, STOPPED, definition
from infra.settings import StageSettings
from tests.infra.templates import Json, Templates, many, text

MACHINE = definition(concurrency=4, tolerated_percent=25)
SHARDS: Json = MACHINE["States"]["Shards"]
WALK: Json = SHARDS["ItemProcessor"]["States"]


def _edges(states: dict[str, Json]) -> Iterator[tuple[str, str, str]]:
    """From, why, to."""
    for name, state in states.items():
        if "Next" in state:
            yield name, "next", state["Next"]
        for choice in state.get("Choices", []):
            yield name, choice["Condition"], choice["Next"]
        if "Default" in state:
            yield name, "default", state["Default"]


def _policies(stage: Templates) -> list[Json]:
    """The statements of the machine's role."""
    prefix = "Recalculating"
    found = [each for name, each in stage.each("AWS::IAM::Policy", "workflows") if name.startswith(prefix)]
    return [one for each in found for one in each["Properties"]["PolicyDocument"]["Statement"]]


@pytest.mark.parametrize(
    ("states", "start"), [(MACHINE["States"], MACHINE["StartAt"]), (WALK, SHARDS["ItemProcessor"]["StartAt"])]
)
def test_every_state_is_known_and_reached(states: dict[str, Json], start: str) -> None:
    assert {to for _, _, to in _edges(states)} | {start} == set(states)


def test_a_shard_is_walked_until_the_function_says_that_it_is_done() -> None:
    assert list(_edges(WALK)) == [
        ("Shard", "next", "Walked"), ("Walked", "{% $states.input.done %}", "End"), ("Walked", "default", "Shard"),
    ]  # fmt: skip


def test_only_a_run_that_is_done_everywhere_succeeds() -> None:
    into = {(source, why) for source, why, to in _edges(MACHINE["States"]) if to == "Recalculated"}
    assert into == {("Member", "next"), ("All", "{% $states.input.finished %}")}
    assert MACHINE["States"]["Unfinished"]["Type"] == "Fail"


def test_the_map_is_distributed_and_takes_its_input_as_it_is() -> None:
    """What is selected from items, and where they are read from, is where engines differ."""
    assert SHARDS["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert SHARDS["Items"] == "{% $states.input %}"
    assert not SHARDS.keys() & {"ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter", "Output"}


@pytest.mark.parametrize("task", [MACHINE["States"][name] for name in ("Member", "Begin", "Sum")] + [WALK["Shard"]])
def test_a_step_is_repeated_unless_it_is_hopeless(task: Json) -> None:
    assert set(HOPELESS) <= set(task["Retry"][0]["ErrorEquals"])
    assert task["Retry"][0]["MaxAttempts"] == 0
    last = task["Retry"][-1]
    assert (last["ErrorEquals"], last["MaxAttempts"], last["JitterStrategy"]) == (["States.ALL"], 8, "FULL")
    assert task["TimeoutSeconds"] > FUNCTIONS[FUNCTION].timeout_seconds
    assert "Catch" not in task


def test_a_shard_with_too_many_failures_waits_before_it_is_tried_again() -> None:
    (stopped,) = [each for each in WALK["Shard"]["Retry"] if each["ErrorEquals"] == STOPPED]
    assert (stopped["IntervalSeconds"], stopped["MaxAttempts"]) == (60, 2)


def test_the_stage_says_how_many_shards_at_once_and_how_many_may_fail(
    stage: Templates, settings: StageSettings
) -> None:
    (machine,) = [
        each
        for each in stage.properties("AWS::StepFunctions::StateMachine")
        if each["StateMachineName"] == resource(settings.name, contract.RECALCULATION)
    ]
    shards = json.loads(machine["DefinitionString"])["States"]["Shards"]
    assert shards["MaxConcurrency"] == settings.recalculated_shards
    assert shards["ToleratedFailurePercentage"] == settings.recalculation_tolerance


def test_its_role_calls_the_function_and_starts_its_own_children_and_nothing_else(
    stage: Templates, settings: StageSettings
) -> None:
    name = resource(settings.name, contract.RECALCULATION)
    allowed = {
        action: text(each["Resource"])
        for each in _policies(stage)
        for action in many(each["Action"])
        if action.partition(":")[0] not in {"logs", "xray"}
    }
    assert allowed.keys() == {
        "lambda:InvokeFunction", "states:StartExecution", "states:DescribeExecution", "states:StopExecution",
        "states:RedriveExecution",
    }  # fmt: skip
    assert "recalculationAlias" in allowed["lambda:InvokeFunction"]
    assert allowed["states:StartExecution"].endswith(f':stateMachine:{name}"]]}}')
    for action in ("states:StopExecution", "states:RedriveExecution"):
        assert allowed[action].endswith(f':execution:{name}/{LABEL}:*"]]}}')


def test_the_function_queries_the_index_of_members_alone(stage: Templates) -> None:
    (query,) = [each for each in stage.statements(FUNCTION) if "dynamodb:Query" in many(each["Action"])]
    assert text(query["Resource"]).endswith(f'"/index/{contract.MEMBER_INDEX}"]]}}')


def test_what_it_passed_over_is_an_alarm(stage: Templates) -> None:
    (alarm,) = [
        each
        for each in stage.properties("AWS::CloudWatch::Alarm", "workflows")
        if each["MetricName"] == contract.MEMBERS_NOT_RECALCULATED
    ]
    assert (alarm["Threshold"], alarm["Dimensions"]) == (1, [{"Name": "service", "Value": FUNCTION}])
    failing = [
        each
        for each in stage.properties("AWS::CloudWatch::Alarm", "workflows")
        if "A recalculation" in each["AlarmDescription"]
    ]
    assert {each["MetricName"] for each in failing} == {
        contract.MEMBERS_NOT_RECALCULATED, "ExecutionsFailed", "ExecutionsTimedOut",
    }  # fmt: skip
