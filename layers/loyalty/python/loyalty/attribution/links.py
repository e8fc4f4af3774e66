"""Links by which members bring others: where they lead, and which campaigns and channels they may name.

::

    the link, that is shared   https://…/r/acme/K7WQ4M2X2?c=summer&ch=whatsapp
    the page it leads to       https://acme.example/join?ref=K7WQ4M2X2&click=clk_…&utm_source=whatsapp&utm_medium=referral&…
    the same in an app         shop://join?ref=K7WQ4M2X2&campaign=summer&channel=whatsapp

A link names a program and a code. Where it leads is the program's to say and nothing of the request's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from loyalty.attribution.errors import CampaignOver, CampaignUnknown, ChannelUnknown, ReferralsNotOffered
from loyalty.attribution.model import Source
from loyalty.programs.model import ProgramDocument
from loyalty.programs.referrals import Referrals

MEDIUM: Final = "referral"


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody followed a link, at ``at`` (UTC): with which code, of whom, and by which way. Nothing is known of who did."""

    program: str
    click_id: str
    code: str
    member_id: str
    source: Source
    at: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """A member was given a link to share, first at ``at`` (UTC). One for each campaign and channel."""

    program: str
    member_id: str
    source: Source
    at: datetime


def required_rules(document: ProgramDocument) -> Referrals:
    """How the program has members bring others.

    Raises:
        ReferralsNotOffered: it does not.
    """
    if document.referrals is None:
        raise ReferralsNotOffered("The program has no referrals: its document needs the part 'referrals' first.")
    return document.referrals


def required_source(
    document: ProgramDocument, campaign: str | None, channel: str, now: datetime, *, at: str = ""
) -> Source:
    """Campaign and channel of a link that is made at ``now`` (UTC). ``at`` leads to them, as a JSON pointer.

    Raises:
        ReferralsNotOffered: see :func:`required_rules`.
        ChannelUnknown, CampaignUnknown: the program has none of that name.
        CampaignOver: it has ended; one that has yet to begin may be shared.
    """
    rules = required_rules(document)
    if channel not in rules.channels:
        raise ChannelUnknown(
            f"The program shares by these channels: {', '.join(rules.channels)}.", pointer=f"{at}/channel"
        )
    found = document.campaign(campaign)
    if campaign is not None and found is None:
        known = [one.id for one in document.campaigns]
        names = f"has these campaigns: {', '.join(known)}" if known else "has no campaigns"
        raise CampaignUnknown(f"The program {names}.", pointer=f"{at}/campaign")
    if found is not None and _local(document, now) >= found.ends_at:
        raise CampaignOver(
            f"The campaign '{found.id}' is over; leave it out, or name another.", pointer=f"{at}/campaign"
        )
    return Source(campaign, channel)


def known_source(document: ProgramDocument, campaign: str | None, channel: str | None, now: datetime) -> Source:
    """What of a link's campaign and channel counts at ``now`` (UTC): whatever the program does not have, or no more, is left out."""
    rules, found = document.referrals, document.campaign(campaign)
    runs = found is not None and _local(document, now) < found.ends_at
    return Source(campaign if runs else None, channel if rules is not None and channel in rules.channels else None)


def short_link(base: str, program: str, code: str, source: Source) -> str:
    """The link that is shared. ``base`` is where the stage's links begin, without a slash at its end."""
    named = {"c": source.campaign, "ch": source.channel}
    return _with_query(f"{base}/r/{quote(program)}/{quote(code)}", named)


def landing_url(rules: Referrals, source: Source, *, code: str | None = None, click_id: str | None = None) -> str:
    """Where a link leads: the page of the program's document, with what it is to know."""
    named = {"ref": code, "click": click_id}
    if code is not None:
        named |= {"utm_source": source.channel, "utm_medium": MEDIUM, "utm_campaign": source.campaign}
    return _with_query(rules.landing_url, named)


def deep_link(rules: Referrals, code: str, source: Source) -> str | None:
    """The link into the business's app, or None where the program has none."""
    if rules.deep_link is None:
        return None
    return _with_query(
        rules.deep_link.replace("{code}", quote(code)), {"campaign": source.campaign, "channel": source.channel}
    )


def _with_query(url: str, named: dict[str, str | None]) -> str:
    query = urlencode({name: value for name, value in named.items() if value is not None})
    if not query:
        return url
    address, mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{query}{mark}{fragment}"


def _local(document: ProgramDocument, now: datetime) -> datetime:
    return now.astimezone(document.zone).replace(tzinfo=None)
