"""Links that members are given to share, each by campaign and channel, and pictures of them."""

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.attribution.codes import Reason, usable
from loyalty.attribution.links import Share, deep_link, known_source, required_rules, required_source, short_link
from loyalty.attribution.model import Source
from loyalty.core.clock import Clock
from loyalty.core.retrying import Retries
from loyalty.programs.model import Program
from loyalty.programs.referrals import Referrals
from loyalty.referrals.choosing import MemberCodes
from loyalty.referrals.link_store import LinkStore

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
            MemberNotFound, MemberErased: there is no such member, or none any more.
            MemberMerged: they were merged into another member, whose links are those to share.
            ReferralsNotOffered, ChannelUnknown, CampaignUnknown, CampaignOver: see :func:`required_source`.
            WalletBusy: others kept changing the member.
        """
        document, now = program.document, self._clock()

        def made() -> Shared:
            member = self._codes.member(program, member_id)
            source = required_source(document, campaign, channel, now)
            share = Share(document.id, member_id, source, now)
            new = self._store.share(share, now.astimezone(document.zone).date())
            first = share if new else self._store.shared(document.id, member_id, source)
            link = self._link(required_rules(document), member.referral_code, first or share)
            return Shared(link, replayed=not new)

        return _RETRIES.of(made, self._sleep)

    def links(self, program: Program, member_id: str) -> SharedLinks:
        """What a member was given to share, but for channels and campaigns that the program does not have any more.

        Of a merged member, what the survivor was given.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
            ReferralsNotOffered: the program has no referrals.
        """
        document, now = program.document, self._clock()
        held = self._codes.get(program, member_id)
        rules = required_rules(document)
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
            MemberNotFound, MemberErased: there is no such member, or none any more.
            ReferralsNotOffered, ChannelUnknown, CampaignUnknown, CampaignOver: see :func:`required_source`.
        """
        code = self._codes.get(program, member_id).code
        source = required_source(program.document, campaign, channel, self._clock())
        return picture_of(short_link(self._base, program.document.id, code, source))

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
