"""Points never pass through a float, on no way into the table."""

from typing import Any

import pytest

from loyalty.core.table import IntegerAttribute, IntegerMapAttribute, TextSetAttribute


@pytest.mark.parametrize("value", [1.0, 0.1, "1", True, None, 10**20 / 1])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="whole numbers"):
        IntegerAttribute().serialize(value)
    with pytest.raises(TypeError, match="whole numbers"):
        IntegerMapAttribute().serialize({"a": 1, "b": value})


@pytest.mark.parametrize("value", [0, -1, 1, 2**53 + 1, 10**18, -(10**37)])
def test_whole_numbers_of_any_size_come_back_as_they_went(value: int) -> None:
    assert IntegerAttribute().deserialize(IntegerAttribute().serialize(value)) == value
    stored = IntegerMapAttribute().serialize({"a": value})
    assert IntegerMapAttribute().deserialize(stored) == {"a": value}


def test_a_set_is_sent_in_its_order() -> None:
    names = {f"wallet-{number}" for number in range(9)}
    assert TextSetAttribute().serialize(names) == sorted(names)
