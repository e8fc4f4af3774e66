"""Is a referral code good for this person?"""

from collections.abc import Mapping
from typing import Protocol

from loyalty.attribution.codes import GivenCode, Reason, normal_code, usable
from loyalty.core.clock import Clock
from loyalty.core.pii import Lookups
from loyalty.programs.model import Program


class Codes(Protocol):
    """Finds whose a code is, and the owners of other digests."""

    def given_code(self, program: str, code: str, *digests: str) -> tuple[GivenCode | None, Mapping[str, str]]:
        """The code in its normal form as somebody has it; digest → member id; one round trip."""


class ReferralService:
    """Answers before an enrollment, which decides again for itself."""

    def __init__(self, codes: Codes, lookups: Lookups, clock: Clock) -> None:
        self._codes = codes
        self._lookups = lookups
        self._clock = clock

    def validate(
        self, program: Program, code_text: str, *, member_id: str | None = None, email: str | None = None
    ) -> Reason:
        """Whether the code may be used now, and belongs to somebody else than ``member_id`` or the owner of ``email``."""
        code = normal_code(code_text)
        if code is None:
            return Reason.MALFORMED
        name = program.document.id
        by_email = [self._lookups.email(name, email)] if email else []
        given, owners = self._codes.given_code(name, code, *by_email)
        if given is not None and given.member_id in {member_id, *owners.values()}:
            return Reason.OWN_CODE
        return usable(given, program.document.referrals, self._clock())
