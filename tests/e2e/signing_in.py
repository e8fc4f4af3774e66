"""A person comes to the console."""

from playwright.sync_api import Page

from infra.local.cloud import LocalCloud


def sign_in(page: Page, cloud: LocalCloud) -> None:
    """As a person does, from the console's first page on."""
    assert cloud.person is not None
    page.context.clear_cookies()  # nobody is signed in from the test before
    page.goto(cloud.platform.console_url)
    page.get_by_role("link", name="Accedi").click()
    page.get_by_label("Username").fill(cloud.person.id)
    page.get_by_label("Password").fill(cloud.person.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{cloud.platform.console_url}/{cloud.program}/runs")
