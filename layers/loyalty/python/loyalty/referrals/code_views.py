"""Codes of members as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from loyalty.attribution.codes import CodeText, Reason, expires_at, is_chosen, usable
from loyalty.core.clock import to_text
from loyalty.core.fields import RequestBody, ResponseBody
from loyalty.programs.referrals import Referrals
from loyalty.referrals.choosing import HeldCodes


class CodeBody(RequestBody):
    """The code that a member is to show."""

    code: Annotated[
        CodeText | None,
        Field(
            description="4 to 7, or 10 to 20, letters and digits, one of them a letter. Null, or left out: one that the platform "
            "generates; the one that they have, if it may be used.",
            examples=["ADASHOP"],
        ),
    ] = None


class CodeView(ResponseBody):
    """A code that leads to a member."""

    code: str
    chosen: Annotated[bool, Field(description="The member's own choice; else generated.")]
    reason: Annotated[Reason, Field(description="Whether others may use it now: `valid`, `expired` or `exhausted`.")]
    created_at: Annotated[str | None, Field(description="Null: given before that was written down.")]
    expires_at: Annotated[str | None, Field(description="By the program as it is now; null: it does not.")]


class CodesView(ResponseBody):
    """The codes of a member."""

    member_id: str
    code: Annotated[str, Field(description="The one that the member shows.")]
    codes: Annotated[list[CodeView], Field(description="All that lead to them, the one that they show first.")]
    version: Annotated[int, Field(description="The member's; the ETag.")]
    merged_from: Annotated[
        str | None, Field(description="The id that was asked for, where that member was merged into this one.")
    ] = None

    @classmethod
    def of(cls, held: HeldCodes, rules: Referrals | None, now: datetime) -> Self:
        """The view at ``now`` (UTC) under the rules in force."""
        codes = []
        for one in held.given:
            expires = expires_at(one, rules)
            codes.append(
                CodeView(
                    code=one.code,
                    chosen=is_chosen(one.code),
                    reason=usable(one, rules, now),
                    created_at=None if one.created_at is None else to_text(one.created_at),
                    expires_at=None if expires is None else to_text(expires),
                )
            )
        return cls(
            member_id=held.member_id,
            code=held.code,
            codes=codes,
            version=held.version,
            merged_from=held.merged_from,
        )
