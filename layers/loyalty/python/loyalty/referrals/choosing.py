"""Which code a member shows: one of their own choice, or a generated one. Earlier ones keep leading to them."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from loyalty.attribution.codes import (
    GivenCode,
    Reason,
    code_digest,
    folded,
    is_chosen,
    new_referral_code,
    normal_code,
    usable,
)
from loyalty.attribution.errors import CodeMalformed
from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock
from loyalty.core.errors import MemberErased, MemberMerged, MemberNotFound, Stale
from loyalty.core.table import TransactionRefused
from loyalty.ledger.service import following
from loyalty.members.errors import MemberChanged
from loyalty.members.items import REFERRAL_CODE, StoredMember
from loyalty.members.store import MemberStore
from loyalty.programs.model import Program
from loyalty.programs.referrals import Referrals
from loyalty.referrals.code_store import CodeStore
from loyalty.referrals.errors import CodeReserved, CodesLimitExceeded, CodeTaken

MAX_CODES: Final = 5
"""Codes that lead to a member at once, the one that they show among them."""
ATTEMPTS: Final = 6
"""Times that one change is tried while other writers get in first."""
_BACKOFF_SECONDS: Final = 0.02
_BACKOFF_CAP_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class HeldCodes:
    """The codes that lead to a member; ``code`` is the one that they show. ``version`` is the member's."""

    member_id: str
    code: str
    given: tuple[GivenCode, ...]
    version: int
    merged_from: str | None = None


class MemberCodes:
    """Reads and changes the codes of members."""

    def __init__(
        self,
        members: MemberStore,
        store: CodeStore,
        clock: Clock,
        *,
        new_code: Callable[[], str] = new_referral_code,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._members = members
        self._store = store
        self._clock = clock
        self._new_code = new_code
        self._sleep = sleep

    def get(self, program: Program, member_id: str) -> HeldCodes:
        """The codes of a member; of a merged one, those that the survivor has by themselves.

        Raises:
            MemberNotFound: there is none.
            MemberErased: there is none any more.
        """
        found = following(member_id, lambda holder: self.member(program, holder))
        held = _held(found, self._given(found))
        return held if held.member_id == member_id else replace(held, merged_from=member_id)

    def choose(
        self, program: Program, member_id: str, wanted: str | None, *, if_version: int | None = None
    ) -> HeldCodes:
        """Has a member show a code as it was typed, or with None a generated one that has not expired.

        What they show already is no change, and has no new version. A code that leads to them already is shown again, and
        given anew if it has expired. Where one more than :data:`MAX_CODES` would lead to them, the expired ones do no more.

        Raises:
            CodeMalformed: it is not of the form of chosen codes.
            CodeReserved: it has a word in it that the program keeps for itself.
            CodeTaken: another member has it, or one that looks like it.
            CodesLimitExceeded: as many lead to them already, and none has expired.
            MemberNotFound, MemberErased: there is none, or none any more.
            MemberMerged: they were merged into another member, whose code is the one to change.
            Stale: the current version is not ``if_version``.
            MemberChanged: others kept changing the member through :data:`ATTEMPTS` tries.
        """
        for attempt in range(ATTEMPTS):
            before = self.member(program, member_id)
            if if_version not in (None, before.version):
                raise Stale(f"The current version is {before.version}; read the codes and decide again.")
            given = self._given(before)
            after, new = self._changed(before, given, wanted, program.document.referrals)
            if after == before:
                return _held(before, given)
            try:
                in_the_way = self._store.change(before, after, new=new, uses=_marked(given))
            except TransactionRefused:
                self._sleep(jitter(attempt, base=_BACKOFF_SECONDS, cap=_BACKOFF_CAP_SECONDS))
                continue
            if not in_the_way:
                return _held(after, self._given(after))
            if in_the_way.keys() == {REFERRAL_CODE} and wanted is not None:
                raise CodeTaken(
                    "Another member has this code, or one that looks like it; choose another.", pointer="/code"
                )
        raise MemberChanged("Others are changing this member at the moment; read the codes and decide again.")

    def _changed(
        self, member: StoredMember, given: Mapping[str, GivenCode], wanted: str | None, rules: Referrals | None
    ) -> tuple[StoredMember, str | None]:
        """The next version of a member, or the same where nothing changes, and the code that they are given with it."""
        now = self._clock()
        expired = {code for code, one in given.items() if usable(one, rules, now) is Reason.EXPIRED}
        code = self._generated(member, given, rules, now) if wanted is None else _chosen(wanted, member, rules)
        if code == member.referral_code and code not in expired:
            return member, None
        after = replace(
            member,
            version=member.version + 1,
            updated_at=now,
            referral_code=code,
            earlier_codes=_kept(member.codes, code, expired) - {code},
        )
        return after, None if code in member.codes - expired else code

    def _generated(
        self, member: StoredMember, given: Mapping[str, GivenCode], rules: Referrals | None, now: datetime
    ) -> str:
        """One that they have and that has not expired, the one that they show before others; else a new one.

        Of who has brought as many as they may, a new one would bring nobody either.
        """
        for code in (member.referral_code, *sorted(member.earlier_codes)):
            if not is_chosen(code) and usable(given.get(code), rules, now) in {Reason.VALID, Reason.EXHAUSTED}:
                return code
        return self._new_code()

    def _given(self, member: StoredMember) -> Mapping[str, GivenCode]:
        return self._store.given_codes(member.program, member.codes)

    def member(self, program: Program, member_id: str) -> StoredMember:
        """This very member.

        Raises:
            MemberNotFound, MemberMerged, MemberErased: there is none, or none any more.
        """
        found = self._members.get(program.document.id, member_id)
        if found is None:
            raise MemberNotFound.of(program.document.id, member_id)
        if (into := found.merged_into) is not None:
            raise MemberMerged(
                f"'{member_id}' was merged into '{into}'; use that member.", member_id=member_id, into=into
            )
        if found.erased_at is not None:
            raise MemberErased.of(member_id)
        return found


def _chosen(text: str, member: StoredMember, rules: Referrals | None) -> str:
    """The code that was typed; one of the member's own as it was given to them.

    Raises:
        CodeMalformed, CodeReserved: see :meth:`MemberCodes.choose`.
    """
    code = normal_code(text)
    own = {code_digest(one): one for one in member.codes}
    if code is not None and code_digest(code) in own:
        return own[code_digest(code)]
    if code is None or not is_chosen(code):
        raise CodeMalformed(
            "Choose 4 to 7, or 10 to 20, letters and digits, one of them a letter: codes of 8 and 9 are given out by the platform.",
            pointer="/code",
        )
    if rules is not None and any(folded(word) in folded(code) for word in rules.reserved_words):
        raise CodeReserved("The program keeps a word of this code for itself; choose another.", pointer="/code")
    return code


def _marked(given: Mapping[str, GivenCode]) -> int | None:
    """How many a member is known to have brought, where their codes were marked with it."""
    return max((one.uses for one in given.values() if one.uses is not None), default=None)


def _kept(codes: frozenset[str], code: str, expired: Collection[str]) -> frozenset[str]:
    """Which of their codes a member keeps who shows ``code`` from now on.

    Raises:
        CodesLimitExceeded: there is no room, and none has expired.
    """
    if len(codes | {code}) <= MAX_CODES:
        return codes
    if not expired:
        raise CodesLimitExceeded(
            f"{MAX_CODES} codes lead to a member at most, and none of this one's has expired; show one of them again."
        )
    return codes - frozenset(expired)


def _held(member: StoredMember, given: Mapping[str, GivenCode]) -> HeldCodes:
    in_order = sorted(given.values(), key=lambda one: (one.code != member.referral_code, one.code))
    return HeldCodes(member.member_id, member.referral_code, tuple(in_order), member.version)
