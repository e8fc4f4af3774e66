"""The console as it is deployed: signing in on the user pool's own page, in headless Chromium."""

import pytest
import requests
from playwright.sync_api import BrowserContext

from infra.local.cloud import LocalCloud
from infra.local.seed import run_loyalty
from loyalty.core.clock import system_clock, to_text
from loyalty.core.table import Table
from loyalty.fulfillment.run import RunStatus
from tests.e2e.partner import Partner, eventually, unique
from tests.e2e.signing_in import sign_in
from tests.e2e.test_referrals import buys, rewards
from tests.financekit.runs import a_run, redemption, step, write

NOW = to_text(system_clock())


@pytest.fixture
def run(cloud: LocalCloud, partner: Partner) -> str:
    """A run that waits for approval, in the deployed table. The ledger has an entry too, which the cloud's end asks for."""
    partner.accrue(partner.enroll()["member_id"], "10.00")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.variables.items():
            patch.setenv(name, value)
        waiting = a_run(7, NOW, program=cloud.program, status=RunStatus.AWAITING_APPROVAL, reason="over_threshold")
        write(Table(cloud.table), waiting, [step(1, NOW, "screen", "done")])
    return redemption(7)


def test_a_person_signs_in_looks_and_signs_out(cloud: LocalCloud, context: BrowserContext, run: str) -> None:
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    sign_in(page, cloud)
    assert page.locator("h1").inner_text() == "Coda"
    page.get_by_role("link", name=run).click()
    assert "Attende approvazione" in page.locator(".standing").inner_text()
    assert page.get_by_role("button", name="Approva").is_visible()
    assert page.locator("svg.timeline .mark").count() == 1
    page.get_by_role("link", name="Totali").click()
    assert page.locator("svg.chart").is_visible()
    page.get_by_role("link", name="Riconciliazione").click()
    kept = context.cookies()
    page.goto(cloud.platform.console_url)
    page.get_by_role("button", name="Esci").click()
    page.wait_for_url(cloud.platform.console_url)
    assert page.get_by_role("link", name="Accedi").is_visible()
    assert not [one for one in context.cookies() if one["name"] == "loyalty-session"]
    # Whoever kept the cookie has nothing of it.
    session = {one["name"]: one["value"] for one in kept}
    answer = requests.get(f"{cloud.platform.console_url}/{cloud.program}/runs", cookies=session, timeout=30)
    assert answer.status_code == 401
    assert [line for line in said if "Content Security Policy" in line] == []


def test_a_case_of_abuse_is_found_and_decided_about(
    cloud: LocalCloud, partner: Partner, context: BrowserContext
) -> None:
    member_id = partner.enroll()["member_id"]
    partner.accrue(member_id, "100.00")
    run_loyalty(["risk", "hold", member_id, "--program", cloud.program, "--reason", "complaint"], cloud.environment)
    page = context.new_page()
    sign_in(page, cloud)
    page.get_by_role("link", name="Casi").click()
    assert page.locator("h1").inner_text() == "Casi di sospetto abuso"
    page.goto(f"{cloud.platform.console_url}/{cloud.program}/cases/{member_id}")
    page.get_by_label("Motivo").fill("sold_codes")
    page.get_by_role("button", name="Conferma").click()
    assert page.get_by_role("status").inner_text().startswith("Hai confermato")
    assert page.get_by_role("button", name="Conferma").count() == 0
    assert partner.hold(member_id, "coffee").json()["code"] == "redemptions_on_hold"


def test_a_referral_that_waits_is_found_and_approved(
    cloud: LocalCloud, partner: Partner, context: BrowserContext
) -> None:
    device = {"device": f"tablet-{unique()}"}
    ada = partner.enroll(signals=device)
    friend = partner.enroll(referral_code=ada["referral_code"], signals=device)["member_id"]
    buys(partner, friend, "25.00")
    evidence = f"/members/{friend}/referral/review"
    eventually("one that waits", lambda: partner.call("GET", evidence).json()["in_review"] or None)
    page = context.new_page()
    sign_in(page, cloud)
    page.get_by_role("link", name="Inviti").click()
    page.get_by_role("link", name=friend).click()
    assert "Il dispositivo di chi ha invitato" in page.locator("table").inner_text()
    page.get_by_label("Motivo").fill("known_family")
    page.get_by_role("button", name="Approva").click()
    assert page.get_by_role("status").inner_text().startswith("Hai approvato")
    eventually("both rewards", lambda: rewards(partner, ada["member_id"], friend) == [[100], [50]] or None)


def test_who_is_disabled_is_out_at_the_next_request(cloud: LocalCloud, context: BrowserContext) -> None:
    assert cloud.person is not None
    page = context.new_page()
    sign_in(page, cloud)
    run_loyalty(["person", "disable", cloud.person.id], cloud.environment)
    try:
        answer = page.reload()
        assert answer is not None
        assert answer.status == 401
    finally:
        cloud.seed()


def test_pages_come_with_strict_headers(cloud: LocalCloud) -> None:
    answer = requests.get(cloud.platform.console_url, timeout=30)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")
    style = answer.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    origin = cloud.endpoint
    file = requests.get(origin + style, timeout=30)
    assert (file.status_code, file.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")


@pytest.mark.parametrize("path", ["", "/aurora/runs", "/signed-in?code=x&state=y", "/%2e%2e/x", "/static/nothing.css"])
def test_nothing_is_seen_without_a_session(cloud: LocalCloud, path: str) -> None:
    answer = requests.get(cloud.platform.console_url + path, timeout=30, allow_redirects=False)
    assert answer.status_code in ((200,) if not path else (401, 404))
    assert "rdm_" not in answer.text
