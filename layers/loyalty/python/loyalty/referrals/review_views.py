"""How referrals look to staff who decide on them. Nothing of this is for members: they are told :class:`Told` alone."""

from typing import Annotated, Final, Self

from pydantic import Field

from loyalty.abuse.views import Reason, RiskDecisionBody
from loyalty.attribution.model import Decided, Evidence, Qualified, Referral, ReferralStatus, Rewarded, Signal, Verdict
from loyalty.core.clock import to_text
from loyalty.core.fields import MoneyBody, RequestBody, ResponseBody
from loyalty.referrals.decisions import asked
from loyalty.referrals.words import in_words

ReferralDecisionBody = RiskDecisionBody
"""Who decides, and why: as about a member's case."""
_ERASED: Final = "-"
SignalName = Annotated[str, Field(json_schema_extra={"enum": [one.value for one in Signal]})]
"""A sign. Its enum is spelt out: signs of members' abuse have one of the same name in the document of the API."""


class AppealBody(RequestBody):
    """Why a member wants their referral looked at."""

    reason: Reason


class AppealView(ResponseBody):
    """That it was taken note of. Whether it changes anything is not said: it would tell of screening."""

    member_id: str


class SignView(ResponseBody):
    """A sign that speaks against a referral."""

    signal: SignalName
    says: Annotated[str, Field(description="What was counted, in English, for staff.")]
    counted: int
    bound: Annotated[int, Field(description="From how many on it counts.")]
    weight: Annotated[int, Field(description="What it adds to the score.")]
    members: Annotated[list[str], Field(description="Ids of a few members whom it is about, as they enrolled.")]

    @classmethod
    def of(cls, one: Evidence) -> Self:
        """The view of one sign."""
        return cls(
            signal=one.signal.value,
            says=in_words(one),
            counted=one.counted,
            bound=one.bound,
            weight=one.weight,
            members=list(one.members),
        )


class DecisionView(ResponseBody):
    """What somebody decided, or asks for."""

    approved: bool
    actor: Annotated[str, Field(description="`person:…`, or `operator:…` of a command.")]
    through: Annotated[str | None, Field(description="`client:…`; null: a command of an operator.")]
    reason: str
    at: str

    @classmethod
    def of(cls, one: Decided) -> Self:
        """The view of a decision."""
        return cls(approved=one.approved, actor=one.actor, through=one.through, reason=one.reason, at=to_text(one.at))


class AppealedView(ResponseBody):
    """That it was appealed."""

    at: str
    reason: str | None
    through: Annotated[str | None, Field(description="`client:…`, which cannot decide on it.")]


class QualifiedView(ResponseBody):
    """What qualified it."""

    entry_id: Annotated[str, Field(description="Of the accrual, in the statement of who was brought.")]
    amount: MoneyBody | None
    occurred_at: str
    pays_at: Annotated[str, Field(description="When the return window is over.")]

    @classmethod
    def of(cls, one: Qualified) -> Self:
        """The view of what qualified."""
        return cls(
            entry_id=one.entry_id,
            amount=None if one.amount is None else MoneyBody.of(one.amount),
            occurred_at=to_text(one.occurred_at),
            pays_at=to_text(one.pays_at),
        )


class PaidView(ResponseBody):
    """What both sides got."""

    referrer: str
    member_id: str
    points: Annotated[int, Field(description="To who brought somebody.")]
    member_points: Annotated[int, Field(description="To who was brought.")]
    at: str

    @classmethod
    def of(cls, one: Rewarded) -> Self:
        """The view of a reward."""
        return cls(
            referrer=one.referrer,
            member_id=one.member_id,
            points=one.points,
            member_points=one.member_points,
            at=to_text(one.at),
        )


class ScreeningView(ResponseBody):
    """What screening says: the score is the sum of the weights, 100 at most."""

    verdict: Verdict
    score: int
    program_version: Annotated[int, Field(description="The version of the program whose bounds and weights these are.")]
    at: str
    signs: list[SignView]
    features: Annotated[dict[str, int], Field(description="All that was counted, whether it reached its bound or not.")]


class ReferralReviewView(ResponseBody):
    """A referral as staff decide on it."""

    member_id: Annotated[str, Field(description="Who was brought, as they enrolled.")]
    referrer: Annotated[str, Field(description="Who brought them, as they were then.")]
    code: Annotated[str | None, Field(description="Null: its owner was erased.")]
    campaign: str | None
    channel: str | None
    status: ReferralStatus
    verdict: Annotated[
        Verdict | None, Field(description="What a person decided last, else what screening says; null: neither yet.")
    ]
    in_review: Annotated[bool, Field(description="It waits for a person.")]
    claimed_at: str
    deadline: str | None
    qualified: QualifiedView | None
    screening: ScreeningView | None
    decisions: list[DecisionView]
    proposed: Annotated[DecisionView | None, Field(description="What waits for a second person to agree to.")]
    appeal: AppealedView | None
    rewarded: PaidView | None
    ended_at: str | None
    ended_because: str | None
    reproduced: Annotated[
        bool | None,
        Field(
            description="Whether the score was computed again from `features` by that version, and is the same. Null: it is "
            "not screened yet, or this is a list."
        ),
    ]

    @classmethod
    def of(cls, one: Referral, *, reproduced: bool | None = None) -> Self:
        """The view of a referral."""
        proposed = asked(one)
        return cls(
            member_id=one.member_id,
            referrer=one.referrer,
            code=None if one.code == _ERASED else one.code,
            campaign=one.source.campaign,
            channel=one.source.channel,
            status=one.status,
            verdict=one.verdict,
            in_review=one.waits,
            claimed_at=to_text(one.claimed_at),
            deadline=None if one.deadline is None else to_text(one.deadline),
            qualified=None if one.qualified is None else QualifiedView.of(one.qualified),
            screening=_screening_of(one),
            decisions=[DecisionView.of(decided) for decided in one.decisions],
            proposed=None if proposed is None else DecisionView.of(proposed),
            appeal=_appeal_of(one),
            rewarded=None if one.rewarded is None else PaidView.of(one.rewarded),
            ended_at=None if one.ended_at is None else to_text(one.ended_at),
            ended_because=one.ended_because,
            reproduced=reproduced,
        )


class ReferralReviewsPage(ResponseBody):
    """Referrals that wait for a person, who has waited longest first."""

    items: list[ReferralReviewView]
    next_cursor: Annotated[str | None, Field(description="Send it as `cursor` for the next page; null: the last.")]


def _screening_of(one: Referral) -> ScreeningView | None:
    screened = one.screened
    if screened is None:
        return None
    return ScreeningView(
        verdict=screened.verdict,
        score=screened.score,
        program_version=screened.program_version,
        at=to_text(screened.at),
        signs=[SignView.of(sign) for sign in screened.evidence],
        features=dict(screened.features),
    )


def _appeal_of(one: Referral) -> AppealedView | None:
    if one.appealed_at is None:
        return None
    return AppealedView(at=to_text(one.appealed_at), reason=one.appealed_because, through=one.appealed_through)
