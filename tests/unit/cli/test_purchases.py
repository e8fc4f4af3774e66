"""``loyalty purchase show``: what an operator sees of a purchase, whatever became of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loyalty.cli import purchases
from loyalty.cli.app import app
from loyalty.core.table import Table
from tests.ledgerkit.tables import create_table
from tests.unit.commerce.shopify_samples import ORDER
from tests.unit.commerce.test_service import CUSTOMER, EMAIL, activity, paid, refunded
from tests.unit.commerce.world import PROGRAM, Commerce

ID = str(ORDER["id"])


@pytest.fixture
def commerce(monkeypatch: pytest.MonkeyPatch) -> Iterator[Commerce]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-south-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOYALTY_TABLE": "loyalty-test",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        table = Table("loyalty-test", region="eu-south-1")
        create_table(table.client, table.name)
        made = Commerce(table)
        monkeypatch.setattr(purchases, "system_clock", made.clock)
        yield made


def show(*more: str, source: str = "shopify", source_id: str = ID) -> Any:
    return CliRunner().invoke(app, ["purchase", "show", "--source", source, "--id", source_id, *more])


def shown(*more: str, **named: str) -> dict[str, Any]:
    result = show("--json", *more, **named)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_refunds_that_wait_are_shown_and_since_when(commerce: Commerce) -> None:
    commerce.apply(refunded("70.50"))
    found = shown()
    assert (found["status"], found["program"], found["member_id"]) == ("not_come", PROGRAM, None)
    assert found["refunds"] == [
        {
            "source_id": "8812000000001",
            "amount": "70.50 USD",
            "occurred_at": "2026-11-20T15:00:00.000Z",
            "waits_since": "2026-11-22T09:00:00.000Z",
            "given_up_at": "2026-12-22T09:00:00.000Z",
        }
    ]
    text = show().stdout
    for word in ("it has not come", "8812000000001", "70.50 USD", "2026-11-22T09:00", "2026-12-22T09:00"):
        assert word in text


def test_a_kept_purchase_says_until_when_and_shows_nobody(commerce: Commerce) -> None:
    commerce.apply(paid())
    commerce.apply(refunded("70.50"))
    found = shown()
    assert (found["status"], found["kept_until"]) == ("kept", "2026-12-22T09:00:00.000Z")
    assert found["refunds"][0]["given_up_at"] is None
    for result in (show(), show("--json")):
        assert "planted" not in result.stdout
        assert CUSTOMER not in result.stdout


def test_a_guests_purchase_can_be_claimed_by_nobody(commerce: Commerce) -> None:
    commerce.apply(paid(customer=None, email="", contact_email=None))
    assert shown()["status"] == "unclaimable"
    assert "nobody who could claim it" in show().stdout


def test_a_purchase_that_counts_names_its_member(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    commerce.apply(paid())
    assert (shown()["status"], shown()["member_id"], shown()["refunds"]) == ("counted", member, [])
    assert f"it counts for {member} of program '{PROGRAM}'" in show().stdout


def test_an_own_systems_activity_is_found_in_its_program(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    commerce.apply(activity(member_id=member))
    assert shown("--program", PROGRAM, source="pos", source_id="R-1")["member_id"] == member
    assert show(source="pos", source_id="R-1").exit_code == 2
    assert show("--program", PROGRAM).exit_code == 2


def test_what_nobody_knows_is_said_and_what_expired_is_no_more(
    commerce: Commerce, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show().exit_code == 1
    commerce.apply(paid())
    assert show().exit_code == 0
    commerce.clock.advance(days=30)
    assert show().exit_code == 1
