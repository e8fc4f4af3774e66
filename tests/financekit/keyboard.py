"""Going through a page as somebody without a mouse does."""

from typing import Any

from playwright.sync_api import Page


def tab_to(page: Page, wanted: str, most: int = 40) -> None:
    """Presses Tab until the element with these words, or this id, has the focus, which must be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused: dict[str, Any] = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
            return {text: e.innerText, id: e.id, outline: s.outlineStyle, width: parseFloat(s.outlineWidth)} }"""
        )
        assert (focused["outline"], focused["width"] >= 2) == ("solid", True), focused
        if wanted in (focused["id"], focused["text"]) or (wanted.startswith("rdm_") and wanted in focused["text"]):
            return
    raise AssertionError(f"{most} times Tab, and never at {wanted}")
