"""The fulfilment machine: points are given back only on the supplier's word."""

import json
from collections.abc import Iterator

import pytest

from infra.fulfillment import definition
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


def test_release_only_on_a_refusal_or_when_not_ordered() -> None:
    assert _into("Release") == {("Order", "OrderRefused"), ("Decide", "{% $states.input.status = 'not_ordered' %}")}


def test_capture_only_when_ordered() -> None:
    assert _into("Capture") == {("Decide", "{% $states.input.status = 'ordered' %}")}


def test_a_lost_answer_is_asked_for_after_time_to_arrive() -> None:
    assert _into("Settle") == {
        ("Order", "States.ALL"),
        ("Release", "RedemptionMoved"),
        ("Decide", "{% $states.input.status = 'pending' %}"),
    }
    assert _into("Query") == {("Settle", "next")}


def test_what_stays_unknown_goes_to_a_person() -> None:
    assert STATES["Unresolved"]["Type"] == "Fail"
    assert _into("Unresolved") == {
        ("Query", "States.ALL"),
        ("Capture", "States.ALL"),
        ("Release", "States.ALL"),
        ("Decide", "default"),
    }


def test_an_order_is_repeated_after_all_but_a_refusal_and_a_request_under_way() -> None:
    never, retry = STATES["Order"]["Retry"]
    assert never == {"ErrorEquals": ["OrderRefused", "SupplierTimeout"], "MaxAttempts": 0}
    assert retry["ErrorEquals"] == ["States.ALL"]


def test_a_release_that_an_order_overtook_is_not_repeated_before_the_supplier_was_asked() -> None:
    assert STATES["Release"]["Retry"][0] == {"ErrorEquals": ["RedemptionMoved"], "MaxAttempts": 0}


@pytest.mark.parametrize("name", ["Order", "Query", "Capture", "Release"])
def test_repeats_are_bounded_and_spread(name: str) -> None:
    retry = STATES[name]["Retry"][-1]
    assert 5 <= retry["MaxAttempts"] <= 10
    assert retry["BackoffRate"] == 2
    assert retry["MaxDelaySeconds"] == 300
    assert retry["JitterStrategy"] == "FULL"


def test_template(stage: Templates) -> None:
    machines = stage.properties("AWS::StepFunctions::StateMachine")
    assert len(machines) == 2
    for machine in machines:
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert machine["TracingConfiguration"] == {"Enabled": True}
        definition = json.loads(machine["DefinitionString"])
        assert (definition["QueryLanguage"], definition["TimeoutSeconds"]) == ("JSONata", 24 * 60 * 60)
        assert "Alias" in json.dumps(machine["DefinitionSubstitutions"])
