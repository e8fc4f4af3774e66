"""Cases as a page shows them, and as people decide about them there."""

from enum import StrEnum
from typing import Self

from loyalty.abuse.cases import CaseService
from loyalty.abuse.model import Case, Person, State
from loyalty.abuse.store import RiskStore
from loyalty.core.clock import Clock
from loyalty.core.listing import Listed
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore


class Decision(StrEnum):
    """What a person may decide about a case."""

    HOLD = "hold"
    RELEASE = "release"
    CONFIRM = "confirm"


class CaseDesk:
    """The caller sees to it that whoever looks or decides may see the program."""

    def __init__(self, programs: ProgramStore, cases: CaseService, store: RiskStore) -> None:
        self._programs = programs
        self._cases = cases
        self._store = store

    @classmethod
    def over(cls, table: Table, clock: Clock) -> Self:
        """Over one table."""
        return cls(ProgramStore(table, clock), CaseService(table, clock), RiskStore(table))

    def open(self, program: str, *, limit: int, after: str | None = None) -> Listed[Case]:
        """Up to ``limit`` open cases, the oldest first; ``after`` is ``next`` of the page before."""
        page = self._store.page(program, limit=limit, after=after)
        # The index may be a moment behind: who was released just now is left out.
        return Listed([case for case in page.items if case.state is State.OPEN], page.next)

    def get(self, program: str, member_id: str) -> Case:
        """The member's case.

        Raises:
            MemberNotFound, RiskNotFound: there is no such member, or no case of them.
        """
        return self._cases.get(program, member_id)

    def releases_take_two(self, program: str) -> bool:
        """Whether the version in force asks two people for a release."""
        return self._programs.current(program).document.four_eyes.releases

    def decide(self, decision: Decision, program: str, member_id: str, by: Person, reason: str) -> Case:
        """The case after the decision.

        Raises:
            LoyaltyError: what :class:`loyalty.abuse.cases.CaseService` refuses it with.
        """
        match decision:
            case Decision.HOLD:
                return self._cases.hold(program, member_id, by, reason)
            case Decision.CONFIRM:
                return self._cases.confirm(program, member_id, by, reason)
            case Decision.RELEASE:
                two = self.releases_take_two(program)
                return self._cases.release(program, member_id, by, reason, second_person=two)
