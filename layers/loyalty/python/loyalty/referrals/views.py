"""How referrals look from outside, to both sides, and what may be sent of a claim. Nothing here tells of screening."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field

from loyalty.attribution.codes import CodeText
from loyalty.attribution.model import Referral, ReferralStatus, Told
from loyalty.core.clock import to_text
from loyalty.core.fields import RequestBody, ResponseBody
from loyalty.programs.fields import Slug
from loyalty.referrals.claims import BroughtPage, points_of

_STATUS: Final = (
    "`pending`: not yet rewarded, whatever it waits for; `rewarded`; `reversed`: rewarded, and taken back with what had qualified; "
    "`ended`: it will not be rewarded."
)
_Status = Annotated[Told, Field(description=_STATUS)]


class ClaimBody(RequestBody):
    """A code that a member names after their enrollment."""

    referral_code: CodeText
    referral_channel: Annotated[Slug | None, Field(description="Where they got the code: one of the program's.")] = None
    referral_campaign: Annotated[Slug | None, Field(description="With which campaign.")] = None


class ReferralView(ResponseBody):
    """By whom a member came, and how far that is."""

    member_id: str
    referred_by: str
    status: _Status
    claimed_at: str
    deadline: Annotated[
        str | None, Field(description="Until when what they do can qualify; null: nothing is rewarded.")
    ]
    points: Annotated[int, Field(description="What it brought this member, in points.")]

    @classmethod
    def of(cls, referral: Referral, now: datetime) -> Self:
        """The referral as who was brought is shown it at ``now`` (UTC)."""
        paid = referral.rewarded if referral.status is ReferralStatus.REWARDED else None
        return cls(
            member_id=referral.member_id,
            referred_by=referral.referrer,
            status=referral.told(now),
            claimed_at=to_text(referral.claimed_at),
            deadline=None if referral.deadline is None else to_text(referral.deadline),
            points=0 if paid is None else paid.member_points,
        )


class BroughtView(ResponseBody):
    """One whom a member brought."""

    member_id: Annotated[str, Field(description="Of who was brought, as they enrolled.")]
    status: _Status
    claimed_at: str
    deadline: str | None
    points: Annotated[int, Field(description="What it brought the member who brought them, in points.")]

    @classmethod
    def of(cls, referral: Referral, now: datetime) -> Self:
        """The referral as who brought somebody is shown it at ``now`` (UTC)."""
        return cls(
            member_id=referral.member_id,
            status=referral.told(now),
            claimed_at=to_text(referral.claimed_at),
            deadline=None if referral.deadline is None else to_text(referral.deadline),
            points=points_of(referral),
        )


class BroughtSummary(ResponseBody):
    """All of them together."""

    pending: int
    rewarded: int
    reversed: int
    ended: int
    points: int


class BroughtListView(ResponseBody):
    """Whom a member brought, newest first."""

    items: list[BroughtView]
    next_cursor: str | None
    summary: Annotated[
        BroughtSummary | None,
        Field(description="Where all are on the first page; null: there are too many to count for it."),
    ]

    @classmethod
    def of(cls, page: BroughtPage, now: datetime) -> Self:
        """The view of a page at ``now`` (UTC)."""
        counts = page.counts
        return cls(
            items=[BroughtView.of(one, now) for one in page.referrals],
            next_cursor=page.next_cursor,
            summary=None
            if counts is None
            else BroughtSummary(**{told.value: number for told, number in counts.items()}, points=page.points or 0),
        )
