"""``loyalty referrals reviews|show-evidence|approve|reject|revoke|feedback``."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from rich.console import Console
from typer.testing import CliRunner

from loyalty.cli import referral_reviews
from loyalty.cli.app import app
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.referrals.errors import ReferralNotInReview
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.moves import BOB
from tests.ledgerkit.tables import create_table
from tests.unit.referrals.reviewed import Reviewed


@pytest.fixture
def reviewed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reviewed]:
    """Bob came an hour ago and waits for a person; the commands' clock is the real one, a terminal has 100 columns."""
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-south-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOYALTY_TABLE": "loyalty-test",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(referral_reviews, "out", Console(highlight=False, width=100))
    with mock_aws():
        table = Table("loyalty-test")
        create_table(table.client, table.name)
        reviewed = Reviewed(table, clock=SettableClock(system_clock() - timedelta(hours=2)))
        reviewed.come()
        yield reviewed


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["referrals", *words, "--program", "acme"])


def test_the_queue_the_evidence_and_a_decision(reviewed: Reviewed) -> None:
    listed = run("reviews")
    assert listed.exit_code == 0, listed.output
    assert BOB in listed.stdout
    assert "same_device" in listed.stdout
    shown = run("show-evidence", BOB).stdout
    assert f"{BOB}: qualified, in review since" in shown
    assert "score 60 of 100, review, by version 1" in shown
    assert "computed again, it is the same" in shown
    assert "   60  same_device: came from the referrer's device" in shown
    decided = run("approve", BOB, "--reason", "same_household")
    assert decided.exit_code == 0, decided.output
    assert "approved by operator:arn:aws:" in decided.stdout
    assert run("reviews").stdout == "No referral waits for a person.\n"
    reviewed.clock.advance(hours=3)
    reviewed.wake()
    assert json.loads(run("revoke", BOB, "--reason", "fraud", "--json").stdout)["verdict"] == "reject"
    assert all(len(line) <= 100 for text in (listed.stdout, shown) for line in text.splitlines())


def test_rejected_it_counts_for_precision(reviewed: Reviewed) -> None:
    assert run("reject", BOB, "--reason", "same_person").exit_code == 0
    day = reviewed.stored().claimed_at.date().isoformat()
    told = run("feedback", "--from", day)
    assert told.exit_code == 0, told.output
    assert "1 referral claimed from" in told.stdout
    assert "precision 100.0% (1 of 1)" in told.stdout
    assert all(len(line) <= 100 for line in told.stdout.splitlines())
    assert json.loads(run("feedback", "--from", day, "--json").stdout)["recall"]["part"] == 1
    assert isinstance(run("approve", BOB, "--reason", "mistake").exception, ReferralNotInReview)


def test_a_reason_is_a_code(reviewed: Reviewed) -> None:
    assert run("reject", BOB, "--reason", "She said so").exit_code == 2
    assert reviewed.stored().waits
