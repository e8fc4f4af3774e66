"""Naming a code after the enrollment, and what members are shown: whom they were brought by, whom they brought."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from loyalty.attribution.claiming import new_referral
from loyalty.attribution.codes import Reason, code_digest
from loyalty.attribution.model import Referral, ReferralStatus, Told
from loyalty.attribution.touches import Came, by_code, refusal, required_form
from loyalty.core.clock import Clock
from loyalty.core.cursor import Cursors
from loyalty.core.errors import MemberErased, MemberMerged, MemberNotFound, MemberRestricted
from loyalty.core.retrying import Retries
from loyalty.programs.model import Program
from loyalty.referrals.claim_store import Claimant, ClaimStore
from loyalty.referrals.errors import ReferralClaimClosed, ReferralExists, ReferralNotFound

_RETRIES: Final = Retries(
    6, base=0.02, cap=0.3, busy="This member has many writers at the moment; send the same request again."
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A referral, and whether the same code had been named before (``replayed``)."""

    referral: Referral
    replayed: bool


@dataclass(frozen=True, slots=True)
class BroughtPage:
    """Referrals, newest first, and the cursor of the next page (None after the last).

    ``counts`` by status as members are told, and ``points`` that they brought, where this page has all that there are.
    """

    referrals: Sequence[Referral]
    next_cursor: str | None
    counts: Mapping[Told, int] | None = None
    points: int | None = None


class ClaimService:
    """Claims, and what is shown of referrals.

    Args:
        store: reads and writes them.
        clock: gives the present moment.
        cursors: writes and reads cursors.
        sleep: waits, in seconds.
    """

    def __init__(
        self, store: ClaimStore, clock: Clock, cursors: Cursors, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._store = store
        self._clock = clock
        self._cursors = cursors
        self._sleep = sleep

    def claim(
        self,
        program: Program,
        member_id: str,
        code_text: str,
        *,
        channel: str | None = None,
        campaign: str | None = None,
    ) -> Claimed:
        """Has a member say by whose code they came, once and within the program's ``claim_days`` after their enrollment.

        What qualified a referral must have happened after it was claimed; what they bought before counts for nothing.

        Raises:
            CodeMalformed, ReferralCodeUnknown, ReferralCodeExpired, ReferralCodeExhausted, ReferralCodeOwn: it
                cannot be used.
            ChannelUnknown, CampaignUnknown: the program has no such channel or campaign.
            MemberNotFound, MemberErased, MemberMerged, MemberRestricted: it is nobody's, or not theirs to claim.
            ReferralExists: they came by another code.
            ReferralClaimClosed: they have been a member for too long, or the program has codes named at enrollment alone.
            WalletBusy: others keep writing the member.
        """
        code = required_form(code_text)
        came = Came(channel=channel, campaign=campaign)
        return _RETRIES.of(partial(self._claim, program, member_id, code, came), self._sleep)

    def own(self, program: Program, member_id: str) -> Referral:
        """The referral by which a member came.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
            ReferralNotFound: nobody brought them.
        """
        found = self._store.own(program.document.id, member_id)
        if found is None:
            raise ReferralNotFound("Nobody brought this member.")
        return found

    def brought(self, program: Program, member_id: str, *, limit: int, cursor: str | None = None) -> BroughtPage:
        """At most ``limit`` of those whom a member brought: the newest, or those that follow the page before ``cursor``.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
            InvalidCursor: ``cursor`` is of no page of this member.
        """
        name, now = program.document.id, self._clock()
        resource = f"referrals/{name}/{member_id}"
        before = str(self._cursors.read(resource, cursor)["before"]) if cursor else None
        referrals, after = self._store.brought(name, member_id, limit=limit, before=before)
        if after is not None:
            return BroughtPage(referrals, self._cursors.write(resource, {"before": after}))
        if before is not None:
            return BroughtPage(referrals, None)
        counts = Counter(one.told(now) for one in referrals)
        return BroughtPage(referrals, None, {told: counts[told] for told in Told}, sum(map(points_of, referrals)))

    def _claim(self, program: Program, member_id: str, code: str, came: Came) -> Claimed:
        now = self._clock()
        claimant = self._store.claimant(program.document.id, member_id, code)
        if claimant is None:
            raise MemberNotFound.of(program.document.id, member_id)
        _require_present(claimant)
        if claimant.referral is not None:
            return _again(claimant.referral, code)
        if claimant.book.restricted_at is not None:
            raise MemberRestricted.of(member_id)
        days = program.document.referrals.claim_days if program.document.referrals else 0
        if now >= claimant.member.created_at + timedelta(days=days):
            since = f"until {days} days after they enrolled" if days else "with their enrollment alone"
            raise ReferralClaimClosed(f"A member can name a referral code {since}.")
        if claimant.given is not None and claimant.given.member_id == member_id:
            raise refusal(Reason.OWN_CODE)
        attribution = by_code(program.document, claimant.given, (), came, now)
        referral = new_referral(
            program,
            referrer=attribution.referrer,
            code=attribution.code,
            member_id=member_id,
            now=now,
            source=attribution.source,
            likenesses=claimant.member.likenesses,
            flags=claimant.member.flags,
        )
        self._store.create(claimant.member, referral)
        return Claimed(referral, replayed=False)


def points_of(referral: Referral) -> int:
    """What a referral has brought who brought them, in points; none of one that was reversed."""
    paid = referral.rewarded if referral.status is ReferralStatus.REWARDED else None
    return 0 if paid is None else paid.points


def _again(referral: Referral, code: str) -> Claimed:
    if code_digest(referral.code) != code_digest(code):
        raise ReferralExists(
            "This member came by another referral code, and that counts for ever.", pointer="/referral_code"
        )
    return Claimed(referral, replayed=True)


def _require_present(claimant: Claimant) -> None:
    member = claimant.member
    if (into := member.merged_into) is not None:
        raise MemberMerged(
            f"'{member.member_id}' was merged into '{into}'; use that member.", member_id=member.member_id, into=into
        )
    if member.erased_at is not None:
        raise MemberErased.of(member.member_id)
