"""``loyalty referrals``."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loyalty.attribution.model import ReferralStatus
from loyalty.cli.app import app
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.referrals.due import DueReferrals
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.tables import create_table
from tests.ledgerkit.waking import ADA, FRIEND, Brought

RUNNER = CliRunner()
OF_FRIEND = ["--program", "acme"]


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> Iterator[Brought]:
    """A friend who came twenty days ago and bought at once; the commands' clock is the real one."""
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-south-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOYALTY_TABLE": "loyalty-test",
    }.items():
        monkeypatch.setenv(name, value)
    # moto cannot answer two requests at once
    defaults = DueReferrals.__init__.__kwdefaults__ or {}
    monkeypatch.setattr(DueReferrals.__init__, "__kwdefaults__", {**defaults, "workers": 1})
    with mock_aws():
        table = Table("loyalty-test")
        create_table(table.client, table.name)
        brought = Brought(table, clock=SettableClock(system_clock() - timedelta(days=20)))
        brought.buys("R-1")
        brought.wake()
        yield brought


def test_what_is_due_is_worked_off_and_told(brought: Brought) -> None:
    result = RUNNER.invoke(app, ["referrals", "run", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "referrals": [{"member_id": FRIEND, "program": "acme", "status": "rewarded"}], "finished": True, "failures": [],
    }  # fmt: skip
    assert brought.world.wallet(ADA).available == 500
    again = RUNNER.invoke(app, ["referrals", "run"])
    assert "0 referrals brought on, 0 not" in again.stdout


def test_one_is_explained(brought: Brought) -> None:
    told = json.loads(RUNNER.invoke(app, ["referrals", "show", FRIEND, *OF_FRIEND, "--json"]).stdout)
    assert (told["status"], told["members_are_told"], told["qualified_by"], told["next"]) == (
        "qualified", "pending", "accrual:pos:R-1", "screen",
    )  # fmt: skip
    assert told["ledger"] == [{"entry_id": "accrual:pos:R-1", "left": "25.00 EUR", "whole": False}]
    assert RUNNER.invoke(app, ["referrals", "run", *OF_FRIEND, "--member", FRIEND]).exit_code == 0
    told = json.loads(RUNNER.invoke(app, ["referrals", "show", FRIEND, *OF_FRIEND, "--json"]).stdout)
    assert (told["status"], told["verdict"], told["next"]) == ("rewarded", "accept", None)
    assert [(one["member_id"], one["points"]) for one in told["entries"]] == [(ADA, 500), (FRIEND, 250)]
    assert "status: rewarded" in RUNNER.invoke(app, ["referrals", "show", FRIEND, *OF_FRIEND]).stdout


def test_one_that_cannot_be_read_is_named_and_stops_no_other(brought: Brought) -> None:
    raw = brought.table.read(f"M#acme#{FRIEND}", "REFERRAL")
    assert raw is not None
    poisoned = raw | {"pk": {"S": "M#acme#mbr_poisoned"}, "status": {"S": "?"}}
    brought.table.client.put_item(TableName=brought.table.name, Item=poisoned)
    result = RUNNER.invoke(app, ["referrals", "run"])
    assert result.exit_code == 1
    assert "M#acme#mbr_poisoned: ValueError" in result.stdout
    assert brought.referral.status is ReferralStatus.REWARDED


def test_what_is_asked_must_be_there_and_whole(brought: Brought) -> None:
    nobody = RUNNER.invoke(app, ["referrals", "show", ADA, *OF_FRIEND])
    assert nobody.exit_code == 1
    assert "Nobody brought" in str(nobody.exception)
    assert RUNNER.invoke(app, ["referrals", "run", *OF_FRIEND]).exit_code == 2
