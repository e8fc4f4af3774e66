"""Links that members are given to share, each by campaign and channel, and pictures of them."""

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.retrying import Retries
from loyalty.programs.model import Program
from loyalty.programs.referrals import Referrals
from loyalty.referrals.choosing import MemberCodes
from loyalty.referrals.codes import Reason, usable
from loyalty.referrals.link_store import LinkStore
from loyalty.referrals.links import Share, deep_link, known_source, required_rules, required_source, short_link
from loyalty.referrals.model import Source

_RETRIES: Final = Retries(
    6, base=0.02, cap=0.3, busy="Others are changing this member at the moment; send the same request again."
)


@dataclass(frozen=True, slots=True)
class Link:
    """A link with the code that its member shows now; ``shared_at`` is when it was first made (UTC)."""

    url: str
    deep_link: str | None
    source: Source
    shared_at: datetime


@dataclass(frozen=True, slots=True)
class Shared:
    """A link, and whether an earlier call made it."""

    link: Link
    replayed: bool


@dataclass(frozen=True, slots=True)
class SharedLinks:
    """What a member was given to share; ``reason`` says whether the code that they show may be used."""

    member_id: str
    code: str
    reason: Reason
    links: Sequence[Link]


class Sharing:
    """Makes links. ``base`` is where those of the stage begin, without a slash at its end."""

    def __init__(
        self,
        codes: MemberCodes,
        store: LinkStore,
        base: str,
        clock: Clock,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._codes = codes
        self._store = store
        self._base = base
        self._clock = clock
        self._sleep = sleep

    def share(self, program: Program, member_id: str, campaign: str | None, channel: str) -> Shared:
        """A member's link for a campaign (None: none) and a channel; one for both, whenever it is asked for.

        Raises:
            ReferralsNotOffered, ChannelUnknown, CampaignUnknown, CampaignOver: see :func:`required_source`.
            MemberNotFound, MemberErased: there is no such member, or none any more.
            MemberMerged: they were merged into another member, whose links are those to share.
            WalletBusy: others kept changing the member.
        """
        document, now = program.document, self._clock()
        rules = required_rules(document)
        source = required_source(document, campaign, channel, now)

        def made() -> Shared:
            member = self._codes.member(program, member_id)
            share = Share(document.id, member_id, source, now)
            new = self._store.share(share, now.astimezone(document.zone).date())
            first = share if new else self._store.shared(document.id, member_id, source)
            return Shared(self._link(rules, member.referral_code, first or share), replayed=not new)

        return _RETRIES.of(made, self._sleep)

    def links(self, program: Program, member_id: str) -> SharedLinks:
        """What a member was given to share, but for channels and campaigns that the program does not have any more.

        Of a merged member, what the survivor was given.

        Raises:
            ReferralsNotOffered: the program has no referrals.
            MemberNotFound, MemberErased: there is no such member, or none any more.
        """
        document, now = program.document, self._clock()
        rules = required_rules(document)
        held = self._codes.get(program, member_id)
        given = next((one for one in held.given if one.code == held.code), None)
        links = [
            self._link(rules, held.code, share)
            for share in self._store.shares(document.id, held.member_id)
            if known_source(document, share.source.campaign, share.source.channel, now) == share.source
        ]
        return SharedLinks(held.member_id, held.code, usable(given, rules, now), links)

    def picture(self, program: Program, member_id: str, campaign: str | None, channel: str) -> str:
        """A link as a QR code, in SVG. Nothing is written.

        Raises:
            ReferralsNotOffered, ChannelUnknown, CampaignUnknown, CampaignOver: see :func:`required_source`.
            MemberNotFound, MemberErased: there is no such member, or none any more.
        """
        document = program.document
        source = required_source(document, campaign, channel, self._clock())
        code = self._codes.get(program, member_id).code
        return picture_of(short_link(self._base, document.id, code, source))

    def _link(self, rules: Referrals, code: str, share: Share) -> Link:
        url = short_link(self._base, share.program, code, share.source)
        return Link(url, deep_link(rules, code, share.source), share.source, share.at)


def picture_of(text: str) -> str:
    """A text as a QR code in SVG, with the quiet margin that scanners ask for; a seventh of it may be covered."""
    # Loaded when the first picture is drawn: most who ask for a link never ask for one.
    import segno  # noqa: PLC0415

    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="svg", scale=8, border=4, nl=False)
    return drawn.getvalue().decode()
