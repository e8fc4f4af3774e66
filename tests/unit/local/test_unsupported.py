"""What is left out of a template before it is deployed locally."""

from typing import Any

import pytest

from infra.local.unsupported import UNSUPPORTED, DanglingReference, localized

ARCHIVE = {"Type": "AWS::Events::Archive", "Properties": {}}
QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue", "Properties": {}}


def test_each_entry_of_the_list_has_a_reason() -> None:
    assert all(entry.reason for entry in UNSUPPORTED)


def test_a_listed_resource_is_left_out_with_its_order_and_outputs_and_the_template_is_not_changed() -> None:
    template: dict[str, Any] = {
        "Resources": {"Archive": ARCHIVE, "Queue": {**QUEUE, "DependsOn": ["Archive", "Other"]}, "Other": QUEUE},
        "Outputs": {"A": {"Value": {"Fn::GetAtt": ["Archive", "Arn"]}}, "Q": {"Value": {"Ref": "Queue"}}},
    }
    kept, omissions = localized(template)
    assert [(omission.logical_id, omission.resource_type) for omission in omissions] == [
        ("Archive", "AWS::Events::Archive")
    ]
    assert set(kept["Resources"]) == {"Queue", "Other"}
    assert kept["Resources"]["Queue"]["DependsOn"] == ["Other"]
    assert set(kept["Outputs"]) == {"Q"}
    assert "Archive" in template["Resources"]


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "Archive"},
        {"Fn::GetAtt": "Archive.Arn"},
        {"Fn::GetAtt": ["Archive", "Arn"]},
        {"Fn::Sub": "x-${Archive.Arn}"},
    ],
)
def test_a_resource_that_needs_one_that_is_left_out_is_an_error(reference: dict[str, Any]) -> None:
    needy = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Join": ["", ["a", reference]]}}}
    with pytest.raises(DanglingReference, match="Needy refers to Archive"):
        localized({"Resources": {"Archive": ARCHIVE, "Needy": needy}})


def test_only_alarms_of_metric_math_are_left_out() -> None:
    plain = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}
    math = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": []}}
    kept, omissions = localized({"Resources": {"Plain": plain, "Math": math}})
    assert set(kept["Resources"]) == {"Plain"}
    assert [omission.logical_id for omission in omissions] == ["Math"]


def test_a_secret_is_named_by_its_arn_as_on_aws() -> None:
    template = {
        "Resources": {
            "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {}},
            "Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Resource": [{"Ref": "Secret"}, {"Ref": "Policy"}]}},
        }
    }
    kept, _ = localized(template)
    assert kept["Resources"]["Policy"]["Properties"]["Resource"] == [
        {"Fn::GetAtt": ["Secret", "Id"]},
        {"Ref": "Policy"},
    ]
