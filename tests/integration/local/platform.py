"""A small platform of one table, one key, one function and one state machine, for tests of the local cloud itself."""

from pathlib import Path
from typing import Any

from infra.local.assembly import Asset, Stack

HANDLER = """
import os, boto3, pydantic
from botocore.exceptions import ClientError

dynamodb, kms = boto3.client("dynamodb"), boto3.client("kms")


class Refused(Exception):
    pass


def read(key):
    dynamodb.get_item(TableName=os.environ["TABLE"], Key={"pk": {"S": key}, "sk": {"S": "x"}})


def write(*keys):
    put = lambda key: {"Put": {"TableName": os.environ["TABLE"], "Item": {"pk": {"S": key}, "sk": {"S": "x"}}}}
    dynamodb.transact_write_items(TransactItems=[put(key) for key in keys])


def encrypt(context):
    kms.generate_data_key(KeyId=os.environ["KEY"], KeySpec="AES_256", EncryptionContext=context)


def outcome(call, *arguments):
    try:
        call(*arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"


def handler(event, context):
    if "refuse" in event:
        raise Refused(event["refuse"])
    return {
        "read member": outcome(read, "M#1"),
        "read other": outcome(read, "P#1"),
        "write members": outcome(write, "M#1", "M#2"),
        "write other too": outcome(write, "M#1", "P#1"),
        "scan": outcome(lambda: dynamodb.scan(TableName=os.environ["TABLE"])),
        "encrypt in context": outcome(encrypt, {"program": "aurora", "member": "1"}),
        "encrypt for another program": outcome(encrypt, {"program": "borealis", "member": "1"}),
        "encrypt without context": outcome(encrypt, {}),
        "encrypt with more context": outcome(encrypt, {"program": "aurora", "member": "1", "more": "x"}),
        "version": os.environ["VERSION"],
        "pydantic": pydantic.VERSION,
    }
"""


BUCKET = "assets-${AWS::AccountId}"
LAYER_KEY = "layer.zip"
LAYER_PYDANTIC = "from the layer"
"""The layer's ``pydantic`` shadows the one installed beside ministack, as it does on AWS."""

ROOT = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
"""The account itself: the key's policy leaves it to the roles' policies who may use the key."""


def write_layer(folder: Path) -> None:
    """Write the content of the platform's one layer."""
    package = folder / "python" / "pydantic"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"VERSION = {LAYER_PYDANTIC!r}")


def stack(layer: Path, version: str = "1", **more_resources: Any) -> Stack:
    """The platform as a stack; ``version`` shows in the function's answer."""
    assets = (Asset(layer, zipped=True, bucket=BUCKET, key=LAYER_KEY),)
    return Stack("tiny", "eu-south-1", _template(version, more_resources), BUCKET, assets)


def _template(version: str, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "Resources": {
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": "sk", "KeyType": "RANGE"},
                    ],
                    "BillingMode": "PAY_PER_REQUEST",
                    "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                    "DeletionProtectionEnabled": True,
                    "SSESpecification": {
                        "SSEEnabled": True,
                        "SSEType": "KMS",
                        "KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
                    },
                },
            },
            "Key": {
                "Type": "AWS::KMS::Key",
                "Properties": {"KeyPolicy": _policy({"Action": "kms:*", "Resource": "*", "Principal": {"AWS": ROOT}})},
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": _policy(
                        {"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
                    ),
                    "Policies": [{"PolicyName": "own", "PolicyDocument": _policy(*_grants())}],
                },
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "python3.14",
                    "Handler": "index.handler",
                    "Code": {"ZipFile": HANDLER},
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Layers": [{"Ref": "Layer"}],
                    "Timeout": 20,
                    "Environment": {
                        "Variables": {"TABLE": {"Ref": "Table"}, "KEY": {"Ref": "Key"}, "VERSION": version}
                    },
                },
            },
            "Layer": {
                "Type": "AWS::Lambda::LayerVersion",
                "Properties": {"Content": {"S3Bucket": {"Fn::Sub": BUCKET}, "S3Key": LAYER_KEY}},
            },
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "Definition": _definition()},
            },
            "Archive": {"Type": "AWS::Events::Archive", "Properties": {"SourceArn": "arn:aws:events:::event-bus/x"}},
            **more,
        },
        "Outputs": {
            "Table": {"Value": {"Ref": "Table"}},
            "Function": {"Value": {"Ref": "Function"}},
            "Machine": {"Value": {"Ref": "Machine"}},
        },
    }


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}


def _grants() -> list[dict[str, Any]]:
    return [
        {
            "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
            "Resource": {"Fn::GetAtt": ["Table", "Arn"]},
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["M#*"]}},
        },
        {
            "Action": "kms:GenerateDataKey",
            "Resource": {"Fn::GetAtt": ["Key", "Arn"]},
            "Condition": {
                "StringEquals": {"kms:EncryptionContext:program": "aurora"},
                "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["program", "member"]},
            },
        },
    ]


def _definition() -> dict[str, Any]:
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Refuse",
        "States": {
            "Refuse": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": {"Ref": "Function"}, "Payload": {"refuse": "because"}},
                "Catch": [{"ErrorEquals": ["Refused"], "Next": "Caught"}],
                "End": True,
            },
            "Caught": {"Type": "Pass", "End": True, "Output": "{% {'caught': $states.input.Error} %}"},
        },
    }
