"""A case of suspected abuse of one member, and how it moves on. Pure.

::

    (nothing) --signal, by hand--> open --released--> released --signal, by hand--> open
                                    |  ^ one asks for the release, another agrees
                                    +--confirmed--> confirmed --released--> released

An open case is on hold where a signal or a person says so; a confirmed one always is, a released one never.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from loyalty.abuse.errors import RiskReleased
from loyalty.abuse.watch import Evidence, Signal
from loyalty.core.errors import SecondPersonRequired
from loyalty.core.four_eyes import same_hands
from loyalty.programs.abuse import Then


class State(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    MERGED = "merged"
    """The member was merged into another, who has the case now."""


class Severity(StrEnum):
    """What to look at first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides: ``actor`` as ``person:…``, ``through`` the client that vouches for them; None: the console or a command knows them."""

    actor: str
    through: str | None = None

    @property
    def hands(self) -> tuple[str, str | None]:
        """Both of them, as four eyes tell people apart."""
        return self.actor, self.through


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, or what somebody asks for: who, why (a code), when (UTC)."""

    by: Person
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """Times are UTC. ``cleared_at``: what was done until then a person has looked at, and it raises no signal again."""

    program: str
    member_id: str
    state: State
    on_hold: bool
    evidence: Sequence[Evidence]
    opened_at: datetime
    updated_at: datetime
    held: Decided | None = None
    """By hand."""
    proposed: Decided | None = None
    """A release that somebody asked for, and nobody has agreed to yet."""
    decided: Decided | None = None
    cleared_at: datetime | None = None
    revision: int = 0
    """Of the record; 0: there is none yet."""

    @property
    def severity(self) -> Severity:
        """High on hold, medium for several signals."""
        if self.on_hold:
            return Severity.HIGH
        return Severity.MEDIUM if len(self.evidence) > 1 else Severity.LOW

    @property
    def live(self) -> bool:
        """Whether it is open or confirmed."""
        return self.state in _LIVE


_LIVE: Final = frozenset({State.OPEN, State.CONFIRMED})


def raised(case: Case | None, evidence: Sequence[Evidence], program: str, member_id: str, now: datetime) -> Case | None:
    """The case with signals that it does not have yet; None where there is none of them."""
    if case is None or not case.live:
        return _opened(case, evidence, program, member_id, now) if evidence else None
    known = {one.signal for one in case.evidence}
    new = [one for one in evidence if one.signal not in known]
    if not new:
        return None
    return replace(
        case,
        evidence=[*case.evidence, *new],
        on_hold=case.on_hold or _holds(new),
        proposed=None,
        updated_at=now,
    )


def held(case: Case | None, by: Decided, program: str, member_id: str) -> Case:
    """The case on hold by a person's hand; as it is where it is on hold already."""
    if case is not None and case.live and case.on_hold:
        return case
    hand = Evidence(Signal.BY_HAND, Then.HOLD, 1, 1, by.at, by.at)
    opened = raised(case, [hand], program, member_id, by.at) or case
    if opened is None:
        raise AssertionError("evidence opens a case")
    return replace(opened, on_hold=True, held=by, proposed=None, updated_at=by.at)


def confirmed(case: Case, by: Decided) -> Case:
    """It is abuse: the member stays on hold.

    Raises:
        RiskReleased: somebody released the member.
    """
    if case.state is State.CONFIRMED:
        return case
    _require_live(case)
    return replace(case, state=State.CONFIRMED, on_hold=True, proposed=None, decided=by, updated_at=by.at)


def released(case: Case, by: Decided, *, second_person: bool) -> Case:
    """The member may redeem again; where ``second_person``, once another one than who asked for it agrees.

    Asked for, or released, by the same person again, it is as it is.

    Raises:
        SecondPersonRequired: who agrees shares a name, or the client, with who asked for it.
        RiskReleased: somebody else released the member.
    """
    if case.state is State.RELEASED and case.decided is not None and case.decided.by == by.by:
        return case
    _require_live(case)
    if second_person:
        if case.proposed is None:
            return replace(case, proposed=by, updated_at=by.at)
        if case.proposed.by == by.by:
            return case
        if same_hands(case.proposed.by.hands, by.by.hands):
            raise SecondPersonRequired(
                "Whoever asked for a release cannot agree to it; ask somebody else, who uses another client.",
                pointer="/actor",
            )
    return replace(
        case, state=State.RELEASED, on_hold=False, proposed=None, decided=by, cleared_at=by.at, updated_at=by.at
    )


def joined(into: Case | None, gone: Case | None, survivor: str, now: datetime) -> tuple[Case | None, Case | None]:
    """The cases of a survivor and of whom they absorb, after the merge; None where nothing of it changes."""
    if gone is None or not gone.live:
        return None, None
    closed = replace(gone, state=State.MERGED, on_hold=False, proposed=None, updated_at=now)
    if into is None or not into.live:
        cleared = None if into is None else into.cleared_at
        revision = 0 if into is None else into.revision
        return replace(
            gone, member_id=survivor, proposed=None, cleared_at=cleared, revision=revision, updated_at=now
        ), closed
    known = {one.signal for one in into.evidence}
    together = replace(
        into,
        state=State.CONFIRMED if State.CONFIRMED in (into.state, gone.state) else State.OPEN,
        on_hold=into.on_hold or gone.on_hold,
        evidence=[*into.evidence, *(one for one in gone.evidence if one.signal not in known)],
        held=into.held or gone.held,
        decided=into.decided or gone.decided,
        proposed=None,
        updated_at=now,
    )
    return together, closed


def _opened(case: Case | None, evidence: Sequence[Evidence], program: str, member_id: str, now: datetime) -> Case:
    return Case(
        program=program,
        member_id=member_id,
        state=State.OPEN,
        on_hold=_holds(evidence),
        evidence=list(evidence),
        opened_at=now,
        updated_at=now,
        cleared_at=None if case is None else case.cleared_at,
        revision=0 if case is None else case.revision,
    )


def _holds(evidence: Sequence[Evidence]) -> bool:
    return any(one.then is Then.HOLD for one in evidence)


def _require_live(case: Case) -> None:
    if not case.live:
        raise RiskReleased(f"The case of '{case.member_id}' is {case.state}; put the member on hold anew if need be.")
