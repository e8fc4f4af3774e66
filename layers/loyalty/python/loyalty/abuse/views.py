"""How cases look to staff, and how staff decide about them."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints

from loyalty.abuse.model import Case, Decided, Person, Severity, State
from loyalty.abuse.watch import Evidence, Signal
from loyalty.core.clock import to_text
from loyalty.core.fields import Actor, RequestBody, ResponseBody
from loyalty.core.four_eyes import client_actor, person_actor

Reason = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$"),
    Field(description="Why, as a code of your own; it stays for ever. No personal data.", examples=["called_back"]),
]


class RiskDecisionBody(RequestBody):
    """Who decides about a member's case, and why."""

    actor: Actor
    reason: Reason

    def person(self, client_id: str) -> Person:
        """Who decides, through the client that vouches for them."""
        return Person(person_actor(self.actor), client_actor(client_id))


class SignalView(ResponseBody):
    """A sign of abuse, and what was counted."""

    signal: Signal
    counted: Annotated[int, Field(description="Doings, points or other members, as the signal says.")]
    bound: Annotated[int, Field(description="From how many on it is a sign.")]
    since: str
    until: str
    references: Annotated[
        list[str],
        Field(
            description="The last doings: `seq` of entries, ids of redemptions, or `{redemption}:{line}` of a register."
        ),
    ]

    @classmethod
    def of(cls, one: Evidence) -> Self:
        """The view of one sign."""
        return cls(
            signal=one.signal,
            counted=one.counted,
            bound=one.bound,
            since=to_text(one.since),
            until=to_text(one.until),
            references=list(one.references),
        )


class RiskDecisionView(ResponseBody):
    """What somebody decided, or asks for."""

    actor: Annotated[str, Field(description="`person:…`.")]
    through: Annotated[str | None, Field(description="`client:…`; null: the console, or a command of an operator.")]
    reason: str
    at: str

    @classmethod
    def of(cls, decided: Decided | None) -> Self | None:
        """The view of a decision; None of none."""
        if decided is None:
            return None
        return cls(actor=decided.by.actor, through=decided.by.through, reason=decided.reason, at=to_text(decided.at))


class RiskCaseView(ResponseBody):
    """What is held against a member. `on_hold`: no redemption, transfer or pool; they earn as before."""

    member_id: str
    state: State
    on_hold: bool
    severity: Severity
    signals: list[SignalView]
    opened_at: str
    updated_at: str
    held: Annotated[RiskDecisionView | None, Field(description="Who put the member on hold by hand.")]
    release_proposed: Annotated[
        RiskDecisionView | None, Field(description="Who asked for a release that waits for a second person.")
    ]
    decided: Annotated[RiskDecisionView | None, Field(description="Who released the member or confirmed the case.")]

    @classmethod
    def of(cls, case: Case) -> Self:
        """The view of a case."""
        return cls(
            member_id=case.member_id,
            state=case.state,
            on_hold=case.on_hold,
            severity=case.severity,
            signals=[SignalView.of(one) for one in case.evidence],
            opened_at=to_text(case.opened_at),
            updated_at=to_text(case.updated_at),
            held=RiskDecisionView.of(case.held),
            release_proposed=RiskDecisionView.of(case.proposed),
            decided=RiskDecisionView.of(case.decided),
        )


class RiskCasesPage(ResponseBody):
    """Open cases of a program, the oldest first."""

    items: list[RiskCaseView]
    next_cursor: Annotated[str | None, Field(description="Send it as `cursor` for the next page; null: the last.")]
