import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.cursor import MAX_LENGTH, Cursors
from loyalty.core.errors import InvalidCursor
from tests.apikit.keys import FakeKeys

KEYS = FakeKeys()
CURSORS = Cursors(KEYS)
WRITTEN = CURSORS.write("entries/acme/mbr_1", {"before": 7, "sk": "ENTRY#accrual#pos#R-1"})


def test_a_cursor_leads_back() -> None:
    assert CURSORS.read("entries/acme/mbr_1", WRITTEN) == {"before": 7, "sk": "ENTRY#accrual#pos#R-1"}
    assert Cursors(KEYS).read("entries/acme/mbr_1", WRITTEN)["before"] == 7, "another process reads it as well"


def test_the_key_is_derived_once_a_process() -> None:
    keys = FakeKeys()
    cursors = Cursors(keys)
    assert keys.calls["mac"] == 0
    for number in range(3):
        cursors.read("r", cursors.write("r", {"before": number}))
    assert keys.calls["mac"] == 1


@pytest.mark.parametrize("resource", ["entries/acme/mbr_2", "entries/other/mbr_1", "", "entries/acme/mbr_1\x00"])
def test_a_cursor_is_good_for_one_resource(resource: str) -> None:
    with pytest.raises(InvalidCursor):
        CURSORS.read(resource, WRITTEN)


@given(place=st.integers(0, len(WRITTEN) - 1), by=st.integers(1, 63))
def test_a_cursor_changed_anywhere_is_refused(place: int, by: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = alphabet[(alphabet.index(WRITTEN[place]) + by) % 64]
    text = WRITTEN[:place] + changed + WRITTEN[place + 1 :]
    if base64.urlsafe_b64decode(text + "==") == base64.urlsafe_b64decode(WRITTEN + "=="):
        return  # the last character has bits to spare
    with pytest.raises(InvalidCursor):
        CURSORS.read("entries/acme/mbr_1", text)


@given(st.text(max_size=200))
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        CURSORS.read("entries/acme/mbr_1", text)


def test_a_cursor_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        Cursors(FakeKeys()).read("entries/acme/mbr_1", WRITTEN)


def test_cursors_have_a_bound() -> None:
    long = CURSORS.write("r", {"key": "x" * MAX_LENGTH})
    with pytest.raises(InvalidCursor):
        CURSORS.read("r", long)
