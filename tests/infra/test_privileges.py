"""Who may do what, read from the templates of every stage: nothing on everything, no key for everybody, nothing public."""

from typing import Any, Final

from tests.infra.templates import Json, Templates, many, text

ON_EVERYTHING: Final = {
    frozenset(
        {
            "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
        }
    ): "Log deliveries are of the account: AWS has no resource for them, and a state machine that logs needs them.",
    frozenset({"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"}):
        "Traces have no resource in IAM.",
}  # fmt: skip
"""Actions that a role may do on ``*``, as one statement has them, and why AWS leaves no other way."""

WILD_ACTIONS_OF_KEYS: Final = {"kms:*", "kms:ReEncrypt*", "kms:GenerateDataKey*"}
"""The account's administrators alone have the first; the others are families that AWS documents as these patterns."""

SERVICES_OF_KEYS: Final = {
    "KeysData": {"logs", "events", "delivery.logs"},
    "KeysMessages": {"events", "cloudwatch"},
    "KeysPii": set[str](),
    "KeysVault": set[str](),
    "KeysLookup": set[str](),
    "KeysConsole": set[str](),
    "TrailKey": set[str](),
}
"""Services of AWS that may use a key by its own policy; our functions use the four before the last by their roles, which name
them, and the last one, of the exported audit trail, through S3 alone."""

REFUSED_ON_KEYS: Final = {"kms:DisableKey", "kms:ScheduleKeyDeletion"}
"""What a key's own policy may refuse to everybody."""

MANAGED_POLICIES: Final = {"service-role/AmazonAPIGatewayPushToCloudWatchLogs"}
"""Of AWS, that a role may have: what they allow is not in our templates, and nothing compares it with what is used."""


def roles_statements(stage: Templates) -> list[Json]:
    inline = [policy["PolicyDocument"] for policy in stage.properties("AWS::IAM::Policy")]
    inline += [one["PolicyDocument"] for role in stage.properties("AWS::IAM::Role") for one in role.get("Policies", [])]
    return [statement for document in inline for statement in document["Statement"]]


def test_no_role_may_do_anything_on_everything(stage: Templates) -> None:
    for statement in roles_statements(stage):
        actions = frozenset(many(statement["Action"]))
        assert not [action for action in actions if "*" in action], statement
        assert {"NotAction", "NotResource", "Principal"}.isdisjoint(statement)
        if "*" in many(statement["Resource"]):
            assert actions in ON_EVERYTHING, statement


def test_each_exception_for_everything_is_needed(stage: Templates) -> None:
    used = {frozenset(many(one["Action"])) for one in roles_statements(stage) if "*" in many(one["Resource"])}
    assert used == set(ON_EVERYTHING)


def test_each_role_is_for_one_service_of_aws(stage: Templates) -> None:
    for role in stage.properties("AWS::IAM::Role"):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert list(statement["Principal"]) == ["Service"], role
        assert isinstance(statement["Principal"]["Service"], str)
        assert statement["Action"] == "sts:AssumeRole"


def test_what_a_role_may_do_is_all_in_its_own_policies(stage: Templates) -> None:
    """Only these are held against what is used: a policy of another kind would be a way around that."""
    attached = {
        text(one).rpartition(":iam::aws:policy/")[2].strip('"]}')
        for role in stage.properties("AWS::IAM::Role")
        for one in role.get("ManagedPolicyArns", [])
    }
    assert attached <= MANAGED_POLICIES
    kinds = {each["Type"] for template in stage.stacks.values() for each in template["Resources"].values()}
    iam = {kind for kind in kinds if kind.startswith("AWS::IAM::")}
    assert iam == {"AWS::IAM::Role", "AWS::IAM::Policy"}, iam


def test_a_keys_own_policy_names_the_account_and_few_services(stage: Templates) -> None:
    keys = dict(stage.each("AWS::KMS::Key"))
    named = {logical_id: next(name for name in SERVICES_OF_KEYS if logical_id.startswith(name)) for logical_id in keys}
    assert set(named.values()) == set(SERVICES_OF_KEYS)
    for logical_id, key in keys.items():
        for statement in key["Properties"]["KeyPolicy"]["Statement"]:
            _check_key(statement, SERVICES_OF_KEYS[named[logical_id]])


def _check_key(statement: Json, services: set[str]) -> None:
    principal, conditions = statement["Principal"], text(statement.get("Condition", {}))
    wild = {action for action in many(statement["Action"]) if "*" in action}
    if statement["Effect"] == "Deny":
        assert set(many(statement["Action"])) <= REFUSED_ON_KEYS, statement
        return
    assert wild <= WILD_ACTIONS_OF_KEYS, statement
    if "Service" in principal:
        assert {str(service).split(".", maxsplit=1)[0] for service in many(principal["Service"])} <= services, statement
        assert conditions != "{}", statement
        assert "kms:*" not in wild
    elif principal == {"AWS": "*"}:
        assert "kms:CallerAccount" in conditions, statement
        assert "kms:ViaService" in conditions, statement
        assert "kms:*" not in wild
    else:
        assert ":root" in text(principal), statement


def test_no_bucket_queue_or_topic_is_for_everybody(stage: Templates) -> None:
    kinds = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::Events::EventBusPolicy")
    statements: list[Any] = [
        statement
        for kind in kinds
        for properties in stage.properties(kind)
        for statement in many(properties.get("PolicyDocument", properties).get("Statement", properties))
    ]
    assert statements
    for statement in statements:
        everybody = statement.get("Principal") in ("*", {"AWS": "*"})
        if statement["Effect"] == "Allow":
            assert not everybody, statement
            assert list(statement["Principal"]) == ["Service"], statement
            assert "aws:Source" in text(statement["Condition"]), statement
        else:
            assert everybody, statement
    for bucket in stage.properties("AWS::S3::Bucket"):
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "AccessControl" not in bucket


def test_no_function_has_an_address_or_a_permission_for_everybody(stage: Templates) -> None:
    assert not list(stage.each("AWS::Lambda::Url"))
    for permission in stage.properties("AWS::Lambda::Permission"):
        assert str(permission["Principal"]).endswith(".amazonaws.com"), permission
        assert "SourceArn" in permission or "SourceAccount" in permission, permission
