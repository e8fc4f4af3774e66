"""The machine that reconciles: one report that fails leaves the others, every report can be made again, silence is heard."""

import json
from typing import Any

import pytest

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.names import resource
from infra.reconciliation import AWAY, FUNCTION, HOPELESS, definition
from infra.settings import StageSettings
from tests.infra.templates import Json, Templates, many, text

MACHINE: Json = definition()
STATES: dict[str, Json] = MACHINE["States"]
WALK: dict[str, Json] = STATES["Reports"]["ItemProcessor"]["States"]


def test_a_report_that_fails_leaves_the_others_and_the_execution_fails_at_the_end() -> None:
    assert WALK["Report"]["Catch"] == [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]
    assert WALK["Failed"]["Output"] == {"made": False}
    (choice,) = STATES["All"]["Choices"]
    assert (choice["Next"], STATES["All"]["Default"]) == ("Unfinished", "Reconciled")
    assert STATES["Unfinished"]["Type"] == "Fail"


@pytest.mark.parametrize("task", [STATES["Begin"], WALK["Report"]])
def test_a_supplier_that_is_away_is_waited_for_and_what_is_hopeless_is_not(task: Json) -> None:
    never, away, others = task["Retry"]
    assert (never["ErrorEquals"], never["MaxAttempts"]) == (HOPELESS, 0)
    assert (away["ErrorEquals"], away["IntervalSeconds"]) == (AWAY, 60)
    assert (others["ErrorEquals"], others["JitterStrategy"]) == (["States.ALL"], "FULL")
    assert task["TimeoutSeconds"] > FUNCTIONS[FUNCTION].timeout_seconds


def _schedule(stage: Templates, settings: StageSettings) -> Json:
    name = resource(settings.name, contract.RECONCILIATION)
    (found,) = [one for one in stage.properties("AWS::Scheduler::Schedule") if one["Name"] == name]
    return found


def test_it_is_started_every_day_at_the_hour_of_the_stage(stage: Templates, settings: StageSettings) -> None:
    schedule = _schedule(stage, settings)
    assert schedule["ScheduleExpression"] == f"cron(0 {settings.reconciliation_hour} * * ? *)"
    assert (schedule["State"], schedule["FlexibleTimeWindow"]) == ("ENABLED", {"Mode": "OFF"})
    assert json.loads(schedule["Target"]["Input"]) == {"days": settings.reconciliation_days}
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 12 * 60 * 60


def test_its_schedule_may_start_the_machine_and_nothing_else(stage: Templates) -> None:
    (policy,) = [
        one["Properties"]
        for name, one in stage.each("AWS::IAM::Policy", "workflows")
        if name.startswith("ReconcilingRole")
    ]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "states:StartExecution"
    assert "Reconciliation" in text(statement["Resource"])


def test_open_differences_and_a_day_without_a_report_are_alarms(stage: Templates) -> None:
    found: dict[str, Any] = {
        one["MetricName"]: one
        for one in stage.properties("AWS::CloudWatch::Alarm", "workflows")
        if one.get("Dimensions") == [{"Name": "service", "Value": FUNCTION}]
    }
    assert found.keys() == {contract.OPEN_DIFFERENCES, contract.RECONCILIATION_REPORTS}
    silent = found[contract.RECONCILIATION_REPORTS]
    assert (silent["Period"], silent["Threshold"], silent["TreatMissingData"]) == (86_400, 1, "breaching")
    assert silent["ComparisonOperator"] == "LessThanThreshold"


def test_the_function_writes_reports_alone_and_reads_no_file(stage: Templates) -> None:
    (files,) = [one for one in stage.statements(FUNCTION) if "s3:PutObject" in many(one["Action"])]
    assert many(files["Action"]) == ["s3:PutObject"]
    assert '/reconciliation/*"' in text(files["Resource"])
