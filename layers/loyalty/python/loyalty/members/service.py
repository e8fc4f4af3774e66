"""Enrolling, reading and changing members."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from loyalty.attribution.codes import new_referral_code, normal_code
from loyalty.attribution.likenesses import SIGNALS, flags_of
from loyalty.attribution.touches import Attribution, Came, required_form
from loyalty.core import ids
from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock
from loyalty.core.errors import MemberErased, MemberMerged, MemberNotFound, Stale
from loyalty.core.pii import EMAIL, Lookups, profile_of
from loyalty.core.table import TransactionRefused
from loyalty.ledger.service import following
from loyalty.ledger.settlement import as_of
from loyalty.members.arriving import Known, alike, attribution_of, former, referral_of
from loyalty.members.errors import AlreadyEnrolled, ExternalIdsLimitExceeded, MemberChanged
from loyalty.members.items import REFERRAL_CODE, StoredMember
from loyalty.members.keys import MemberKey
from loyalty.members.model import MAX_EXTERNAL_IDS, Member, Profile, pointer_of
from loyalty.members.opening import open_profile
from loyalty.members.store import KEY, MEMBER, FoundMember, MemberStore
from loyalty.members.vault import MemberVault
from loyalty.programs.model import Program

ATTEMPTS: Final = 6
"""Times that one change is tried while other writers get in first."""
_BACKOFF_SECONDS: Final = 0.02
_BACKOFF_CAP_SECONDS: Final = 0.3

_NOT_LOOKUPS: Final = frozenset({MEMBER, KEY, "wallet", REFERRAL_CODE, "referral", "friend"})
"""What another member can only stand in the way of by a collision of random ids: new ones are drawn."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A member as they enrolled, and whether an earlier call with the same request did it (``replayed``)."""

    member: Member
    replayed: bool


class MemberService:
    """Members of programs. Raises named errors; never logs or raises with a personal value in it."""

    def __init__(
        self,
        store: MemberStore,
        vault: MemberVault,
        lookups: Lookups,
        clock: Clock,
        *,
        new_code: Callable[[], str] = new_referral_code,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._vault = vault
        self._lookups = lookups
        self._clock = clock
        self._new_code = new_code
        self._sleep = sleep

    def enroll(
        self,
        program: Program,
        profile: Profile,
        *,
        referral_code: str | None = None,
        came: Came | None = None,
        earlier: Profile | None = None,
    ) -> Enrolled:
        """Makes a person a member, once: the same request again gives its first result.

        The request is who enrolls and the code that they name. From where they ``came`` may look otherwise the second time.
        ``earlier`` is the profile that an earlier version made of the same request.

        Raises:
            AlreadyEnrolled: their e-mail, phone or customer id is a member's, who enrolled with another request.
            CodeMalformed, ReferralCodeUnknown, ReferralCodeExpired, ReferralCodeExhausted: it cannot be used.
            ChannelUnknown, CampaignUnknown: the program has no such channel or campaign.
            TransactionRefused: others kept writing the same items through :data:`ATTEMPTS` tries.
        """
        came = came or Came()
        code = None if referral_code is None else required_form(referral_code)
        request = self._request_hash(program.document.id, profile, code)
        same = {
            self._request_hash(program.document.id, one, code): one for one in (earlier, profile) if one is not None
        }
        try:
            attribution = attribution_of(
                self._store, self._lookups, program, profile, code=code, came=came, now=self._clock()
            )
        except Known as known:
            return self._replay(program.document.id, {EMAIL: known.owner}, same)
        for attempt in range(ATTEMPTS):
            member, key = self._new_member(program, profile, request, came, attribution)
            try:
                in_the_way = self._store.create(member, key, referral=referral_of(program, member, attribution))
            except TransactionRefused:
                if attempt + 1 == ATTEMPTS:
                    raise
                self._pause(attempt)
                continue
            if not in_the_way:
                return Enrolled(_shown(member, member.entry_tier, profile), replayed=False)
            taken = {kind: owner for kind, owner in in_the_way.items() if kind not in _NOT_LOOKUPS}
            if taken:
                return self._replay(program.document.id, taken, same)
        raise MemberChanged("No free referral code was found; send the same request again.")

    def enrolled_before(
        self, program: Program, profile: Profile | None, *, referral_code: str | None = None
    ) -> Enrolled | None:
        """What an earlier version answered to this very request; None: it never came, or with something else.

        ``profile``: as that version made it of the request; None where it made none.
        """
        if profile is None:
            return None
        name = program.document.id
        code = None if referral_code is None else normal_code(referral_code)
        owners = self._store.owners(name, *profile.digests(name, self._lookups).values())
        if not owners:
            return None
        try:
            return self._replay(name, owners, {self._request_hash(name, profile, code): profile})
        except AlreadyEnrolled:
            return None  # that it is not taken says less than that somebody has it

    def get(self, program: Program, member_id: str) -> Member:
        """The member, with their profile opened and their tier as of now; of a merged one, the survivor.

        Raises:
            MemberNotFound: there is none.
            MemberErased: there is none any more.
        """
        found = following(member_id, lambda holder: self._found(program, holder))
        shown = _shown(found.member, self._tier(program, found), self._profile(found))
        return shown if shown.member_id == member_id else replace(shown, merged_from=member_id)

    def update(
        self, program: Program, member_id: str, changes: Mapping[str, Any], *, if_version: int | None = None
    ) -> Member:
        """Changes fields of the profile: None removes one; ``external_ids`` is merged, platform by platform.

        Raises:
            MemberNotFound: there is none.
            MemberMerged: they were merged into another member, whose profile is the one to change.
            Stale: the current version is not ``if_version``.
            AlreadyEnrolled: another member has that e-mail, phone or customer id.
            ExternalIdsLimitExceeded: with these they would have more than :data:`MAX_EXTERNAL_IDS` customer ids.
            MemberChanged: others kept changing the member through :data:`ATTEMPTS` tries.
        """
        for attempt in range(ATTEMPTS):
            found = self._found(program, member_id)
            before, tier = found.member, self._tier(program, found)
            if if_version not in (None, before.version):
                raise Stale(f"The current version is {before.version}; read the member and decide again.")
            old = self._profile(found)
            profile = _merged(old, changes)
            if profile == old:
                return _shown(before, tier, old)
            # Without a key and yet open: of a member from before there were any. Of who lost theirs nothing opens.
            new_key = None if found.key else self._vault.new_key(before.program, member_id)
            after = self._next_version(before, profile, found.key or new_key)
            try:
                in_the_way = self._store.replace(before, after, new_key=new_key)
            except TransactionRefused:
                self._pause(attempt)
                continue
            if not in_the_way:
                return _shown(after, tier, profile)
            taken = {kind: owner for kind, owner in in_the_way.items() if kind in after.lookups}
            if taken and not {MEMBER, KEY} & in_the_way.keys():
                raise _already_enrolled(taken)
        raise MemberChanged("Others are changing this member at the moment; read it and decide again.")

    def _request_hash(self, program: str, profile: Profile, code: str | None) -> str:
        # Keyed like a lookup: of a plain hash anybody with the table could find the e-mail by trying.
        request = json.dumps([profile.as_json(), code], sort_keys=True)
        return self._lookups.digest(program, "enrollment", request)

    def _new_member(
        self, program: Program, profile: Profile, request: str, came: Came, attribution: Attribution | None
    ) -> tuple[StoredMember, MemberKey]:
        now = self._clock()
        program_id, member_id = program.document.id, ids.new_member_id(now)
        key = self._vault.new_key(program_id, member_id)
        digests = profile.digests(program_id, self._lookups)
        member = StoredMember(
            program=program_id,
            member_id=member_id,
            version=1,
            referral_code=self._new_code(),
            entry_tier=program.document.tiers[0].id,
            referred_by=None if attribution is None else attribution.referrer,
            created_at=now,
            updated_at=now,
            request_hash=request,
            lookups=digests,
            sealed=self._vault.seal(profile_of(program_id, member_id), key, profile.as_json()),
            likenesses=alike(program_id, self._lookups, profile, digests, came.signals),
            flags=flags_of(profile.email),
        )
        return member, key

    def _replay(self, program: str, taken: Mapping[str, str | None], same: Mapping[str, Profile]) -> Enrolled:
        """The first result of this very request; the member may have changed their profile since.

        ``same``: hash of the request → the profile that it makes, by each version.
        """
        owners = set(taken.values())
        owner = owners.pop()
        earlier = self._store.get(program, owner) if owner and not owners else None
        if earlier is None or earlier.request_hash not in same:
            raise _already_enrolled(taken)
        first = replace(earlier, version=1)
        return Enrolled(_shown(first, first.entry_tier, same[earlier.request_hash]), replayed=True)

    def _found(self, program: Program, member_id: str) -> FoundMember:
        found = self._store.find(program.document.id, member_id)
        if found is None:
            raise MemberNotFound.of(program.document.id, member_id)
        if (into := found.member.merged_into) is not None:
            raise MemberMerged(
                f"'{member_id}' was merged into '{into}'; use that member.", member_id=member_id, into=into
            )
        if found.member.erased_at is not None:
            raise MemberErased.of(member_id)
        return found

    def _tier(self, program: Program, found: FoundMember) -> str:
        """As of now, whatever has been written down."""
        return as_of(found.book, program.scope, self._clock()).tier

    def _profile(self, found: FoundMember) -> Profile:
        return open_profile(self._vault, found)

    def _next_version(self, before: StoredMember, profile: Profile, key: MemberKey | None) -> StoredMember:
        digests = profile.digests(before.program, self._lookups)
        signals = {kind: digest for kind, digest in before.likenesses.items() if kind in SIGNALS}
        likenesses = signals | alike(before.program, self._lookups, profile, digests)
        return replace(
            before,
            version=before.version + 1,
            updated_at=self._clock(),
            lookups=digests,
            sealed=self._vault.seal(profile_of(before.program, before.member_id), key, profile.as_json()),
            likenesses=likenesses,
            likenesses_before=former(before, likenesses),
            flags=flags_of(profile.email),
        )

    def _pause(self, attempt: int) -> None:
        self._sleep(jitter(attempt, base=_BACKOFF_SECONDS, cap=_BACKOFF_CAP_SECONDS))


def _shown(stored: StoredMember, tier: str, profile: Profile) -> Member:
    return Member(
        program=stored.program,
        member_id=stored.member_id,
        version=stored.version,
        referral_code=stored.referral_code,
        tier=tier,
        profile=profile,
        referred_by=stored.referred_by,
        created_at=stored.created_at,
    )


def _merged(profile: Profile, changes: Mapping[str, Any]) -> Profile:
    fields = dict(changes)
    if "external_ids" in fields:
        merged: dict[str, str | None] = {**profile.external_ids, **(fields["external_ids"] or {})}
        fields["external_ids"] = {platform: value for platform, value in merged.items() if value is not None}
        if len(fields["external_ids"]) > MAX_EXTERNAL_IDS:
            raise ExternalIdsLimitExceeded(
                f"A member has {MAX_EXTERNAL_IDS} customer ids at most; remove some by null.", pointer="/external_ids"
            )
    return replace(profile, **fields)


def _already_enrolled(taken: Mapping[str, str | None]) -> AlreadyEnrolled:
    pointers = sorted(pointer_of(kind) for kind in taken)
    return AlreadyEnrolled(f"A member has this already: {', '.join(pointers)}.", pointer=pointers[0])
