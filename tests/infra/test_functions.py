"""Every function: the runtime, a role that names what it does, and an environment that its handler reads."""

import ast
import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

import loyalty_contract as contract
from infra import ROOT
from infra.functions import FUNCTIONS
from infra.names import function_log_group, resource
from infra.settings import StageSettings
from tests.infra.templates import Json, Templates, many, text

ENTRIES = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"}
POSTS = ENTRIES | {"dynamodb:ConditionCheckItem", "dynamodb:UpdateItem"}
MEMBERS = POSTS | {"dynamodb:DeleteItem"}
CONSUME = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
FILES = {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
SEAL = {"kms:GenerateDataKey", "kms:Decrypt"}
READ_STREAM = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}
DEAD_LETTER = {"sqs:SendMessage"}

MISSES = {"dynamodb:UpdateItem", "dynamodb:PutItem", "dynamodb:Query"}
"""On counts of clients alone, see below."""

DECIDE = {"states:StartExecution", "states:SendTaskSuccess", "states:DescribeExecution"}

MAY_DO = {
    "authorizer": {"dynamodb:GetItem"},
    "supplier_callback": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "secretsmanager:GetSecretValue",
        "states:SendTaskSuccess",
    },
    "abuse": ENTRIES | {"dynamodb:UpdateItem", "dynamodb:Query", "kms:GenerateMac"},
    "abuse_watch": ENTRIES | CONSUME | {"dynamodb:UpdateItem", "dynamodb:Query"},
    "enrollment": MEMBERS | SEAL | MISSES | {"kms:GenerateMac"},
    "wallet": MISSES | {"dynamodb:GetItem", "kms:GenerateMac"},
    "accrual": MEMBERS | {"dynamodb:Query"},
    "redemption": POSTS | {"dynamodb:Query", "kms:GenerateMac", "s3:GetObject"},
    "reveal": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "kms:Decrypt"},
    "stock": ENTRIES | {"dynamodb:UpdateItem", "dynamodb:Query"},
    "adjustment": POSTS | {"dynamodb:Query"},
    "transfer": MEMBERS | MISSES,
    # Reversals that waited are posted with it.
    "merge": MEMBERS | {"dynamodb:Query"},
    "referral_validation": MEMBERS | {"dynamodb:Query", "kms:GenerateMac"},
    "referral_link": ENTRIES | {"dynamodb:UpdateItem"},
    "referral_review": ENTRIES | {"dynamodb:Query", "kms:GenerateMac"},
    "referral_report": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"},
    "program": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"},
    "bulk": ENTRIES | FILES | {"dynamodb:Query", "kms:GenerateMac", "states:StartExecution"},
    # Decisions are written in transactions of their own; resolving one ends its hold.
    "finance": POSTS | DECIDE | {"dynamodb:Query", "kms:GenerateMac"},
    "console": POSTS | DECIDE | {"dynamodb:Query", "kms:GenerateMac"},
    "accrual_events": MEMBERS | CONSUME | {"dynamodb:Query", "kms:GenerateMac", "sqs:SendMessage"},
    # To who absorbed others, nothing is posted without a check of them.
    "tier_recalculation": CONSUME | (POSTS - {"dynamodb:BatchGetItem"}),
    "sweeper": ENTRIES | {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query", "sqs:SendMessage"},
    "referral_events": POSTS | CONSUME | {"dynamodb:Query"},
    "referral_clock": POSTS | {"dynamodb:Query"},
    "publisher": READ_STREAM | DEAD_LETTER | {"events:PutEvents"},
    "privacy": POSTS | {"dynamodb:Query", "s3:GetObject", "s3:ListBucket", "states:StartExecution"},
    "privacy_work": MEMBERS
    | {"dynamodb:Query", "kms:Decrypt", "s3:PutObject", "s3:DeleteObjectVersion", "s3:ListBucketVersions"},
    "supplier_rotation": {
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    },
    "recalculation": POSTS | {"dynamodb:Query"},
    "delivery": MEMBERS | CONSUME | SEAL | {"dynamodb:Query", "kms:GenerateMac"},
    "audit_chain": READ_STREAM | DEAD_LETTER | ENTRIES | {"dynamodb:Query"},
    "audit_export": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "s3:PutObject", "s3:ListBucket"},
    "settlement": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "s3:PutObject"},
    "bulk_batch": POSTS | FILES | {"dynamodb:Query"},
    "reconciliation": (ENTRIES - {"dynamodb:GetItem"})
    | {"dynamodb:Query", "s3:PutObject", "secretsmanager:GetSecretValue"},
    "fulfillment_start": CONSUME | {"states:StartExecution"},
    "fulfillment": ENTRIES
    | {
        "dynamodb:ConditionCheckItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "kms:GenerateDataKey",
        "secretsmanager:GetSecretValue",
    },
}


def test_there_is_a_function_for_each_spec(stage: Templates, settings: StageSettings) -> None:
    names = {function["FunctionName"] for function in stage.properties("AWS::Lambda::Function")}
    assert names == {resource(settings.name, name) for name in FUNCTIONS}


def test_runtime_architecture_and_log(stage: Templates, settings: StageSettings) -> None:
    groups = {function_log_group(settings.name, name) for name in FUNCTIONS}
    for function in stage.properties("AWS::Lambda::Function"):
        assert function["Runtime"] == "python3.14"
        assert function["Architectures"] == ["arm64"]
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        groups.remove(function["LoggingConfig"]["LogGroup"])
        assert len(function["Layers"]) == 2
    assert not groups


def test_snap_start_only_where_a_caller_waits(stage: Templates, settings: StageSettings) -> None:
    snapped = {
        function["FunctionName"]
        for function in stage.properties("AWS::Lambda::Function")
        if function.get("SnapStart") == {"ApplyOn": "PublishedVersions"}
    }
    assert snapped == {resource(settings.name, name) for name, spec in FUNCTIONS.items() if spec.snap_start}
    assert snapped == {function["FunctionName"] for function in stage.properties("AWS::Lambda::Function", "api")}


def test_every_function_has_the_alias_and_a_role_of_its_own(stage: Templates) -> None:
    functions = stage.properties("AWS::Lambda::Function")
    assert [alias["Name"] for alias in stage.properties("AWS::Lambda::Alias")] == ["live"] * len(functions)
    roles = [text(function["Role"]) for function in functions]
    assert len(set(roles)) == len(roles)


def test_what_calls_a_function_calls_its_alias(stage: Templates) -> None:
    called = [permission["FunctionName"] for permission in stage.properties("AWS::Lambda::Permission")]
    called += [mapping["FunctionName"] for mapping in stage.properties("AWS::Lambda::EventSourceMapping")]
    assert called
    for target in called:
        assert "Alias" in text(target)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_role_allows_the_named_actions_and_no_more(stage: Templates, settings: StageSettings, name: str) -> None:
    statements = stage.statements(name)
    allowed = {action for statement in statements for action in many(statement["Action"])}
    has_no_use = name == "supplier_rotation" and contract.ROTATED_SUPPLIER not in settings.suppliers.all()
    assert allowed == LOG | (set() if has_no_use else MAY_DO[name])
    assert not [action for action in allowed if "*" in action]
    for statement in statements:
        for target in many(statement["Resource"]):
            wildcard = target == "*" or text(target).endswith('*"')
            permitted = set(many(statement["Action"])) <= LOG | {"dynamodb:ListStreams"}
            assert not wildcard or permitted, statement


def test_who_only_reads_writes_counts_of_clients_and_nothing_else(stage: Templates) -> None:
    writes = {"dynamodb:UpdateItem", "dynamodb:PutItem", "dynamodb:DeleteItem"}
    (statement,) = [each for each in stage.statements("wallet") if writes & set(many(each["Action"]))]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["W#*"]}}


def test_whoever_follows_a_link_reaches_programs_codes_and_clicks_and_nothing_of_a_member(stage: Templates) -> None:
    found = {
        text(each["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]): set(many(each["Action"]))
        for each in stage.statements("referral_link")
        if not LOG & set(many(each["Action"]))
    }
    assert found == {
        '["P#*"]': {"dynamodb:GetItem"},
        '["U#*#referral#*"]': {"dynamodb:BatchGetItem"},
        '["V#*"]': {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    }


@pytest.mark.parametrize(
    ("name", "purpose", "actions"),
    [
        ("enrollment", "profile", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("privacy_work", "profile", {"kms:Decrypt"}),
        ("reveal", "gift_card", {"kms:Decrypt"}),
        ("fulfillment", "gift_card", {"kms:GenerateDataKey"}),
    ],
)
def test_who_opens_or_seals_does_so_for_one_purpose(
    stage: Templates, name: str, purpose: str, actions: set[str]
) -> None:
    """Under the one key of that purpose; it is asked with the purpose too, which the ciphertext is bound to."""
    (statement,) = [each for each in stage.statements(name) if SEAL & set(many(each["Action"]))]
    assert ("KeysVault" if purpose == "gift_card" else "KeysPii") in text(statement["Resource"])
    assert set(many(statement["Action"])) == actions
    assert statement["Condition"] == {"StringEquals": {"kms:EncryptionContext:purpose": purpose}}


def test_what_was_delivered_is_opened_by_one_function_and_that_seals_nothing(stage: Templates) -> None:
    """As the table of docs/vault.md says, for each use of its key by name."""
    uses = {
        (name, action.removeprefix("kms:"), *each["Condition"]["StringEquals"].values())
        for name in FUNCTIONS
        for each in stage.statements(name)
        for action in many(each["Action"])
        if "KeysVault" in text(each["Resource"])
    }
    assert uses == {
        ("fulfillment", "GenerateDataKey", "gift_card"),
        ("delivery", "GenerateDataKey", "gift_card"),
        ("delivery", "Decrypt", "code_pool"),
        ("reveal", "Decrypt", "gift_card"),
    }


def test_no_other_function_opens_or_seals(stage: Templates) -> None:
    may = {name for name in FUNCTIONS for each in stage.statements(name) if SEAL & set(many(each["Action"]))}
    assert may == {"enrollment", "reveal", "fulfillment", "delivery", "privacy_work"}


def test_no_managed_policies_but_the_gateways_own(stage: Templates) -> None:
    managed = [text(arn) for role in stage.properties("AWS::IAM::Role") for arn in role.get("ManagedPolicyArns", [])]
    assert len(managed) == 1
    assert "AmazonAPIGatewayPushToCloudWatchLogs" in managed[0]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_environment_is_what_the_handler_reads(stage: Templates, settings: StageSettings, name: str) -> None:
    (function,) = [
        function
        for function in stage.properties("AWS::Lambda::Function")
        if function["FunctionName"] == resource(settings.name, name)
    ]
    given = {key for key in function["Environment"]["Variables"] if key.startswith("LOYALTY_")}
    required, optional = _settings_of(name)
    assert required <= given <= required | optional


def _settings_of(name: str) -> tuple[set[str], set[str]]:
    """Variables that the settings of a handler require, and those that they can do without."""
    fields = {"stage": True, "table": True}  # of the base class: name and whether it is required
    for node in ast.parse((ROOT / "functions" / name / "handler.py").read_text()).body:
        if isinstance(node, ast.ClassDef) and any(
            isinstance(base, ast.Name) and base.id == "Settings" for base in node.bases
        ):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    fields[field.target.id] = field.value is None
    variables = {f"LOYALTY_{field.upper()}": required for field, required in fields.items()}
    return {key for key, required in variables.items() if required}, {
        key for key, required in variables.items() if not required
    }


def test_a_spec_names_only_known_variables() -> None:
    known = {value for key, value in vars(contract).items() if key.startswith("ENV_")}
    for spec in FUNCTIONS.values():
        assert set(spec.environment) <= known


def test_a_change_of_the_library_publishes_a_new_version() -> None:
    """The alias names a version: were layers no part of its identity, it would stay on the old library for ever."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert flags["@aws-cdk/aws-lambda:recognizeLayerVersion"] is True
    assert _version_with_layer(flags, "a") == _version_with_layer(flags, "a")
    assert _version_with_layer(flags, "a") != _version_with_layer(flags, "b")


def _version_with_layer(flags: Json, content: str) -> str:
    stack = cdk.Stack(cdk.App(context=flags), "Stack")
    layer = lambda_.LayerVersion(
        stack, "Layer", code=lambda_.Code.from_asset(str(ROOT / "infra" / "settings"), asset_hash=content)
    )
    function = lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="handler.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        layers=[layer],
    )
    function.current_version  # noqa: B018 - defines the version
    (version,) = Template.from_stack(stack).find_resources("AWS::Lambda::Version")
    return version
