"""Grants against calls that a run of the e2e suite recorded (``calls.jsonl``: three roles): any difference is found."""

import dataclasses
from pathlib import Path
from typing import Final

import pytest

from infra.local.recorded_calls import Call, Recorder, read_calls
from tests.privileges.compare import Excused, Grant, UnknownCondition, findings, grants_of

CALLS: Final = read_calls(Path(__file__).with_name("calls.jsonl"))
REVEAL, ORDER, MACHINE = "revealRole11A24A56", "fulfillmentRoleF152F5F9", "FulfillmentRoleBA0EA883"
TABLE: Final = "arn:aws:dynamodb:us-east-1:000000000000:table/loyalty-local-stateful-Table"
KEY: Final = "arn:aws:kms:us-east-1:000000000000:key/key-0"
LOG: Final = "arn:aws:logs:us-east-1:000000000000:log-group:/loyalty/local/reveal:log-stream:*"
FOR_CARDS: Final = {"StringEquals": {"kms:EncryptionContext:purpose": "gift_card"}}
GRANTS: Final = [
    *grants_of(
        REVEAL,
        [
            {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": LOG},
            {
                "Effect": "Allow",
                "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
                "Resource": TABLE,
            },
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY, "Condition": FOR_CARDS},
        ],
    ),
    *grants_of(
        ORDER,
        [
            {
                "Effect": "Allow",
                "Action": [
                    "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:ConditionCheckItem",
                    "dynamodb:UpdateItem", "dynamodb:Query",
                ],
                "Resource": TABLE,
            },
            {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": KEY, "Condition": FOR_CARDS},
            {
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": "arn:aws:secretsmanager:us-east-1:000000000000:secret:loyalty-local-stateful-*",
            },
        ],
    ),
    Grant(MACHINE, "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:000000000000:function:loyalty-local-fulfillment:live"),
]  # fmt: skip
LOGS: Final = Excused("*", frozenset({"logs:CreateLogStream", "logs:PutLogEvents"}), "Lambda does.", "*:/loyalty/*")
"""What the deployed roles had."""


def test_nothing_is_found_where_grants_are_what_was_used() -> None:
    assert len(CALLS) == 13
    assert findings(GRANTS, CALLS, [LOGS]) == []


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_a_permission_that_is_taken_away_is_missed(grant: Grant) -> None:
    found = findings([one for one in GRANTS if one is not grant], CALLS, [LOGS])
    kind = "excused without need" if grant.action.startswith("logs:") else "called and not granted"
    assert [line for line in found if line.startswith(f"{kind}: ") and grant.action in line]


@pytest.mark.parametrize("role", [REVEAL, ORDER, MACHINE])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:DeleteItem", TABLE),
        ("dynamodb:Scan", TABLE),
        ("dynamodb:Query", f"{TABLE}/index/by_due"),
        ("kms:Decrypt", f"{KEY}1"),
        ("logs:PutLogEvents", "*"),
    ],
)
def test_a_permission_more_is_noticed(role: str, action: str, resource: str) -> None:
    more = Grant(role, action, resource)
    assert f"granted and never used: {more}" in findings([*GRANTS, more], CALLS, [LOGS])


def test_a_wider_grant_does_not_pass_for_the_one_that_is_needed() -> None:
    """Everything on the table covers every call, and so what was granted before is granted twice."""
    found = findings([*GRANTS, Grant(REVEAL, "dynamodb:*", "*")], CALLS, [LOGS])
    assert [line.split(":")[0] for line in found] == ["granted more than once"] * 3


def test_conditions_count() -> None:
    (sealed,) = [grant for grant in GRANTS if grant.action == "kms:Decrypt"]
    (call,) = [call for call in CALLS if call.action == "kms:Decrypt"]
    assert sealed.covers(call)
    assert not sealed.covers(dataclasses.replace(call, conditions=()))
    other = (("kms:encryptioncontext:purpose", ("profile",)),)
    assert not sealed.covers(dataclasses.replace(call, conditions=other))
    (wide,) = grants_of("r", [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "bulk/*"}}}])  # fmt: skip
    assert wide.covers(Call("r", "s3:ListBucket", "arn:aws:s3:::b", (("s3:prefix", ("bulk/a",)),)))
    assert not wide.covers(Call("r", "s3:ListBucket", "arn:aws:s3:::b", (("s3:prefix", ("reports/a",)),)))


@pytest.mark.parametrize(
    ("condition", "values", "covered"),
    [
        ("ForAllValues:StringLike", ("M#a", "M#b"), True),
        ("ForAllValues:StringLike", ("M#a", "P#b"), False),
        ("ForAllValues:StringLike", None, True),
        ("ForAnyValue:StringLike", ("M#a", "P#b"), True),
        ("ForAnyValue:StringLike", None, False),
    ],
)
def test_conditions_on_several_values(condition: str, values: tuple[str, ...] | None, covered: bool) -> None:
    statement = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE, "Condition": {condition: {"dynamodb:LeadingKeys": ["M#*"]}}}  # fmt: skip
    (grant,) = grants_of("r", [statement])
    known = () if values is None else (("dynamodb:leadingkeys", values),)
    assert grant.covers(Call("r", "dynamodb:GetItem", TABLE, known)) is covered


def test_a_refused_call_is_found_even_where_it_is_granted() -> None:
    refused = dataclasses.replace(CALLS[0], allowed=False)
    assert [line for line in findings(GRANTS, [*CALLS, refused], [LOGS]) if line.startswith("called and not granted")]


def test_an_excuse_that_is_not_needed_is_found() -> None:
    needless = Excused(REVEAL, frozenset({"dynamodb:GetItem", "dynamodb:Scan"}), "None.")
    assert findings(GRANTS, CALLS, [LOGS, needless]) == [
        f"excused without need: {REVEAL}: dynamodb:GetItem",
        f"excused without need: {REVEAL}: dynamodb:Scan",
    ]


def test_what_is_denied_is_no_grant() -> None:
    trail = {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["A#*"]}}
    refusal = {"Effect": "Deny", "Action": "dynamodb:DeleteItem", "Resource": TABLE, "Condition": trail}
    allowed = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE}
    assert [grant.action for grant in grants_of("r", [refusal, allowed])] == ["dynamodb:GetItem"]


def test_statements_that_are_no_plain_grants_are_refused() -> None:
    with pytest.raises(ValueError, match="no plain grant"):
        list(grants_of("r", [{"Effect": "Allow", "NotAction": "s3:*", "Action": "a:b", "Resource": "*"}]))
    unknown = {
        "Effect": "Allow",
        "Action": "a:b",
        "Resource": "*",
        "Condition": {"NumericLessThan": {"s3:max-keys": "1"}},
    }
    with pytest.raises(UnknownCondition, match="NumericLessThan"):
        list(grants_of("r", [unknown]))


def test_a_recorder_writes_each_call_once_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    recorder = Recorder(file)
    for call in [*CALLS, *CALLS]:
        recorder.note(call)
    assert read_calls(file) == CALLS
    again = Recorder(file)
    again.note(CALLS[0])
    again.note(dataclasses.replace(CALLS[0], allowed=False))
    assert read_calls(file) == [*CALLS, dataclasses.replace(CALLS[0], allowed=False)]
