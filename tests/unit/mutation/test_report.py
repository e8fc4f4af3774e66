"""What of a mutant counts: a change that people alone would read does not, and any other does."""

import pytest

from tests.mutation.report import only_words

BEFORE = 'raise Busy(f"{name} has many writers", code="wallet_busy", tries=[1, "so many"])'


@pytest.mark.parametrize(
    "after",
    [
        'raise Busy(f"XX{name} has many writers", code="wallet_busy", tries=[1, "so many"])',
        'raise Busy(None, code="wallet_busy", tries=[1, "so many"])',
        'raise Busy(f"{name} has many writers", code="wallet_busy", tries=[1, "SO MANY"])',
    ],
)
def test_another_text_or_none_in_its_place_is_only_words(after: str) -> None:
    assert only_words(BEFORE, after)


@pytest.mark.parametrize(
    "after",
    [
        'raise Busy(f"{name} has many writers", code="WALLET_BUSY", tries=[1, "so many"])',
        'raise Busy(f"{name} has many writers", code=None, tries=[1, "so many"])',
        'raise Busy(f"{name} has many writers", code="wallet_busy", tries=[2, "so many"])',
        'raise Busy(f"{name} has many writers", code="wallet_busy", tries=[1])',
        'raise Busy(code="wallet_busy", tries=[1, "so many"])',
        'raise Busy(0, code="wallet_busy", tries=[1, "so many"])',
        'Busy(f"{name} has many writers", code="wallet_busy", tries=[1, "so many"])',
    ],
)
def test_a_key_a_code_a_number_or_one_argument_less_is_more(after: str) -> None:
    assert not only_words(BEFORE, after)
