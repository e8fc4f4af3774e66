"""The wraps that write down what roles do, each over a stand-in for what it wraps."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ministack.services import stepfunctions  # type: ignore[import-untyped]

from infra.local.recorded_calls import Call, Recorder, read_calls

ASSUMED = "arn:aws:sts::000000000000:assumed-role/reveal/session"
POLICIES = [[SimpleNamespace(conditions={"StringEquals": {"kms:EncryptionContext:purpose": "gift_card"}})]]
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:cards"


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "calls.jsonl")


def noted(tmp_path: Path) -> list[Call]:
    file = tmp_path / "calls.jsonl"
    return read_calls(file) if file.is_file() else []


def asked(principal: str, **known: Any) -> SimpleNamespace:
    return SimpleNamespace(principal_arn=principal, action="kms:Decrypt", resource_arn="arn:key", service_context=known)


def test_of_a_request_the_keys_are_kept_that_the_role_names(recorder: Recorder, tmp_path: Path) -> None:
    evaluate = recorder.evaluating(lambda *_: SimpleNamespace(decision="Allow"))
    known = {"kms:encryptioncontext:purpose": "gift_card", "kms:encryptioncontext:member": "mbr_1"}
    evaluate(asked(ASSUMED, **known), POLICIES)
    evaluate(asked("arn:aws:iam::000000000000:root", **known), POLICIES)
    conditions = (("kms:encryptioncontext:purpose", ("gift_card",)),)
    assert noted(tmp_path) == [Call("reveal", "kms:Decrypt", "arn:key", conditions)]


def test_a_refusal_is_noted_as_one(recorder: Recorder, tmp_path: Path) -> None:
    recorder.evaluating(lambda *_: SimpleNamespace(decision="ImplicitDeny"))(asked(ASSUMED), POLICIES)
    assert [call.allowed for call in noted(tmp_path)] == [False]


def test_a_resources_own_policy_is_no_grant(recorder: Recorder, tmp_path: Path) -> None:
    evaluate = recorder.evaluating(lambda *_: SimpleNamespace(decision="ImplicitDeny"))
    combine = recorder.apart_from(lambda context: evaluate(context, POLICIES))
    assert combine(asked(ASSUMED)).decision == "ImplicitDeny"
    assert noted(tmp_path) == []
    evaluate(asked(ASSUMED), POLICIES)
    assert len(noted(tmp_path)) == 1


@pytest.mark.parametrize(
    ("resource", "arguments", "call"),
    [
        ("arn:aws:states:::lambda:invoke", {"FunctionName": "arn:f"}, ("lambda:InvokeFunction", "arn:f")),
        (
            "arn:aws:states:::lambda:invoke.waitForTaskToken",
            {"FunctionName": "arn:f"},
            ("lambda:InvokeFunction", "arn:f"),
        ),
        (
            "arn:aws:states:::states:startExecution.sync:2",
            {"StateMachineArn": "arn:m"},
            ("states:StartExecution", "arn:m"),
        ),
        (
            "arn:aws:states:::aws-sdk:dynamodb:getItem",
            {"TableName": "t"},
            ("arn:aws:states:::aws-sdk:dynamodb:getItem", "*"),
        ),
    ],
)
def test_a_task_is_a_call_of_the_machines_role(
    recorder: Recorder, tmp_path: Path, resource: str, arguments: dict[str, str], call: tuple[str, str]
) -> None:
    stepfunctions._state_machines[MACHINE] = {"roleArn": "arn:aws:iam::000000000000:role/cards"}
    try:
        wrapped = recorder.calling(lambda *_: arguments)
        assert wrapped({"Type": "Task", "Resource": resource}, {}, {"StateMachine": {"Id": MACHINE}}) == arguments
        wrapped({"Type": "Pass"}, {}, {"StateMachine": {"Id": MACHINE}})
    finally:
        del stepfunctions._state_machines[MACHINE]
    assert noted(tmp_path) == [Call("cards", *call)]


def test_a_schedule_calls_its_target_by_its_role_and_a_rule_without_one_does_not(
    recorder: Recorder, tmp_path: Path
) -> None:
    target = {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f:live", "RoleArn": "arn:aws:iam::0:role/clock"}
    invoke = recorder.targeting(lambda *_: None)
    invoke(target, {}, {})
    invoke({"Arn": target["Arn"]}, {}, {})
    assert noted(tmp_path) == [Call("clock", "lambda:InvokeFunction", target["Arn"])]
