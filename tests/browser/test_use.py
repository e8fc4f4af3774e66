"""Using the console: by the keyboard alone, in the dark, and with figures as the browser itself would write them."""

from datetime import date
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from loyalty.console.languages import languages
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.fulfillment.run import RunStatus
from loyalty.fulfillment.runs import RunStore
from tests.browser.conftest import screenshot, sign_in
from tests.browser.scene import ATTENTION, OWN, WAITING
from tests.browser.test_pages import violations
from tests.financekit.console import ConsoleRig
from tests.financekit.keyboard import tab_to

TAGS = {"en": "en-GB", "id": "id-ID", "it": "it-IT", "ar": "ar-AE-u-nu-latn"}
CUT = """() => {
  const lines = (element) => {
    const range = document.createRange();
    const tops = new Set();
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.textContent.trim()) continue;
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) tops.add(Math.round(box.top));
    }
    return tops.size;
  };
  return [...document.querySelectorAll("main button, .badge, main bdi:not(.code, .note)")]
    .filter((element) => element.checkVisibility() && lines(element) > 1).map((element) => element.innerText);
}"""
"""What is on more than one line and should be on one."""


def test_an_approval_by_the_keyboard_alone(context: BrowserContext, rig: ConsoleRig, page: Page, table: Table) -> None:
    sign_in(context, rig, "staff-17")
    page.goto(f"{rig.url}/acme/runs")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    tab_to(page, WAITING)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{WAITING}")
    tab_to(page, "note")
    page.keyboard.type("Checked with the member's bank.")
    tab_to(page, "Approve")
    page.keyboard.press("Enter")
    page.wait_for_url("**?done=approve")
    assert page.locator(".standing").inner_text() == "Approved; being carried out…"
    assert page.get_by_role("status").inner_text() == "The platform is at work on it. Look again"
    assert page.get_by_role("button", name="Approve").count() == 0
    page.get_by_role("link", name="Look again").click()
    page.wait_for_url(f"**/runs/{WAITING}")
    assert rig.decisions.asked == [("approve", WAITING, "person:staff-17", "Checked with the member's bank.")]
    assert RunStore(table).get("acme", WAITING).status is RunStatus.ORDERING
    assert "Checked with the member's bank." in page.locator(".steps").inner_text()


def test_a_note_is_asked_for_in_place(context: BrowserContext, rig: ConsoleRig, page: Page) -> None:
    sign_in(context, rig, "staff-17")
    page.goto(f"{rig.url}/acme/runs/{ATTENTION}")
    page.get_by_role("button", name="Cancel and return points").click()
    assert page.get_by_role("alert").inner_text() == "Write a note that says why."
    note = page.get_by_label("Note")
    assert note.get_attribute("aria-invalid") == "true"
    note.fill("Settled by phone.")
    page.get_by_role("button", name="Cancel and return points").click()
    page.wait_for_url("**?done=cancel")
    assert page.locator(".badge").first.inner_text() == "Cancelled"
    assert page.get_by_role("status").inner_text() == "Cancellation asked for."


def test_who_asked_for_it_is_told_why_they_cannot_approve(context: BrowserContext, rig: ConsoleRig, page: Page) -> None:
    sign_in(context, rig, "staff-17")
    page.goto(f"{rig.url}/acme/runs/{OWN}")
    assert page.get_by_role("button", name="Approve").is_disabled()
    assert "somebody else has to approve it" in page.locator("#self").inner_text()
    assert page.get_by_role("button", name="Reject").is_enabled()


def test_a_difference_is_resolved(context: BrowserContext, rig: ConsoleRig, page: Page) -> None:
    sign_in(context, rig, "staff-17")
    page.goto(f"{rig.url}/acme/reports/tremendous/2026-03-13")
    row = page.get_by_role("row").filter(has_text="Amount differs")
    row.get_by_role("textbox").fill("The supplier corrects its list.")
    row.get_by_role("button").click()
    page.wait_for_url("**?done=1")
    assert "Resolved by person:staff-17" in page.get_by_role("row").filter(has_text="Amount differs").inner_text()


@pytest.mark.parametrize("language", ["en", "id", "it", "ar"])
def test_no_word_amount_or_button_is_cut_where_there_is_room(
    context: BrowserContext, rig: ConsoleRig, page: Page, language: str
) -> None:
    sign_in(context, rig, "staff-17")
    page.set_viewport_size({"width": 1280, "height": 900})
    for path in ("runs?show=open", "reports/tremendous/2026-03-13", "totals"):
        page.goto(f"{rig.url}/acme/{path}{'&' if '?' in path else '?'}lang={language}")
        assert page.evaluate(CUT) == [], path


def test_pages_in_the_dark(browser: Browser, rig: ConsoleRig, axe: str) -> None:
    context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 900})
    sign_in(context, rig, "staff-17")
    page = context.new_page()
    problems = []
    for name, path in {"run": f"runs/{ATTENTION}", "totals": "totals", "queue": "runs", "own": f"runs/{OWN}"}.items():
        page.goto(f"{rig.url}/acme/{path}")
        problems += [f"{name}: {one}" for one in violations(page, axe)]
        screenshot(page, f"dark-{name}")
    context.close()
    assert problems == []


def test_the_checker_would_notice(page: Page, axe: str) -> None:
    page.set_content('<main><p style="color:#ccc;background:#fff">pale</p><input><img src="x.png"></main>')
    found = violations(page, axe)
    assert {one.split(":")[0] for one in found} >= {"serious color-contrast", "critical label", "critical image-alt"}


def test_no_script_of_any_kind_runs(context: BrowserContext, rig: ConsoleRig, page: Page) -> None:
    sign_in(context, rig, "staff-17")
    page.goto(f"{rig.url}/acme/runs")
    assert page.locator("script, [style], [onclick]").count() == 0
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s) }"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in line for line in said)


@pytest.mark.parametrize("code", sorted(TAGS))
def test_figures_are_written_as_the_browser_writes_them(page: Page, code: str) -> None:
    """Against the Unicode data that Chromium carries; marks of direction are left to the page."""
    page.set_content("<p></p>")
    language = languages()[code]

    def bare(text: str) -> str:
        return "".join(letter for letter in text if letter not in "\u200e\u200f\u061c").replace("\u202f", "\xa0")

    for amount in ("0.00", "9.90", "1234.50", "1234567.89"):
        written = page.evaluate(
            "([tag, n]) => new Intl.NumberFormat(tag, {style: 'currency', currency: 'USD', currencyDisplay: 'code', useGrouping: 'always'}).format(n)",
            [TAGS[code], float(amount)],
        )
        assert language.money(Money.of(amount, "USD")) == bare(written)
    assert language.number(Decimal(1234567)) == page.evaluate(
        "tag => new Intl.NumberFormat(tag).format(1234567)", TAGS[code]
    )
    for month in range(1, 13):
        written = page.evaluate(
            "([tag, m]) => new Intl.DateTimeFormat(tag, {day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC'})"
            ".format(new Date(Date.UTC(2026, m - 1, 5)))",
            [TAGS[code], month],
        )
        assert language.day(date(2026, month, 5)) == bare(written)
