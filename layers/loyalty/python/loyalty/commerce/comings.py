"""A member came or changed: a signup is posted where the program rewards it, and what was kept for them is claimed."""

from datetime import datetime
from typing import Protocol

from loyalty.accruals.model import ENROLLMENT, Activity
from loyalty.accruals.service import AccrualService
from loyalty.commerce.claims import Claims
from loyalty.commerce.model import MemberSignal
from loyalty.commerce.outcomes import FINAL, Outcome, Unfinished
from loyalty.members.items import StoredMember
from loyalty.programs.deeds import SIGNUP
from loyalty.programs.model import Program


class Members(Protocol):
    """Members as stored."""

    def get(self, program: str, member_id: str) -> StoredMember | None:
        """The member, or None."""


class Programs(Protocol):
    """Programs as they are, and as they were."""

    def current(self, program: str) -> Program:
        """The current version; raises ``ProgramNotFound``."""

    def at(self, program: str, moment: datetime) -> Program | None:
        """The version that was in force at a past moment; None where there was none yet."""


class Comings:
    """Does what a member's coming asks for; each time again it is told, and each thing once."""

    def __init__(self, members: Members, programs: Programs, accruals: AccrualService, claims: Claims) -> None:
        self._members = members
        self._programs = programs
        self._accruals = accruals
        self._claims = claims

    def came(self, signal: MemberSignal) -> list[Outcome]:
        """The signup of who enrolled, then what was kept for them.

        Raises:
            ProgramNotFound: there is no such program.
            Unfinished, TransactionRefused, WalletBusy: see :meth:`Claims.claim`; deliver the event again.
        """
        program = self._programs.current(signal.program)
        member = self._members.get(program.document.id, signal.member_id)
        if member is None:
            return []
        posted = self._signed_up(program, member) if signal.enrolled else []
        try:
            return [*posted, *self._claims.claim(program, member)]
        except Unfinished as part:
            raise Unfinished([*posted, *part.outcomes]) from None

    def _signed_up(self, program: Program, member: StoredMember) -> list[Outcome]:
        """Posts the signup by today's version; the member's id is its identity. Of a merged member to the survivor.

        Nothing where no rule rewards it, or none did when the member enrolled: however late the event comes, or comes
        again, a rule is for those who enroll from then on.
        """
        if not program.document.earn_rules_for(SIGNUP):
            return []
        then = self._programs.at(program.document.id, member.created_at)
        if then is None or not then.document.earn_rules_for(SIGNUP):
            return []
        signup = Activity(SIGNUP, ENROLLMENT, member.member_id, member.created_at)
        try:
            posted = self._accruals.accrue(program, member.member_id, signup)
        except FINAL:
            return [Outcome.SIGNUP_REFUSED]  # what was kept for the member is claimed all the same
        return [Outcome.REPLAYED if posted.replayed else Outcome.SIGNED_UP]
