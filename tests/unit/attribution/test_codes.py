"""Codes: what is typed wrong is told without the network, and what looks alike is the same code."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.attribution.codes import (
    ALPHABET,
    GivenCode,
    Reason,
    check_character,
    code_digest,
    new_referral_code,
    normal_code,
    usable,
)
from loyalty.programs.referrals import Referrals

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
EIGHT = st.text(ALPHABET, min_size=8, max_size=8)
PLACES = st.integers(0, 8)


def _generated(eight: str) -> str:
    return eight + check_character(eight)


def test_the_check_character_is_this_one() -> None:
    # The values of K7WQ4M2X are 18 7 26 22 4 19 2 27: 1*18 + 2*7 + 3*26 + 4*22 + 5*4 + 6*19 + 7*2 + 8*27 = 562 = 11 (mod 29).
    # 18 are missing to 29, which are 9 * 2.
    assert check_character("K7WQ4M2X") == "2"
    assert normal_code("K7WQ4M2X2") == "K7WQ4M2X2"


def test_new_codes_are_good_and_differ() -> None:
    codes = {new_referral_code() for _ in range(500)}
    assert len(codes) == 500
    assert {normal_code(code) for code in codes} == codes


@given(EIGHT, PLACES, st.sampled_from(ALPHABET))
def test_a_wrong_character_is_told(eight: str, place: int, other: str) -> None:
    code = _generated(eight)
    typed = code[:place] + other + code[place + 1 :]
    assert normal_code(typed) == (code if typed == code else None)


@given(EIGHT, PLACES, PLACES)
def test_two_characters_that_changed_places_are_told(eight: str, one: int, two: int) -> None:
    code = _generated(eight)
    typed = list(code)
    typed[one], typed[two] = typed[two], typed[one]
    assert normal_code("".join(typed)) == (code if "".join(typed) == code else None)


@given(EIGHT, st.integers(0, 7), st.sampled_from(ALPHABET), st.sampled_from(ALPHABET))
def test_a_pair_that_became_another_is_told(eight: str, place: int, pair: str, other: str) -> None:
    eight = (eight[:place] + pair * 2 + eight[place + 2 :])[:8]
    code = _generated(eight)
    if code[place : place + 2] != pair * 2 or pair == other:
        return
    assert normal_code(code[:place] + other * 2 + code[place + 2 :]) is None


LIKE = {"0": "0Oo", "1": "1IiLl", "5": "5Ss", "8": "8Bb", "2": "2Zz", "V": "VvUu"}


@given(EIGHT, st.data())
def test_what_looks_alike_is_the_same_code_whatever_stands_between(eight: str, data: st.DataObject) -> None:
    code = _generated(eight)
    typed = [data.draw(st.sampled_from(LIKE.get(one, one + one.lower()))) for one in code]
    groups = data.draw(
        st.lists(st.sampled_from(["", " ", "-", " - ", "\u2013", "\u00a0", "\u2011"]), min_size=9, max_size=9)
    )
    assert normal_code("".join(a + b for a, b in zip(typed, groups, strict=True))) == code


@given(st.text(max_size=30))
def test_any_text_is_a_code_in_its_normal_form_or_none(text: str) -> None:
    code = normal_code(text)
    assert code is None or normal_code(code) == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("k7wq4m2x", "K7WQ4M2X"),  # from before there was a check character
        ("K7WQ 4M2X", "K7WQ4M2X"),
        ("SUBZ2222", "SUBZ2222"),  # of their alphabet, in which nothing stands for another
        ("0OIL1000", None),
        ("anna", "ANNA"),
        ("b-o-b 2026", "BOB2026"),
        ("SUMMERSALE", "SUMMERSALE"),
        ("A" * 20, "A" * 20),
        ("A" * 21, None),
        ("bob", None),
        ("20262026262", None),  # a telephone number is no code
        ("", None),
        ("#", None),
        ("K7WQ4M2X\u20ac", None),
        ("stra\u00dfe", None),  # capitals of other alphabets become letters of ours
        ("\u0131nk1", None),
    ],
)
def test_what_is_typed(typed: str, code: str | None) -> None:
    assert normal_code(typed) == code


def test_chosen_codes_that_look_alike_are_looked_up_alike() -> None:
    assert code_digest("BOB2026") == code_digest("B0B2O26") != code_digest("BOB2027")
    assert code_digest("SUBZ2222") != code_digest("5V822222")


def _rules(**parts: Any) -> Referrals:
    return Referrals.model_validate({"landing_url": "https://acme.example/join", **parts})


@pytest.mark.parametrize(
    ("given_code", "rules", "reason"),
    [
        (None, None, Reason.UNKNOWN),
        (None, _rules(), Reason.UNKNOWN),
        (GivenCode("ANNA", "mbr_1", NOW - timedelta(days=900), 5), None, Reason.VALID),
        (GivenCode("ANNA", "mbr_1", NOW - timedelta(days=900), 5), _rules(), Reason.VALID),
        (GivenCode("ANNA", "mbr_1", NOW - timedelta(days=30)), _rules(code_days=30), Reason.EXPIRED),
        (GivenCode("ANNA", "mbr_1", NOW - timedelta(days=30, seconds=-1)), _rules(code_days=30), Reason.VALID),
        (GivenCode("ANNA", "mbr_1"), _rules(code_days=1), Reason.VALID),
        (GivenCode("ANNA", "mbr_1", NOW, 5), _rules(code_uses=5), Reason.EXHAUSTED),
        (GivenCode("ANNA", "mbr_1", NOW, 5), _rules(code_uses=6), Reason.VALID),
        (GivenCode("ANNA", "mbr_1", NOW), _rules(code_uses=1), Reason.VALID),
    ],
)
def test_whether_a_code_may_be_used(given_code: GivenCode | None, rules: Referrals | None, reason: Reason) -> None:
    assert usable(given_code, rules, NOW) is reason
