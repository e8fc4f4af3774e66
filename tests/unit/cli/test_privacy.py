"""``loyalty privacy reapply``: one member who cannot be erased again keeps nobody else."""

import json
from collections.abc import Iterator
from typing import Final

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loyalty.cli.app import app
from loyalty.core import aws
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.merging.service import MergeService
from loyalty.privacy.steps import note_key
from loyalty.programs.store import ProgramStore
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import document
from tests.ledgerkit.tables import create_table
from tests.ledgerkit.world import World

REGION: Final = "eu-south-1"
BUCKET: Final = "reports-test"
MERGED, SURVIVOR, GONE, LATER = (f"mbr_{one * 26}" for one in "abcd")


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    settings = {"LOYALTY_TABLE": "loyalty-test", "LOYALTY_REPORTS": BUCKET, "AWS_DEFAULT_REGION": REGION}
    for name, value in (keys | settings).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        aws.client.cache_clear()
        table = Table("loyalty-test", region=REGION)
        create_table(table.client, table.name)
        ProgramStore(table, system_clock).publish(document(), expected_version=0, actor="test")
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield table
    aws.client.cache_clear()


def test_one_who_cannot_be_erased_again_keeps_nobody_else(table: Table) -> None:
    """They were merged after the restore, before this command; whoever the bucket names after them is erased."""
    world = World(table, clock=SettableClock(system_clock()))
    for member in (MERGED, SURVIVOR, GONE):
        world.enroll(member)
    MergeService(world.ledger, world.reversals).merge(world.program, SURVIVOR, absorbed=MERGED, actor="staff-1")
    for member in (MERGED, GONE, LATER):
        boto3.client("s3").put_object(Bucket=BUCKET, Key=note_key("acme", member), Body=b"{}")
    told = CliRunner().invoke(app, ["privacy", "reapply", "--program", "acme", "--json"])
    assert told.exit_code == 1, told.output
    said = json.loads(told.stdout)
    assert (said["erased"], said["unknown"], list(said["blocked"])) == (1, 1, [MERGED])
    assert SURVIVOR in said["blocked"][MERGED]
    assert world.book(GONE).erased_at is not None
    assert world.book(SURVIVOR).erased_at is None
    assert world.audit() == []
