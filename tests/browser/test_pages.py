"""Every page in every language, at a desk and on a phone: nothing that keeps people out, nothing cut off."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import screenshot, sign_in
from tests.browser.scene import (
    APPEALED,
    ASKED,
    ATTENTION,
    BROUGHT,
    CONFIRMED,
    FLAGGED,
    FULFILLED,
    HELD,
    OWN,
    REJECTED,
    REWARDED,
    WAITING,
)
from tests.financekit.console import ConsoleRig

PAGES = {
    "queue": "/acme/runs",
    "open": "/acme/runs?show=open",
    "ended": "/acme/runs?show=ended&status=fulfilled",
    "nothing": "/acme/runs?supplier=nobody",
    "waiting": f"/acme/runs/{WAITING}",
    "own": f"/acme/runs/{OWN}",
    "attention": f"/acme/runs/{ATTENTION}",
    "rejected": f"/acme/runs/{REJECTED}",
    "fulfilled": f"/acme/runs/{FULFILLED}?done=approve",
    "totals": "/acme/totals",
    "reports": "/acme/reports",
    "report": "/acme/reports/tremendous/2026-03-13",
    "cases": "/acme/cases",
    "flagged": f"/acme/cases/{FLAGGED}",
    "held": f"/acme/cases/{HELD}",
    "asked": f"/acme/cases/{ASKED}",
    "confirmed": f"/acme/cases/{CONFIRMED}?done=1",
    "referrals": "/acme/referrals",
    "brought": f"/acme/referrals/{BROUGHT}",
    "appealed": f"/acme/referrals/{APPEALED}",
    "rewarded": f"/acme/referrals/{REWARDED}?done=1",
    "missing": "/acme/nowhere",
}
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
SEVERE = ("serious", "critical")


def violations(page: Page, axe: str) -> list[str]:
    """What axe finds that keeps people out, in words."""
    # Into the page's own world past its policy, which allows no script: from outside, as a reader's tool would.
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("async () => await axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['impact']} {one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in SEVERE
    ]


@pytest.mark.parametrize("language", ["en", "id", "it", "ar"])
@pytest.mark.parametrize("size", SIZES)
def test_pages(context: BrowserContext, rig: ConsoleRig, axe: str, *, language: str, size: str) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": SIZES[size]["width"], "height": SIZES[size]["height"]})
    page.goto(f"{rig.url}?lang={language}")
    problems = [f"welcome: {one}" for one in violations(page, axe)]
    screenshot(page, f"{language}-{size}-welcome")
    sign_in(context, rig, "staff-17")
    for name, path in PAGES.items():
        page.goto(rig.url + path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == 1
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        problems += [f"{name}: {one}" for one in violations(page, axe)]
        problems += [f"{name}: scrolls sideways by {wide} px"] if wide > 0 else []
        screenshot(page, f"{language}-{size}-{name}")
    assert problems == []
