"""The fulfilment machine: points are given back only on the supplier's word, or a person's."""

import json
from collections.abc import Iterator

import pytest

from infra.fulfillment import WAYS, definition
from infra.settings import StageSettings
from loyalty.fulfillment.model import Progress
from loyalty.fulfillment.policy import FulfillmentPolicy
from tests.infra.templates import Json, Templates

MACHINE = definition(settle_seconds=1)
STATES: dict[str, Json] = MACHINE["States"]


def _edges() -> Iterator[tuple[str, str, str]]:
    """From, why, to."""
    for name, state in STATES.items():
        if "Next" in state:
            yield name, "next", state["Next"]
        for catch in state.get("Catch", []):
            yield name, ",".join(catch["ErrorEquals"]), catch["Next"]
        for choice in state.get("Choices", []):
            yield name, choice["Condition"], choice["Next"]
        if "Default" in state:
            yield name, "default", state["Default"]


def _into(target: str) -> set[tuple[str, str]]:
    return {(source, why) for source, why, to in _edges() if to == target}


def test_every_state_is_known_and_reached() -> None:
    assert {to for _, _, to in _edges()} | {MACHINE["StartAt"]} == set(STATES)


def _decided(word: str) -> tuple[str, str]:
    return "Decide", f"{{% $states.input.status = '{word}' %}}"


def test_release_only_on_the_suppliers_word_or_a_persons() -> None:
    assert _into("Release") == {_decided("not_ordered")}


def test_capture_only_when_ordered() -> None:
    assert _into("Capture") == {_decided("ordered")}


def test_an_order_only_when_cleared_or_after_a_pause() -> None:
    assert _into("Order") == {_decided("clear"), ("Pause", "next")}


def test_a_lost_answer_is_asked_for_after_time_to_arrive() -> None:
    assert _into("Settle") == {("Order", "States.ALL"), ("Release", "RedemptionMoved"), _decided("unknown")}
    assert _into("Query") == {
        ("Settle", "next"),
        ("Listen", "next"),
        ("Listen", "States.Timeout,NothingAwaited"),
    }


def test_what_stays_unknown_goes_to_a_person() -> None:
    assert STATES["Unresolved"]["Type"] == "Fail"
    asked = {"Screen", "Approve", "Remind", "Listen", "Query", "Capture", "Release", "Replace"}
    assert _into("Attention") == {(state, "States.ALL") for state in asked}
    assert _into("Unresolved") == {("Attention", "next"), ("Attention", "States.ALL"), ("Decide", "default")}


def test_every_answer_of_a_step_has_its_way() -> None:
    assert set(WAYS) | {"attention"} == {progress.value for progress in Progress}
    assert set(WAYS.values()) < set(STATES)


@pytest.mark.parametrize(("state", "step", "after"), [("Approve", "ask", "Remind"), ("Listen", "listen", "Query")])
def test_a_wait_for_somebody_ends_by_its_token_or_its_time(state: str, step: str, after: str) -> None:
    waits = STATES[state]
    assert waits["Resource"].endswith("lambda:invoke.waitForTaskToken")
    assert waits["TimeoutSeconds"] == "{% $states.input.wait %}"
    assert waits["Arguments"]["Payload"]["step"] == step
    assert waits["Arguments"]["Payload"]["token"] == "{% $states.context.Task.Token %}"
    # Never repeated once its time is over: each repeat would wait as long again.
    assert waits["Retry"][0] == {"ErrorEquals": ["States.Timeout", "NothingAwaited"], "MaxAttempts": 0}
    assert waits["Catch"][0]["Next"] == after


def test_a_release_that_an_order_overtook_is_not_repeated_before_the_supplier_was_asked() -> None:
    assert STATES["Release"]["Retry"][0] == {"ErrorEquals": ["RedemptionMoved"], "MaxAttempts": 0}


def test_the_function_is_told_how_patient_it_is(stage: Templates, settings: StageSettings) -> None:
    (told,) = [
        found["Environment"]["Variables"]["LOYALTY_FULFILLMENT"]
        for found in stage.properties("AWS::Lambda::Function")
        if "LOYALTY_FULFILLMENT" in found.get("Environment", {}).get("Variables", {})
    ]
    policy = FulfillmentPolicy.model_validate_json(told)
    assert policy.settle_seconds == settings.supplier_settle_seconds
    if settings.target == "cloud":
        assert policy == FulfillmentPolicy(settle_seconds=settings.supplier_settle_seconds)


@pytest.mark.parametrize(
    "name", ["Screen", "Order", "Query", "Capture", "Release", "Replace", "Attention", "Approve", "Listen"]
)
def test_repeats_are_bounded_and_spread(name: str) -> None:
    retry = STATES[name]["Retry"][-1]
    assert 5 <= retry["MaxAttempts"] <= 10
    assert retry["BackoffRate"] == 2
    assert retry["MaxDelaySeconds"] == 300
    assert retry["JitterStrategy"] == "FULL"


def test_template(stage: Templates) -> None:
    machines = stage.properties("AWS::StepFunctions::StateMachine")
    assert len(machines) == 5
    for machine in machines:
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert machine["TracingConfiguration"] == {"Enabled": True}
        definition = json.loads(machine["DefinitionString"])
        days = 60 if "Approve" in definition["States"] else 1
        assert (definition["QueryLanguage"], definition["TimeoutSeconds"]) == ("JSONata", days * 24 * 60 * 60)
        assert "Alias" in json.dumps(machine["DefinitionSubstitutions"])
