"""What referrals brought, on the deployed platform: for staff alone, and of the program's own days."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from infra.local.cloud import LocalCloud
from loyalty.core.clock import local_date
from tests.e2e.partner import Partner, eventually

pytestmark = pytest.mark.e2e

AURORA: Final = Path(__file__).parents[2] / "events" / "programs" / "aurora.json"


def today() -> date:
    """By the program's calendar."""
    return local_date(datetime.now(UTC), ZoneInfo(json.loads(AURORA.read_text())["time_zone"]))


def test_a_report_counts_who_was_brought_and_who_enrolled(cloud: LocalCloud, partner: Partner) -> None:
    client_id, secret = cloud.new_client("reporting", ["reports.read"], [cloud.program])
    desk = Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))

    def report() -> dict[str, Any]:
        period = f"from={today() - timedelta(days=1)}&until={today()}"
        answer = desk.call("GET", f"/reports/referrals?{period}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    before = report()
    partner.enroll(referral_code=partner.enroll()["referral_code"])

    def later() -> dict[str, Any] | None:
        found = report()
        brought = found["total"]["enrolled"] > before["total"]["enrolled"]
        return found if brought and found["growth"]["members"] > before["growth"]["members"] + 1 else None

    found = eventually("a report with the new referral and both members", later)
    assert sum(found["total"]["statuses"].values()) == found["total"]["enrolled"]
    assert sum(one["counts"]["enrolled"] for one in found["channels"]) == found["total"]["enrolled"]
    tomorrow = today() + timedelta(days=1)
    refused = desk.call("GET", f"/reports/referrals?from={tomorrow}&until={tomorrow}")
    assert (refused.status_code, refused.json()["code"]) == (422, "period_refused")
