"""What staff and operators do at the deployed stage is in the trail, linked by the stream, exported, and proved."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.cloud import STAGE, LocalCloud
from infra.local.seed import program_documents
from loyalty_contract import AUDIT_EXPORT, resource
from tests.e2e.partner import Partner, eventually, unique
from tests.e2e.test_redrive import loyalty

pytestmark = pytest.mark.e2e

SCOPES = (
    "members.write", "members.merge", "adjustments.write", "adjustments.approve", "tiers.grant", "programs.write",
)  # fmt: skip


class Audited:
    """A program of its own, with a client of staff's tools and a second one who approves."""

    def __init__(self, cloud: LocalCloud, folder: Path) -> None:
        self.cloud = cloud
        self.id = f"audited-{unique()}"
        path = folder / "audited.json"
        document = json.loads(program_documents()[cloud.program].read_text())
        self.document = document | {"id": self.id, "shopify_shops": []}
        path.write_text(json.dumps(self.document))
        assert loyalty(cloud, "program", "publish", str(path), "--actor", "ann")[0] == 0
        self.desk, self.second = self._caller("desk"), self._caller("second")

    def _caller(self, name: str) -> Partner:
        client_id, secret = self.cloud.new_client(f"{self.id}-{name}", list(SCOPES), [self.id])
        caller = Partner(self.cloud, self.cloud.token(client_id=client_id, client_secret=secret))
        caller.program_url = f"{self.cloud.api_url}/v1/programs/{self.id}"
        return caller

    def verify(self, *more: str) -> tuple[int, dict[str, Any]]:
        code, text = loyalty(self.cloud, "audit", "verify", "--scope", self.id, "--json", *more)
        proof: dict[str, Any] = json.loads(text)
        return code, proof

    def linked(self, lines: int) -> dict[str, Any]:
        """The proof, once so many lines are linked."""

        def look() -> dict[str, Any] | None:
            _, proof = self.verify("--no-bucket")
            return proof if proof["lines"] == lines and not proof["waiting"] else None

        return eventually(f"{lines} linked lines", look)

    def lines(self) -> list[dict[str, Any]]:
        code, text = loyalty(self.cloud, "audit", "show", "--scope", self.id, "--json")
        assert code == 0
        found: list[dict[str, Any]] = json.loads(text)["lines"]
        return found

    def export(self) -> dict[str, int]:
        answer = self.cloud.client("lambda").invoke(FunctionName=f"{resource(STAGE, AUDIT_EXPORT)}:live", Payload=b"{}")
        assert "FunctionError" not in answer, answer
        done: dict[str, int] = json.loads(answer["Payload"].read())
        return done


def _post(caller: Partner, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
    answer = caller.call("POST", path, body, Idempotency_Key=unique())
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture(scope="module")
def audited(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """Acts of six kinds were done: seven lines."""
    found = Audited(cloud, tmp_path_factory.mktemp("audited"))
    desk = found.desk
    member, twin = desk.enroll()["member_id"], desk.enroll()["member_id"]
    of = f"/members/{member}"
    _post(desk, f"{of}/adjustments", {"points": 20, "reason": "goodwill", "actor": "staff-17"}, 201)
    much = {"points": 20_000, "reason": "goodwill", "actor": "staff-17"}
    asked = _post(desk, f"{of}/adjustments", much, 202)
    approval = f"{of}/adjustments/{asked['adjustment_id']}/approve"
    _post(found.second, approval, {"actor": "staff-4"}, 200)
    _post(found.second, approval, {"actor": "staff-4"}, 200)  # again: no second line
    tier = {"tier": found.document["tiers"][1]["id"], "until": f"{datetime.now(UTC).year + 1}-01-31"}
    _post(desk, f"{of}/tier-grants/status", {**tier, "reason": "goodwill", "actor": "staff-17"}, 201)
    _post(desk, f"{of}/merge", {"from_member_id": twin, "actor": "staff-17"}, 201)
    draft = desk.call("PUT", "/draft", found.document | {"name": "Audited"}, If_None_Match="*")
    assert draft.status_code == 200, draft.text
    return found


def test_every_act_is_a_line_that_says_who_and_from_where(audited: Audited) -> None:
    proof = audited.linked(7)
    assert proof["findings"] == []
    lines = audited.lines()
    assert [line["action"] for line in lines] == [
        "program.published", "adjustment.posted", "adjustment.proposed", "adjustment.approved", "tier.granted",
        "member.merged", "program.draft_saved",
    ]  # fmt: skip
    published, posted, _, approved, *_ = lines
    assert published["by"].startswith("operator:arn:aws:")
    assert (published["actor"], published["after"]["version"]) == ("ann", 1)
    assert posted["by"].startswith("client:")
    assert (posted["actor"], posted["after"]["points"]) == ("staff-17", 20)
    assert posted["address"]
    assert posted["request_id"]
    assert (approved["actor"], approved["before"], approved["after"]["status"]) == (
        "staff-4", {"status": "proposed"}, "posted",
    )  # fmt: skip
    assert approved["by"] != posted["by"]


def test_what_is_exported_cannot_be_taken_out_and_agrees_with_the_table(audited: Audited) -> None:
    audited.linked(7)
    assert audited.export()["heads"] >= 1
    code, proof = audited.verify()
    assert (code, proof["findings"], proof["bucket"], proof["heads"]) == (0, [], True, 1)
    s3, bucket = audited.cloud.client("s3"), audited.cloud.platform.outputs["AuditTrailBucketName"]
    (version,) = s3.list_object_versions(Bucket=bucket, Prefix=f"heads/{audited.id}/")["Versions"]
    with pytest.raises(ClientError, match="object lock"):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    mark = s3.delete_object(Bucket=bucket, Key=version["Key"])
    code, proof = audited.verify()
    assert (code, [one["kind"] for one in proof["findings"]]) == (1, ["file_hidden"]), "its lock is not over"
    s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=mark["VersionId"])
    assert audited.verify()[0] == 0


def test_a_line_that_somebody_changes_or_takes_out_is_named(audited: Audited) -> None:
    audited.linked(7)
    dynamodb, table = audited.cloud.client("dynamodb"), audited.cloud.table
    pk = f"A#{audited.id}#{datetime.now(UTC).date()}"
    line = audited.lines()[3]
    key = {"pk": {"S": pk}, "sk": {"S": line["line"]}}
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.put_item(TableName=table, Item=item | {"actor": {"S": "staff-17"}})
    code, proof = audited.verify("--no-bucket")
    assert (code, [(one["kind"], one["what"]) for one in proof["findings"]]) == (1, [("line_changed", line["line"])])
    dynamodb.delete_item(TableName=table, Key=key)
    code, proof = audited.verify("--no-bucket")
    assert (code, [(one["kind"], one["what"]) for one in proof["findings"]]) == (1, [("line_removed", line["line"])])
    dynamodb.put_item(TableName=table, Item=item)
    assert audited.verify("--no-bucket")[0] == 0
