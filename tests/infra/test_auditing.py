"""The audit trail: nobody changes it, one function chains it, and what leaves the table stays."""

import pytest

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from infra.settings import StageSettings
from infra.settings.model import AuditSettings
from tests.infra.templates import Json, Templates, many, text

TRAIL, CHAINS = "A#*", "AL#*"


def _partitions(statement: Json) -> list[str]:
    ((how, keys),) = statement["Condition"].items()
    partitions = many(keys["dynamodb:LeadingKeys"])
    # A change beside a line passes, whichever way AWS asks for the keys of a transaction.
    assert how == ("ForAllValues:StringLike" if partitions == [TRAIL] else "ForAnyValue:StringLike")
    return partitions


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_no_function_changes_or_deletes_what_is_in_the_trail(stage: Templates, name: str) -> None:
    refused = {
        (action, partition)
        for statement in stage.refusals(name)
        for action in many(statement["Action"])
        for partition in _partitions(statement)
    }
    changes = ("BatchWriteItem", "DeleteItem", "PartiQLDelete", "PartiQLUpdate", "UpdateItem")
    wanted = {(f"dynamodb:{action}", partition) for action in changes for partition in (TRAIL, CHAINS)}
    if name != contract.AUDIT_CHAIN:
        wanted |= {(f"dynamodb:{action}", CHAINS) for action in ("PartiQLInsert", "PutItem")}
    assert refused == wanted
    for statement in stage.refusals(name):
        assert "Table" in text(statement["Resource"])


def test_who_chains_puts_chains_and_nothing_else(stage: Templates) -> None:
    (puts,) = [each for each in stage.statements(contract.AUDIT_CHAIN) if "dynamodb:PutItem" in many(each["Action"])]
    assert puts["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [CHAINS]}}


def test_new_lines_and_whatever_happens_to_one_reach_who_chains_one_batch_at_a_time(stage: Templates) -> None:
    (mapping,) = [
        each
        for each in stage.properties("AWS::Lambda::EventSourceMapping")
        if "auditchain" in text(each["FunctionName"])
    ]
    assert mapping["ParallelizationFactor"] == 1, "two would link one day against each other"
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRecordAgeInSeconds"] == 12 * 3600
    assert "auditunlinked" in text(mapping["DestinationConfig"]["OnFailure"]["Destination"])
    written, touched, removed = (each["Pattern"] for each in mapping["FilterCriteria"]["Filters"])
    assert written == (
        '{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"A#"}]},"sk":{"S":[{"prefix":"LINE#"}]}}}}'
    )
    assert touched == (
        '{"eventName":["MODIFY","REMOVE"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"A#"},{"prefix":"AL#"}]},'
        '"sk":{"S":[{"prefix":"LINE#"},{"prefix":"LINK"}]}}}}'
    )
    assert removed == '{"eventName":["REMOVE"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"AL#"}]}}}}', "of heads too"


def test_what_is_exported_is_locked_for_as_long_as_the_settings_say(stage: Templates, settings: StageSettings) -> None:
    ((bucket_id, bucket),) = [
        (name, each["Properties"])
        for name, each in stage.each("AWS::S3::Bucket")
        if "audittrail" in text(each["Properties"].get("BucketName", ""))
    ]
    assert bucket["ObjectLockEnabled"] is True
    days = settings.audit.retention_days
    assert bucket["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Days": days, "Mode": settings.audit.mode.upper()}},
    }
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == days + 1, "not before it may go"
    (policy,) = [
        each["PolicyDocument"]["Statement"]
        for each in stage.properties("AWS::S3::BucketPolicy")
        if each["Bucket"] == {"Ref": bucket_id}
    ]
    kept = [each for each in policy if each.get("Sid") == "NobodyTakesAnythingOut"]
    assert len(kept) == settings.retain
    for each in kept:
        assert (each["Effect"], each["Principal"]) == ("Deny", {"AWS": "*"})
        assert set(many(each["Action"])) == {
            "s3:BypassGovernanceRetention",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
        }


def test_its_key_is_its_own_and_stays(stage: Templates, settings: StageSettings) -> None:
    ((_, key),) = [(name, one) for name, one in stage.each("AWS::KMS::Key") if name.startswith("TrailKey")]
    statements = {each["Sid"]: each for each in key["Properties"]["KeyPolicy"]["Statement"] if "Sid" in each}
    assert text(statements["ThroughTheServiceOnly"]["Condition"]["StringEquals"]["kms:ViaService"]).count("s3.") == 1
    assert ("StaysAsLongAsTheTrail" in statements) is settings.retain
    others = [one for name, one in stage.each("AWS::S3::Bucket") if "TrailKey" in text(one)]
    assert len(others) == 1


def test_the_export_is_started_every_five_minutes(stage: Templates) -> None:
    (schedule,) = [
        each for each in stage.properties("AWS::Scheduler::Schedule") if each["Name"].endswith("-audit-export")
    ]
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    assert schedule["Target"]["DeadLetterConfig"]


@pytest.mark.parametrize(("years", "days", "kept"), [(7, 0, 2562), (0, 1, 1), (1, 30, 396)])
def test_years_are_long_ones(years: int, days: int, kept: int) -> None:
    assert AuditSettings(years=years, days=days).retention_days == kept


def test_a_trail_that_is_not_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="say for how many years or days"):
        AuditSettings(years=0)
