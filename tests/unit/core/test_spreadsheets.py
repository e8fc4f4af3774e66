"""What somebody calls themselves is no formula in a file for finance."""

import pytest

from loyalty.core.spreadsheets import cell


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, ""),
        ("", ""),
        ("Ada", "Ada"),
        ("a=b", "a=b"),
        ("-1", "'-1"),
        ('=HYPERLINK("https://example.com")', '\'=HYPERLINK("https://example.com")'),
        ("+39 333", "'+39 333"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\uff1d1", "'\uff1d1"),
    ],
)
def test_a_formula_is_shown_as_text(given: str | None, shown: str) -> None:
    assert cell(given) == shown
