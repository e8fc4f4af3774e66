"""How well screening does, as staff read it."""

from typing import Annotated, Self

from pydantic import Field

from loyalty.attribution.model import Verdict
from loyalty.core.fields import ResponseBody
from loyalty.referrals.feedback import Feedback, Share
from loyalty.referrals.review_views import SignalName


class ShareView(ResponseBody):
    """A share, exactly: `part` of `of`."""

    part: int
    of: int
    percent: Annotated[str | None, Field(description="With one decimal, rounded half up; null: of nothing.")]

    @classmethod
    def of_share(cls, share: Share) -> Self:
        """The view of a share."""
        return cls(part=share.part, of=share.of, percent=share.percent)


class VerdictRowView(ResponseBody):
    """Referrals with one verdict of screening."""

    verdict: Verdict
    fraud: Annotated[int, Field(description="People rejected or revoked them.")]
    honest: Annotated[int, Field(description="People approved them.")]
    waiting: Annotated[int, Field(description="In review, for the first time or again.")]
    undecided: Annotated[int, Field(description="Nobody decided on them, nor has to so far.")]


class SignRowView(ResponseBody):
    """Of the referrals with one sign, what people decided."""

    signal: SignalName
    fraud: int
    honest: int
    right: ShareView


class AppealsView(ResponseBody):
    """Appeals of rejected referrals."""

    made: int
    granted: int
    refused: int


class ReferralFeedbackView(ResponseBody):
    """What screening said beside what people said, of the referrals that were claimed in a period."""

    referrals: int
    screened: int
    precision: Annotated[
        ShareView, Field(description="Of those that were stopped and that people decided on, the frauds.")
    ]
    recall: Annotated[
        ShareView, Field(description="Of the frauds that people found, those that were stopped: an upper bound.")
    ]
    verdicts: list[VerdictRowView]
    signs: list[SignRowView]
    appeals: AppealsView
    revoked: int

    @classmethod
    def of(cls, one: Feedback) -> Self:
        """The view of a fold."""
        return cls(
            referrals=one.referrals,
            screened=one.screened,
            precision=ShareView.of_share(one.precision),
            recall=ShareView.of_share(one.recall),
            verdicts=[
                VerdictRowView(
                    verdict=verdict,
                    fraud=row.known.fraud,
                    honest=row.known.honest,
                    waiting=row.waiting,
                    undecided=row.undecided,
                )
                for verdict, row in one.rows.items()
            ],
            signs=[
                SignRowView(
                    signal=signal.value, fraud=known.fraud, honest=known.honest, right=ShareView.of_share(known.right)
                )
                for signal, known in one.signs.items()
            ],
            appeals=AppealsView(made=one.appeals.made, granted=one.appeals.granted, refused=one.appeals.refused),
            revoked=one.revoked,
        )
