"""Referrals are woken by the events that their function reads, and by the clock, whose silence is heard."""

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.names import resource
from infra.settings import StageSettings
from infra.stacks.referring import CLOCK, NOT_STARTED, WAKING, WOKEN
from tests.infra.templates import Json, Templates, text


def _alarms(stage: Templates) -> dict[str, Json]:
    found = stage.stacks["events"]["Resources"].items()
    of_referrals = {name: each["Properties"] for name, each in found if name.startswith("Referring")}
    return {name: each for name, each in of_referrals.items() if "MetricName" in each}


def test_the_rule_takes_our_own_events_alone(stage: Templates) -> None:
    rules = stage.properties("AWS::Events::Rule", "events")
    (rule,) = [each for each in rules if set(WAKING) <= set(each["EventPattern"].get("detail-type", ()))]
    assert rule["EventPattern"] == {"source": [contract.EVENT_SOURCE], "detail-type": list(WAKING)}
    (target,) = rule["Targets"]
    assert "referrals" in text(target["Arn"])
    assert "undelivered" in text(target["DeadLetterConfig"])


def test_the_clock_starts_it_every_five_minutes_and_repeats_no_run(stage: Templates, settings: StageSettings) -> None:
    schedules = stage.properties("AWS::Scheduler::Schedule", "events")
    (schedule,) = [each for each in schedules if each["GroupName"] == resource(settings.name, CLOCK)]
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(5 minutes)", "ENABLED")
    assert "referralclock" in text(schedule["Target"]["Arn"]).lower().replace("-", "")
    assert NOT_STARTED.replace("-", "") in text(schedule["Target"]["DeadLetterConfig"]).replace("-", "")
    assert FUNCTIONS[CLOCK].timeout_seconds <= 300  # a run ends before the next one begins


def test_changes_of_referrals_reach_the_bus(stage: Templates) -> None:
    mappings = stage.properties("AWS::Lambda::EventSourceMapping", "events")
    filters = [text(each["FilterCriteria"]) for each in mappings if "FilterCriteria" in each]
    assert any(f'\\"{contract.REFERRAL_SK}\\"' in one.replace('\\\\"', '\\"') for one in filters)


def test_lag_failures_and_silence_alarm(stage: Templates) -> None:
    alarms = _alarms(stage)
    of_lag = [each for each in alarms.values() if each["MetricName"] == contract.REFERRALS_LAG]
    assert sorted(each.get("Statistic", "?") for each in of_lag) == ["Maximum", "SampleCount"]
    assert [each["TreatMissingData"] for each in of_lag if each.get("Statistic") == "SampleCount"] == ["breaching"]
    waiting = [each for each in alarms.values() if each["MetricName"] == contract.REFERRALS_WAITING]
    told = {text(each["Dimensions"]) for each in waiting}
    assert len(told) == len({CLOCK, WOKEN})
    assert any(each["MetricName"] == contract.REFERRALS_FAILED for each in alarms.values())
