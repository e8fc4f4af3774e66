"""Is a referral code good for this person?"""

from collections.abc import Mapping
from typing import Protocol

from loyalty.core.pii import Lookups
from loyalty.referrals.codes import Reason, code_digest, normal_code


class Owners(Protocol):
    """Finds members by what they are looked up by."""

    def owners(self, program: str, *digests: str) -> Mapping[str, str]:
        """Digest → member id, for those that somebody has; one round trip."""


class ReferralService:
    """Answers before an enrollment, which decides again for itself."""

    def __init__(self, owners: Owners, lookups: Lookups) -> None:
        self._owners = owners
        self._lookups = lookups

    def validate(
        self, program: str, code_text: str, *, member_id: str | None = None, email: str | None = None
    ) -> Reason:
        """Whether the code exists and belongs to somebody else than ``member_id`` or the owner of ``email``."""
        code = normal_code(code_text)
        if code is None:
            return Reason.UNKNOWN
        by_code = code_digest(code)
        by_email = [self._lookups.email(program, email)] if email else []
        found = self._owners.owners(program, by_code, *by_email)
        owner = found.get(by_code)
        if owner is None:
            return Reason.UNKNOWN
        is_own = owner == member_id or owner in map(found.get, by_email)
        return Reason.OWN_CODE if is_own else Reason.VALID
