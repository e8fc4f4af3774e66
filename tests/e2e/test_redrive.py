"""What an operator does about dead letters: look, mend the cause, redrive."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.seed import LOYALTY, program_documents
from tests.e2e.partner import Bus, Partner, eventually, new_email, unique

pytestmark = pytest.mark.e2e

SCOPES = ("members.write", "members.read", "wallet.read")


def loyalty(cloud: LocalCloud, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(LOYALTY), *arguments], env=cloud.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert not done.stderr.startswith("Traceback"), done.stderr
    return done.returncode, done.stdout


def redrive(cloud: LocalCloud, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, text = loyalty(cloud, "redrive", *arguments, "--json")
    return code, json.loads(text)


def waits(cloud: LocalCloud, queue: str, reason: str) -> None:
    """Until a letter with that reason is in the queue's dead letters."""
    eventually(f"{reason} in {queue}", lambda: redrive(cloud, queue, "--list")[1]["reasons"].get(reason))


def test_a_purchase_for_a_program_that_came_later_counts_once_redriven(cloud: LocalCloud, tmp_path: Path) -> None:
    program, purchase, email = f"late-{unique()}", unique(), new_email()
    detail = {
        "program": program,
        "email": email,
        "activity": "purchase",
        "source": "pos",
        "source_id": purchase,
        "occurred_at": "2026-11-20T10:00:00Z",
        "channel": "store",
        "amount": {"value": "40.00", "currency": "USD"},
    }
    Bus(cloud).put(detail, source="pos", kind="activity.recorded")
    waits(cloud, "inbound", "program_unknown")

    document = json.loads(program_documents()[cloud.program].read_text())
    mended = tmp_path / "late.json"
    mended.write_text(json.dumps(document | {"id": program, "shopify_shops": []}))
    assert loyalty(cloud, "program", "publish", str(mended))[0] == 0
    partner = Partner(cloud, None)
    client_id, secret = cloud.new_client(program, SCOPES, [program])
    partner.headers = {"Authorization": f"Bearer {cloud.token(client_id=client_id, client_secret=secret)}"}
    partner.program_url = f"{cloud.api_url}/v1/programs/{program}"
    member_id = partner.enroll(email)["member_id"]

    code, report = redrive(cloud, "inbound", "--reason", "program_unknown", "--yes")
    assert (code, report["asked"], report["moved"]) == (0, 1, 1)
    assert partner.entry(member_id, f"accrual:pos:{purchase}")["points"] == 40
    assert partner.wallet(member_id)["available"] == 40
    assert "program_unknown" not in redrive(cloud, "inbound", "--list")[1]["reasons"]


def test_a_change_that_is_no_event_stops_no_other_and_is_published_once_mended(cloud: LocalCloud) -> None:
    table = cloud.client("dynamodb")
    redemption = f"rdm_{unique()}"
    key = {"pk": {"S": f"M#{cloud.program}#mbr_nobody"}, "sk": {"S": f"REDEMPTION#{redemption}"}}
    facts = {"reward_id": {"S": "coffee"}, "reward_type": {"S": "perk"}, "quantity": {"N": "1"}, "points": {"N": "50"}}
    try:
        table.put_item(TableName=cloud.table, Item={**key, **facts, "status": {"S": "vanished"}})
        waits(cloud, "unpublished", "unreadable_record")
        code, report = redrive(cloud, "unpublished", "--yes")
        assert (code, report["moved"]) == (1, 0)
        assert list(report["stayed"].values()) == ["still unreadable: KeyError"], "another test left one behind"

        table.put_item(TableName=cloud.table, Item={**key, **facts, "status": {"S": "held"}})
        code, report = redrive(cloud, "unpublished", "--yes")
        assert (code, report["moved"], report["left"]) == (0, 1, 0)
    finally:
        table.delete_item(TableName=cloud.table, Key=key)
