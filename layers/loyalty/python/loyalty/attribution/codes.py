"""Referral codes: their forms, what a person meant who typed one, and whether it may be used.

Three forms, told apart by length alone once spaces and dashes are off and letters are capitals:

- *generated*, 9 characters: eight random ones and a check character. A till knows without the network that one is mistyped.
- *earlier*, 8 characters: generated before there was a check character.
- *chosen*, 4 to 7 or 10 to 20 letters and digits, with a letter: a member's own choice.

Of characters that look alike one is in the alphabet, and stands for the others. Codes that look alike are the same code: see
:func:`code_digest`.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from loyalty.core.ids import random_text
from loyalty.programs.referrals import Referrals

ALPHABET: Final = "0123456789ACDEFGHJKMNPQRTVWXY"
"""29 characters, a prime number: see :func:`check_character`."""
_LOOK_ALIKES: Final = str.maketrans("OILSBZU", "011582V")
GENERATED_LENGTH: Final = 9
_EARLIER: Final = re.compile(r"[2-9A-HJKMNP-Z]{8}")
_CHOSEN: Final = re.compile(r"(?=.*[A-Z])(?:[A-Z0-9]{4,7}|[A-Z0-9]{10,20})")
_BETWEEN: Final = re.compile("[\\s\u00ad\u200b-\u200d\u2010-\u2015\u2212\ufeff_.-]+")
"""What people and their keyboards put between groups of a code: spaces, dashes, dots, and what cannot be seen."""

CodeText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    Field(
        description="As a person typed it; case, spaces and dashes do not matter.", examples=["K7WQ4M2X", "K7W Q4M 2X2"]
    ),
]


class Reason(StrEnum):
    """Why a code may be used, or not."""

    VALID = "valid"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    OWN_CODE = "own_code"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class GivenCode:
    """A code that somebody has, as it was given to them at ``created_at`` (UTC).

    ``created_at`` is None for those from before it was written down. ``uses`` is how many its owner had brought when it was
    marked as exhausted; None: it is not.
    """

    code: str
    member_id: str
    created_at: datetime | None = None
    uses: int | None = None


def usable(given: GivenCode | None, rules: Referrals | None, now: datetime) -> Reason:
    """Whether a code may be used at ``now`` (UTC) under the rules in force; None: nobody has it, there are none.

    A program without referrals still has its codes say who brought whom. That a code is one's own is seen by who asks.
    """
    if given is None:
        return Reason.UNKNOWN
    if rules is None:
        return Reason.VALID
    expires = expires_at(given, rules)
    if expires is not None and expires <= now:
        return Reason.EXPIRED
    if given.uses is not None and rules.code_uses is not None and given.uses >= rules.code_uses:
        return Reason.EXHAUSTED
    return Reason.VALID


def expires_at(given: GivenCode, rules: Referrals | None) -> datetime | None:
    """The moment (UTC) from which a code may not be used, as the rules are; None: there is none."""
    if rules is None or rules.code_days is None or given.created_at is None:
        return None
    return given.created_at + timedelta(days=rules.code_days)


def normal_code(text: str) -> str | None:
    """The code that a person meant, or None where the text can be none: too long, not letters and digits, mistyped.

    A mistyped generated code is told by its check character, whatever single character is wrong, and whichever two
    have changed places.
    """
    code = _BETWEEN.sub("", text)
    if not code.isascii():
        return None
    code = code.upper()
    if len(code) == GENERATED_LENGTH:
        return _generated(code)
    return code if _EARLIER.fullmatch(code) or is_chosen(code) else None


def is_chosen(code: str) -> bool:
    """Whether a code in its normal form is of the form that members choose."""
    return _CHOSEN.fullmatch(code) is not None


def code_digest(code: str) -> str:
    """Under what a code in its normal form is looked up. It is no secret and says nothing of its owner, so it needs no hash.

    Chosen codes that look alike are looked up alike: nobody gets ``B0B2026`` beside ``BOB2026``.
    """
    return f"referral#{code if _EARLIER.fullmatch(code) else folded(code)}"


def folded(text: str) -> str:
    """Capitals and digits with each of those that look alike replaced by the one that is in the alphabet."""
    return text.translate(_LOOK_ALIKES)


def check_character(eight: str) -> str:
    """The ninth character of a generated code: with it the values times their places, from 1, add up to a multiple of 29.

    29 is prime and above twice the places, so that of a wrong character, of any two that changed places, and of a pair that
    became another pair (``AA`` for ``CC``) the sum says that something is wrong.
    """
    total = sum(place * ALPHABET.index(one) for place, one in enumerate(eight, start=1))
    return ALPHABET[-total * pow(GENERATED_LENGTH, -1, len(ALPHABET)) % len(ALPHABET)]


def new_referral_code() -> str:
    """Eight characters at random (29**8, about 5e11 codes for each program) and the check character."""
    eight = random_text(ALPHABET, GENERATED_LENGTH - 1)
    return eight + check_character(eight)


def _generated(code: str) -> str | None:
    code = folded(code)
    fits = all(one in ALPHABET for one in code) and check_character(code[:-1]) == code[-1]
    return code if fits else None
