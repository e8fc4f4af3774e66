"""What was published or bound is in force after the time that functions remember: a version for whatever is asked of any of
them, and a new program for who types the guide's lines as printed.

Both wait for that time at once.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from infra.local.cloud import LocalCloud
from infra.local.envfile import write_env
from infra.local.seed import publish_programs
from loyalty.programs.publication import CACHE_SECONDS
from loyalty_contract import SCOPES
from tests.e2e.partner import Bus, Partner, eventually, unique

pytestmark = pytest.mark.e2e

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "programs.md").read_text()
KINDS: Final = {
    "accrual:pos",  # accrual
    "accrual:reviews",  # accrual_events
    "tier:tier_recalculation",
    "hold",  # redemption
    "capture",  # fulfillment
    "adjustment",
    "transfer_out",
    "transfer_in",
    "merge_in",
}
"""What a member's statement has once every function has posted to it."""


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def typed(
    cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Future[subprocess.CompletedProcess[str]]]:
    """What became of the guide's lines, which somebody begins to type before the first test here."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "harbour.yaml").write_text(blocks("yaml")[0])
    write_env(folder / ".local" / "env", cloud.variables)
    publish, accrue = (block for block in blocks("sh") if "source .local/env" in block or "accruals" in block)
    # Until it has heard of the new binding, the function that enrolls knows no such program; then every binding as before.
    program = f"{cloud.api_url}/v1/programs/harbour"
    waiting = f'until curl -sf "{program}" -H "Authorization: Bearer {cloud.token()}" > /dev/null; do sleep 1; done\n'
    again = publish.splitlines()[-1] + " --program boreal --unpublished\n"
    with ThreadPoolExecutor(1) as typing:
        yield typing.submit(
            subprocess.run,
            ["bash", "-euo", "pipefail", "-c", f"{publish}{again}sleep {CACHE_SECONDS + 1}\n{waiting}{accrue}"],
            cwd=folder,
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


def document(version: int) -> dict[str, Any]:
    """Of a program whose two versions differ in whatever a function could have remembered."""
    found: dict[str, Any] = json.loads((ROOT / "events" / "programs" / "aurora.json").read_text())
    rate = {"points": version, "per": "1.00", "currency": "USD"}
    tiers = [{"id": f"v{version}", "name": f"Version {version}", "threshold": 0}, *found["tiers"][1:]]
    return found | {
        "id": "cascade",
        "name": f"Cascade {version}",
        "earn_rules": [{"id": "purchase", "activity": "purchase", "rates": [rate]}, found["earn_rules"][1]],
        "tiers": tiers,
        "referrals": None,
        "shopify_shops": [],
    }


@pytest.fixture
def cascade(cloud: LocalCloud, tmp_path: Path) -> Partner:
    """Of a program of its own, so that nobody else is met by its versions."""
    publish(cloud, tmp_path, 1)
    client_id, secret = cloud.new_client("cascade", list(SCOPES), ["cascade"])
    caller = Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))
    caller.program_url = f"{cloud.api_url}/v1/programs/cascade"
    return caller


def publish(cloud: LocalCloud, folder: Path, version: int) -> None:
    path = folder / f"cascade-{version}.json"
    path.write_text(json.dumps(document(version)))
    publish_programs(cloud.environment, {"cascade": path})


def test_every_function_goes_by_the_new_version_after_the_time_that_is_promised(
    cloud: LocalCloud, cascade: Partner, tmp_path: Path
) -> None:
    member_id, accrual = all_functions(cascade, 1)
    publish(cloud, tmp_path, 2)
    time.sleep(CACHE_SECONDS)
    all_functions(cascade, 2)
    # What an old entry gave is taken back by the version that decided it: a point for each dollar, and not two.
    body = {"source": "pos", "source_id": unique(), "accrual_source_id": accrual, "reason": "refund"}
    paid = {"occurred_at": "2026-11-21T10:00:00Z", "amount": {"value": "100.00", "currency": "USD"}}
    taken = cascade.call("POST", f"/members/{member_id}/reversals", body | paid)
    assert (taken.status_code, taken.json()["points"]) == (201, 100)


def all_functions(partner: Partner, version: int) -> tuple[str, str]:
    """Has every function do something; a member and one of their accruals. All of it is decided by ``version``."""
    offer = partner.call("GET", "")
    assert offer.status_code == 200, offer.text
    assert (offer.json()["name"], offer.json()["version"]) == (f"Cascade {version}", version)
    friend, twin = partner.enroll(), partner.enroll()
    assert friend["tier"] == f"v{version}"
    member_id, accrual = partner.enroll()["member_id"], unique()
    assert partner.accrue(member_id, "600", accrual)["points"] == 600 * version
    eventually("silver", lambda: partner.wallet(member_id)["tier"] != f"v{version}" or None)
    review = {"program": "cascade", "member_id": member_id, "activity": "review", "source": "reviews"}
    told = review | {"source_id": unique(), "occurred_at": "2026-11-20T10:00:00Z", "channel": "online"}
    Bus(partner.cloud).put(told, source="reviews", kind="activity.recorded")
    partner.entry(member_id, f"accrual:reviews:{told['source_id']}")
    held = partner.hold(member_id, "gift-card-10").json()
    path = f"/members/{member_id}/redemptions/{held['redemption_id']}"
    eventually("a gift card", lambda: partner.call("GET", path).json()["status"] == "captured" or None)
    code = {"referral_code": friend["referral_code"]}
    assert partner.call("POST", "/referrals/validate", code).json()["valid"] is True
    given = {"points": 20, "reason": "goodwill", "actor": "staff-17"}
    _post(partner, f"/members/{member_id}/adjustments", given)
    _post(partner, f"/members/{member_id}/transfers", {"to_member_id": friend["member_id"], "points": 10})
    _post(partner, f"/members/{friend['member_id']}/transfers", {"to_member_id": member_id, "points": 10})
    _post(partner, f"/members/{member_id}/merge", {"from_member_id": twin["member_id"], "actor": "staff-17"})
    entries = partner.entries(member_id)
    assert {entry["program_version"] for entry in entries} == {version}
    done = [entry["entry_id"] for entry in entries]
    assert [kind for kind in KINDS if not any(one.startswith(f"{kind}:") for one in done)] == []
    return member_id, accrual


def _post(partner: Partner, path: str, body: dict[str, Any]) -> None:
    answer = partner.call("POST", path, body, Idempotency_Key=unique())
    assert answer.status_code in {200, 201}, answer.text


def test_the_guides_lines_work_as_printed(typed: Future[subprocess.CompletedProcess[str]]) -> None:
    done = typed.result()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["points"] == 80
