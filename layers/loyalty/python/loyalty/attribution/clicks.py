"""Clicks on links of members: which of them an enrollment came by.

::

    V#{program}#{click}   CLICK   the link's code and whose it is, its campaign and channel, when it was followed; nothing of who did

A click is kept for links whose code was good when they were followed, and remembered for the program's ``attribution_days``.
That it says whose the code is spares an enrollment the read that would find out. Time to live deletes later than it
promises, so that :func:`attributed` goes by the moment of the click alone.
"""

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import Field, StringConstraints
from pynamodb.attributes import UnicodeAttribute

from loyalty.attribution.links import Click
from loyalty.attribution.model import Source
from loyalty.core.attributes import MomentAttribute
from loyalty.core.table import IntegerAttribute, Item, Put, RawItem
from loyalty.programs.referrals import Touch
from loyalty_contract import CLICK_SK, CLICKS_PREFIX, TTL_ATTRIBUTE

MAX_CLICKS: Final = 10
"""Clicks that one enrollment may name: those that an app remembers."""

_CLICK_ID: Final = re.compile(r"clk_[0-9a-z]{26}")

ClickText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    Field(
        description="The `click` with which a link led to the landing page. What is none, or is forgotten, counts for nothing.",
        examples=["clk_01k9m3c8h7q2w5z0v4r6t8y1ab"],
    ),
]
"""It came by the address bar of a browser: a mangled one must not keep anybody from enrolling."""


class ClickItem(Item):
    """``V#{program}#{click}`` / ``CLICK``: written once. Nothing in it is of who clicked."""

    code = UnicodeAttribute()
    member_id = UnicodeAttribute()
    campaign = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    at = MomentAttribute()
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


def click_key(program: str, click_id: str) -> tuple[str, str]:
    """Partition and sort key of a click."""
    return f"{CLICKS_PREFIX}{program}#{click_id}", CLICK_SK


def click_put(click: Click, *, keep: timedelta) -> Put:
    """Writes a new click, to be forgotten after so long."""
    item = ClickItem(
        *click_key(click.program, click.click_id),
        code=click.code,
        member_id=click.member_id,
        campaign=click.source.campaign,
        channel=click.source.channel,
        at=click.at,
        expires_at=int((click.at + keep).timestamp()),
    )
    return Put(item, ClickItem.pk.does_not_exist())


def click_of(raw: RawItem) -> Click:
    """The click that a stored item holds."""
    item = ClickItem.from_raw_data(raw)
    _, program, click_id = item.pk.split("#")
    return Click(program, click_id, item.code, item.member_id, Source(item.campaign, item.channel), item.at)


def attributed(clicks: Iterable[Click], *, touch: Touch, days: int, now: datetime) -> list[Click]:
    """The clicks that may count at ``now``, the one that does first: of the last ``days``, by the program's ``touch``.

    One from the future (a clock that was set back) counts like one of now. Of the same moment the lower id comes first,
    so that a retry finds the same.
    """
    since = now - timedelta(days=days)
    alive = sorted((one for one in clicks if one.at >= since), key=lambda one: one.click_id)
    return sorted(alive, key=lambda one: one.at, reverse=touch is Touch.LAST)


def wanted(clicks: Collection[str]) -> list[str]:
    """Ids to look up: each once, those that can be ids, :data:`MAX_CLICKS` at most."""
    return [one for one in dict.fromkeys(clicks) if _CLICK_ID.fullmatch(one)][:MAX_CLICKS]
