"""The machine of bulk fulfilments: its batches are its own input, each may be done again, and none is done unseen."""

import json

import pytest

import loyalty_contract as contract
from infra.bulk import FUNCTION, HOPELESS, LABEL, STOPPED, definition
from infra.functions import FUNCTIONS
from infra.names import resource
from infra.settings import StageSettings
from tests.infra.templates import Json, Templates, many, text

MACHINE: Json = definition(concurrency=4, tolerated_percent=25)
STATES: dict[str, Json] = MACHINE["States"]
BATCHES: Json = STATES["Batches"]
BATCH: Json = BATCHES["ItemProcessor"]["States"]["Batch"]


def test_the_map_is_distributed_and_takes_its_input_as_it_is() -> None:
    """What is selected from items, and where they are read from, is where engines differ."""
    assert BATCHES["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert BATCHES["Items"] == "{% $states.input %}"
    assert not BATCHES.keys() & {"ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter", "Output"}


def test_nothing_is_held_before_there_are_batches_and_none_is_missed_afterwards() -> None:
    (ready,) = STATES["Ready"]["Choices"]
    assert (ready["Condition"], ready["Next"]) == ("{% $count($states.input) > 0 %}", "Batches")
    assert STATES["Ready"]["Default"] == "Waiting"
    (complete,) = STATES["All"]["Choices"]
    assert (complete["Condition"], complete["Next"]) == ("{% $states.input.complete %}", "Ended")
    assert (STATES["All"]["Default"], STATES["Unfinished"]["Type"]) == ("Unfinished", "Fail")


@pytest.mark.parametrize("task", [STATES["Begin"], STATES["Sum"], STATES["Stop"], BATCH])
def test_a_step_is_repeated_unless_it_is_hopeless(task: Json) -> None:
    assert (task["Retry"][0]["ErrorEquals"], task["Retry"][0]["MaxAttempts"]) == (HOPELESS, 0)
    assert (task["Retry"][-1]["ErrorEquals"], task["Retry"][-1]["JitterStrategy"]) == (["States.ALL"], "FULL")
    assert task["TimeoutSeconds"] > FUNCTIONS[FUNCTION].timeout_seconds


@pytest.mark.parametrize(("state", "then"), [("Begin", "Stop"), ("Batches", "Sum")])
def test_whatever_fails_the_campaign_says_so_before_the_execution_does(state: str, then: str) -> None:
    """Too many batches that fail end the map, and what ends an execution unseen leaves the campaign running for ever."""
    assert STATES[state]["Catch"] == [{"ErrorEquals": ["States.ALL"], "Next": then}]
    assert STATES[then]["Arguments"]["Payload"]["step"] == then.lower()
    assert STATES["Stop"]["Next"] == "Unfinished", "what could not begin is an alarm, whatever was held before"
    assert [name for name, one in STATES.items() if "Catch" in one] == ["Begin", "Batches"]


def test_a_batch_in_which_much_fails_waits_before_it_is_tried_again() -> None:
    (stopped,) = [one for one in BATCH["Retry"] if one["ErrorEquals"] == STOPPED]
    assert (stopped["IntervalSeconds"], stopped["MaxAttempts"]) == (60, 2)


def test_the_stage_says_how_many_batches_at_once_and_how_many_may_fail(
    stage: Templates, settings: StageSettings
) -> None:
    name = resource(settings.name, contract.BULK)
    (machine,) = [
        one for one in stage.properties("AWS::StepFunctions::StateMachine") if one["StateMachineName"] == name
    ]
    batches = json.loads(machine["DefinitionString"])["States"]["Batches"]
    assert batches["MaxConcurrency"] == settings.bulk_batches
    assert batches["ToleratedFailurePercentage"] == settings.bulk_tolerance


def test_its_role_calls_the_function_and_starts_its_own_children_and_nothing_else(
    stage: Templates, settings: StageSettings
) -> None:
    name = resource(settings.name, contract.BULK)
    policies = [one["Properties"] for at, one in stage.each("AWS::IAM::Policy", "workflows") if at.startswith("Bulk")]
    statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    allowed = {
        action: text(one["Resource"])
        for one in statements
        for action in many(one["Action"])
        if action.partition(":")[0] not in {"logs", "xray"}
    }
    assert allowed.keys() == {
        "lambda:InvokeFunction", "states:StartExecution", "states:DescribeExecution", "states:StopExecution",
        "states:RedriveExecution",
    }  # fmt: skip
    assert allowed["states:StartExecution"].endswith(f':stateMachine:{name}"]]}}')
    assert allowed["states:StopExecution"].endswith(f':execution:{name}/{LABEL}:*"]]}}')


@pytest.mark.parametrize("function", [FUNCTION, "bulk"])
def test_its_functions_touch_files_of_lists_alone(stage: Templates, function: str) -> None:
    (files,) = [one for one in stage.statements(function) if "s3:PutObject" in many(one["Action"])]
    assert '/bulk/*"' in text(files["Resource"])


@pytest.mark.parametrize("function", [FUNCTION, "bulk"])
def test_a_list_that_was_not_sent_is_missing_and_not_forbidden(stage: Templates, function: str) -> None:
    """S3 answers 403 for a key that is not there, unless whoever asks may list it: that would be a 500 of ours."""
    (listing,) = [one for one in stage.statements(function) if "s3:ListBucket" in many(one["Action"])]
    assert many(listing["Action"]) == ["s3:ListBucket"]
    assert "-reports-" in text(listing["Resource"])
    assert "/" not in text(listing["Resource"]), "the bucket, not its files"
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "bulk/*"}}


def test_the_api_starts_this_machine_alone(stage: Templates, settings: StageSettings) -> None:
    (start,) = [one for one in stage.statements("bulk") if "states:StartExecution" in many(one["Action"])]
    assert text(start["Resource"]).endswith(f':stateMachine:{resource(settings.name, contract.BULK)}"]]}}')
