import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.ids import new_member_id, redemption_id, request_hash

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_member_ids_are_opaque_url_safe_and_in_order_of_time() -> None:
    ids = [new_member_id(NOW + timedelta(milliseconds=n)) for n in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50
    assert all(re.fullmatch(r"mbr_[0-9a-hjkmnp-tv-z]{26}", member_id) for member_id in ids)


def test_member_ids_of_one_millisecond_differ() -> None:
    assert len({new_member_id(NOW) for _ in range(500)}) == 500


def test_a_key_of_a_client_stands_for_one_redemption_for_ever() -> None:
    first = redemption_id("acme", "mbr_1", "client", "key-1")
    assert first == redemption_id("acme", "mbr_1", "client", "key-1")
    assert re.fullmatch(r"rdm_[0-9a-hjkmnp-tv-z]{26}", first)


@pytest.mark.parametrize(
    "other",
    [
        ("other", "mbr_1", "client", "key-1"),
        ("acme", "mbr_2", "client", "key-1"),
        ("acme", "mbr_1", "client2", "key-1"),
        ("acme", "mbr_1", "client", "key-2"),
        ("acme", "mbr_1c", "lient", "key-1"),
    ],
)
def test_another_program_member_client_or_key_is_another_redemption(other: tuple[str, str, str, str]) -> None:
    assert redemption_id(*other) != redemption_id("acme", "mbr_1", "client", "key-1")


def test_a_request_hash_is_blind_to_the_order_of_keys_and_to_nothing_else() -> None:
    assert request_hash({"a": 1, "b": [1, 2]}) == request_hash({"b": (1, 2), "a": 1})
    distinct: list[object] = [
        {"a": 1},
        {"a": "1"},
        {"a": None},
        {},
        {"a": [1]},
        {"A": 1},
        {"a": {"a": 1}},
        {"a": True},
        None,
    ]
    assert len({request_hash(request) for request in distinct}) == len(distinct)


def test_a_request_hash_has_128_bits() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", request_hash({}))


@pytest.mark.parametrize("request_", [1.0, {"a": 0.1}, [[{"a": [float("nan")]}]], (1, 2.5)])
def test_a_float_is_refused_wherever_it_hides(request_: object) -> None:
    with pytest.raises(TypeError, match="float"):
        request_hash(request_)


@pytest.mark.parametrize("request_", [Decimal(1), NOW, {1, 2}, b"x"])
def test_what_json_cannot_write_is_refused(request_: object) -> None:
    with pytest.raises(TypeError):
        request_hash(request_)


def test_a_request_of_half_a_character_has_a_hash_too() -> None:
    assert request_hash({"note": "\ud83d"}) != request_hash({"note": "\ud83e"})


@given(JSON, JSON)
def test_hashes_are_equal_exactly_where_requests_are(one: Any, other: Any) -> None:
    assert (request_hash(one) == request_hash(other)) == (_typed(one) == _typed(other))


def _typed(value: Any) -> Any:
    """Python calls True and 1 equal; JSON does not."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return (type(value), value)
