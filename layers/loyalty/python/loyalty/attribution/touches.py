"""By whom somebody comes: a code that they name, or the links that they followed.

A code counts before any link. Of links the first or the last one counts, as the program says, of those followed within its
``attribution_days``, and whoever it is of, it counts although its code may have expired or be used up since: it was good
when it was followed. A code that cannot be used is refused by name; a link that says nothing is passed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from loyalty.attribution.clicks import attributed
from loyalty.attribution.codes import GivenCode, Reason, normal_code, usable
from loyalty.attribution.errors import (
    CampaignUnknown,
    ChannelUnknown,
    CodeMalformed,
    ReferralCodeExhausted,
    ReferralCodeExpired,
    ReferralCodeOwn,
    ReferralCodeUnknown,
)
from loyalty.attribution.likenesses import Signals
from loyalty.attribution.links import Click
from loyalty.attribution.model import Source
from loyalty.core.errors import Unacceptable
from loyalty.programs.model import ProgramDocument

_REFUSALS: Final[Mapping[Reason, tuple[type[Unacceptable], str]]] = {
    Reason.MALFORMED: (CodeMalformed, "This is no referral code: a character is wrong, missing or too many."),
    Reason.UNKNOWN: (ReferralCodeUnknown, "Nobody has this referral code; correct it or leave it out."),
    Reason.EXPIRED: (ReferralCodeExpired, "This referral code has expired; ask for a new one, or leave it out."),
    Reason.EXHAUSTED: (ReferralCodeExhausted, "This referral code has brought as many as it may; leave it out."),
    Reason.OWN_CODE: (ReferralCodeOwn, "This is the member's own referral code; it is for others."),
}
"""Each reason but ``valid``."""


@dataclass(frozen=True, slots=True)
class Came:
    """How somebody came: ``clicks`` are ids of links that they followed; channel and campaign are of a code that they name."""

    clicks: Sequence[str] = ()
    channel: str | None = None
    campaign: str | None = None
    signals: Signals | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """By whom somebody came, with which code, from where."""

    referrer: str
    code: str
    source: Source


def required_form(code_text: str) -> str:
    """The code that a person meant, in its normal form.

    Raises:
        CodeMalformed: the text can be none.
    """
    code = normal_code(code_text)
    if code is None:
        raise refusal(Reason.MALFORMED)
    return code


def refusal(reason: Reason) -> Unacceptable:
    """The error that says why a code cannot be used."""
    kind, detail = _REFUSALS[reason]
    return kind(detail, pointer="/referral_code")


def by_code(
    document: ProgramDocument, given: GivenCode | None, clicks: Sequence[Click], came: Came, now: datetime
) -> Attribution:
    """The attribution to whose code was named at ``now`` (UTC): ``given`` is the code as somebody has it.

    A link of the same member says from where, if that was not said.

    Raises:
        ReferralCodeUnknown, ReferralCodeExpired, ReferralCodeExhausted: it cannot be used.
        ChannelUnknown, CampaignUnknown: the program does not have what was said.
    """
    reason = usable(given, document.referrals, now)
    if given is None or reason is not Reason.VALID:
        raise refusal(reason)
    _require_source(document, came.channel, came.campaign)
    click = next((one for one in _alive(document, clicks, now) if one.member_id == given.member_id), None)
    source = Source(came.campaign, came.channel) if click is None else _source(click)
    if click is not None and (came.campaign or came.channel):
        source = replace(source, campaign=came.campaign, channel=came.channel)
    return Attribution(given.member_id, given.code, source)


def by_click(document: ProgramDocument, clicks: Sequence[Click], now: datetime) -> Attribution | None:
    """The attribution to whose link counts at ``now`` (UTC); None: none does."""
    click = next(iter(_alive(document, clicks, now)), None)
    return None if click is None else Attribution(click.member_id, click.code, _source(click))


def _require_source(document: ProgramDocument, channel: str | None, campaign: str | None) -> None:
    """Checks that a program has the channel and the campaign that a code is said to come from; None: not said.

    A campaign that is over may be named: a leaflet outlives it, and its rules say themselves until when they reward.

    Raises:
        ChannelUnknown, CampaignUnknown: it has not.
    """
    channels = document.referrals.channels if document.referrals else ()
    if channel is not None and channel not in channels:
        known = f"name one of {', '.join(channels)}" if channels else "leave it out"
        raise ChannelUnknown(f"The program knows no such channel; {known}.", pointer="/referral_channel")
    if campaign is not None and document.campaign(campaign) is None:
        raise CampaignUnknown(
            "The program has no such campaign; correct it or leave it out.", pointer="/referral_campaign"
        )


def _alive(document: ProgramDocument, clicks: Sequence[Click], now: datetime) -> list[Click]:
    rules = document.referrals
    return [] if rules is None else attributed(clicks, touch=rules.touch, days=rules.attribution_days, now=now)


def _source(click: Click) -> Source:
    return replace(click.source, click=click.click_id)
