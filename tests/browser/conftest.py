"""Chromium, and a console with a day's work in it."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from infra.local.ministack import REPOSITORY
from loyalty.core.table import Table
from tests.browser.scene import set_scene
from tests.engines import chromium
from tests.engines.fixtures import REQUIRE_ENGINES, do_without
from tests.engines.npm import Unavailable
from tests.financekit.console import ConsoleRig, served
from tests.ledgerkit.fixtures import memory_table, table

__all__ = ["memory_table", "table"]

SCREENS = REPOSITORY / "build" / "screens"


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker's script."""
    try:
        return chromium.axe_script().read_text()
    except Unavailable as missing:
        do_without(missing, required=os.environ.get(REQUIRE_ENGINES) == "1")


@pytest.fixture
def rig(table: Table) -> Iterator[ConsoleRig]:
    """A console with people, runs and reports, under an address of its own."""
    with served(table) as rig:
        set_scene(rig)
        yield rig


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", java_script_enabled=True)
    opened.set_default_timeout(timedelta(seconds=20) / timedelta(milliseconds=1))
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_in(context: BrowserContext, rig: ConsoleRig, person_id: str) -> None:
    """Gives the browser the cookie that a sign-in would leave it."""
    _, cookie = rig.session(person_id)
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": rig.url, "httpOnly": True, "sameSite": "Lax"}])


def screenshot(page: Page, name: str) -> Path:
    """The whole page as a picture under ``build/screens``, for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    target = SCREENS / f"{name}.png"
    page.screenshot(path=target, full_page=True)
    return target
