"""Personal data stays in the region of its stage: nothing in the templates copies it, sends it or calls with it elsewhere.

What leaves on purpose is no data of members: orders to suppliers have no name and no address of theirs.
"""

import re
from typing import Final

import pytest

from infra.settings import StageSettings
from tests.infra.templates import Json, Templates, text

REGION: Final = re.compile(
    r"\b(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central)(?:east|west)?-[0-9]\b"
)
ELSEWHERE: Final = {
    "AWS::KMS::ReplicaKey": "a key of several regions",
    "AWS::S3::MultiRegionAccessPoint": "files of several regions",
    "AWS::Events::Endpoint": "events that go to another region when this one is down",
    "AWS::CloudFront::Distribution": "answers kept at the edge, anywhere",
    "AWS::Backup::BackupPlan": "copies that nobody erases from",
    "AWS::Bedrock::ApplicationInferenceProfile": "a model that may run in other regions",
    "AWS::DMS::ReplicationTask": "a copy of the table",
    "AWS::KinesisFirehose::DeliveryStream": "a stream of the table to somewhere",
}
"""Types that would need a decision of their own, and why."""


def found(stage: Templates) -> list[tuple[str, Json]]:
    """Every resource of every stack, with its type."""
    return [(one["Type"], one) for template in stage.stacks.values() for one in template["Resources"].values()]


def test_nothing_is_of_a_type_that_is_somewhere_else_too(stage: Templates) -> None:
    kinds = {kind for kind, _ in found(stage)}
    assert len(kinds) > 20
    assert {kind: ELSEWHERE[kind] for kind in kinds & ELSEWHERE.keys()} == {}


def test_the_table_is_in_one_region(stage: Templates, settings: StageSettings) -> None:
    for table in stage.properties("AWS::DynamoDB::GlobalTable"):
        assert [replica["Region"] for replica in table["Replicas"]] in ([settings.region], [{"Ref": "AWS::Region"}])
    assert stage.properties("AWS::DynamoDB::GlobalTable")


def test_neither_files_nor_keys_nor_secrets_are_copied(stage: Templates) -> None:
    for bucket in stage.properties("AWS::S3::Bucket"):
        assert "ReplicationConfiguration" not in bucket
    for key in stage.properties("AWS::KMS::Key"):
        assert not key.get("MultiRegion", False)
    for secret in stage.properties("AWS::SecretsManager::Secret"):
        assert "ReplicaRegions" not in secret


def test_the_api_is_reached_in_its_region(stage: Templates) -> None:
    for api in stage.properties("AWS::ApiGateway::RestApi"):
        assert api["EndpointConfiguration"]["Types"] == ["REGIONAL"]


def test_no_other_region_is_named_anywhere(stage: Templates, settings: StageSettings) -> None:
    """Of ARNs, targets of rules, endpoints, environments, policies: whatever stands in a template."""
    for name, template in stage.stacks.items():
        regions = set(REGION.findall(text(template)))
        assert regions <= {settings.region}, f"the stack {name} names {regions - {settings.region}}"


def test_no_rule_sends_to_another_region_or_account(stage: Templates) -> None:
    rules = stage.properties("AWS::Events::Rule")
    assert rules
    for rule in rules:
        for target in rule["Targets"]:
            arn = text(target["Arn"])
            assert "Fn::GetAtt" in arn or "AWS::Region" in arn or "Fn::ImportValue" in arn, target


@pytest.mark.parametrize(
    "planted", ["arn:aws:sqs:us-east-1:1:q", "https://x.eu-central-1.amazonaws.com", "ap-southeast-2"]
)
def test_what_names_a_region_is_found(planted: str) -> None:
    assert REGION.findall(planted)
