"""Referrals as a page shows them, and as people decide about them there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from loyalty.abuse.model import Person
from loyalty.attribution.model import Referral
from loyalty.core.clock import Clock
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.referrals.reviewing import ReviewService


class Decision(StrEnum):
    """What a person may decide about a referral."""

    APPROVE = "approve"
    REJECT = "reject"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class ReferralDesk:
    """The caller sees to it that whoever looks or decides may see the program."""

    programs: ProgramStore
    reviews: ReviewService

    @classmethod
    def over(cls, table: Table, clock: Clock) -> Self:
        """Over one table."""
        return cls(ProgramStore(table, clock), ReviewService(table, clock))

    def takes_two(self, program: str) -> bool:
        """Whether the version in force asks two people for an approval or a revocation."""
        return self.programs.current(program).document.four_eyes.referrals

    def decide(self, decision: Decision, program: str, member_id: str, by: Person, reason: str) -> Referral:
        """The referral after the decision.

        Raises:
            LoyaltyError: what :class:`loyalty.referrals.reviewing.ReviewService` refuses it with.
        """
        decides = {
            Decision.APPROVE: self.reviews.approve,
            Decision.REJECT: self.reviews.reject,
            Decision.REVOKE: self.reviews.revoke,
        }[decision]
        return decides(self.programs.current(program), member_id, by, reason)
