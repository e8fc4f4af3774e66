"""Cells of CSV files that people open in a spreadsheet."""

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide ones count too


def cell(text: str | None) -> str:
    """Text that somebody gave, as a cell: with an apostrophe before it where a spreadsheet would take it for a formula.

    Blanks before such a sign are looked through, since some spreadsheets leave them out. None is an empty cell.
    """
    if text is None:
        return ""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip(" \u00a0\ufeff").startswith(_FORMULA) else text
