"""Files are private, encrypted, sent over TLS, kept in versions, and who read them is written down."""

import loyalty_contract as contract
from infra.functions import FUNCTIONS
from tests.infra.templates import Templates, many, text

KEYED = "aws:kms"
ACCESS_LOGS = "AES256"


def test_no_bucket_is_public_or_without_encryption(stage: Templates) -> None:
    buckets = stage.properties("AWS::S3::Bucket")
    assert len(buckets) == len(stage.properties("AWS::S3::Bucket", "stateful")) > 1
    for bucket in buckets:
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        algorithm = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        if algorithm == ACCESS_LOGS:
            assert "LoggingConfiguration" not in bucket, "only the access logs are without our key"
            continue
        assert algorithm == KEYED
        assert rule["BucketKeyEnabled"] is True
        assert bucket["LoggingConfiguration"]["LogFilePrefix"]


def test_every_bucket_refuses_plain_http(stage: Templates) -> None:
    policies = stage.properties("AWS::S3::BucketPolicy", "stateful")
    assert len(policies) == len(stage.properties("AWS::S3::Bucket"))
    for policy in policies:
        denied = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
        assert any(one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for one in denied)


def test_access_logs_are_taken_from_this_account_alone(stage: Templates) -> None:
    statements = [
        one
        for policy in stage.properties("AWS::S3::BucketPolicy")
        for one in policy["PolicyDocument"]["Statement"]
        if one["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    ]
    assert [one["Sid"] for one in statements] == ["AccessLogOfPictures", "AccessLogOfReports", "AccessLogOfAuditTrail"]
    for one in statements:
        assert one["Action"] == "s3:PutObject"
        assert one["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert f"/{one['Sid'].removeprefix('AccessLogOf').lower()}/*" in text(one["Resource"])


def test_who_reads_files_learns_which_are_missing(stage: Templates) -> None:
    """Of the reports' bucket. Whoever only signs links to pictures, or only writes, asks for none that may be missing.

    The export of the audit trail reads none, and lists to learn what is there already.
    """
    reading, listing = (
        {name for name in FUNCTIONS if any(action in many(one["Action"]) and bucket in text(one["Resource"])
         for one in stage.statements(name))}
        for action, bucket in (("s3:GetObject", "-reports-"), ("s3:ListBucket", "-"))
    )  # fmt: skip
    assert reading == listing - {contract.AUDIT_EXPORT} == {"bulk", "bulk_batch", "privacy"}


def test_the_catalogue_may_read_pictures_and_nothing_else_of_the_bucket(stage: Templates) -> None:
    name, function = next(
        (name, one)
        for name, one in stage.each("AWS::Lambda::Function")
        if one["Properties"]["FunctionName"].endswith("-redemption")
    )
    assert contract.ENV_PICTURES in function["Properties"]["Environment"]["Variables"], name
    actions = {
        action
        for policy in stage.properties("AWS::IAM::Policy")
        for one in policy["PolicyDocument"]["Statement"]
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        if action.startswith("s3:") and "-pictures-" in text(one["Resource"])
    }
    assert actions == {"s3:GetObject"}
