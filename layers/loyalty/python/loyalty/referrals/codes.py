"""Referral codes and what is said of them."""

import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

_CODE: Final = re.compile(r"[2-9A-HJKMNP-Z]{8}")

CodeText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    Field(description="As a person typed it; case does not matter.", examples=["K7WQ4M2X"]),
]


class Reason(StrEnum):
    """Why a code may be used, or not."""

    VALID = "valid"
    UNKNOWN = "unknown"
    OWN_CODE = "own_code"


def normal_code(text: str) -> str | None:
    """The code that a person meant, or None where the text can be none."""
    code = text.strip().upper()
    return code if _CODE.fullmatch(code) else None


def code_digest(code: str) -> str:
    """Under what a code is looked up. It is no secret and says nothing of its owner, so it needs no hash."""
    return f"referral#{code}"
