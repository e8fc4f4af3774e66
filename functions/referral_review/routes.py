"""Referrals in review: list, read; approve, reject, revoke; appeal. And how well screening does."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from loyalty.abuse.model import Person
from loyalty.attribution.model import Referral
from loyalty.core.cursor import Cursors
from loyalty.core.fields import MemberId, ProgramId
from loyalty.core.http import caller
from loyalty.core.telemetry import count, logger
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.referrals.decisions import asked
from loyalty.referrals.feedback_views import ReferralFeedbackView
from loyalty.referrals.review_views import (
    AppealBody,
    AppealView,
    ReferralDecisionBody,
    ReferralReviewsPage,
    ReferralReviewView,
)
from loyalty.referrals.reviewing import ReviewService

REVIEWS = "/v1/programs/<program>/referral-reviews"
REFERRAL = "/v1/programs/<program>/members/<member_id>/referral"

_Decision = Annotated[ReferralDecisionBody, Body()]
_ONE_OR_TWO: Final[dict[int, OpenAPIResponse]] = {
    200: {"description": "Decided", "content": {"application/json": {"model": ReferralReviewView}}},
    202: {
        "description": "Another person has to agree",
        "content": {"application/json": {"model": ReferralReviewView}},
    },
}


def routes(programs: ProgramStore, reviews: ReviewService, cursors: Cursors) -> Router:
    """``GET …/referral-reviews``, everything under ``…/referral/review``, and ``POST …/referral/appeal``."""
    router = Router()

    def decider(program: str, body: ReferralDecisionBody) -> tuple[Program, Person]:
        client_id = caller(router)
        return programs.for_client(program, client_id), body.person(client_id)

    @router.get(REVIEWS, summary="List referrals that wait for a person", tags=["Referrals"])
    def get_referral_reviews(
        program: ProgramId,
        limit: Annotated[int, Query(ge=1, le=100, description="Referrals on a page.")] = 25,
        cursor: Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")] = None,
    ) -> ReferralReviewsPage:
        programs.for_client(program, caller(router))
        resource = f"referral-reviews/{program}"
        after = str(cursors.read(resource, cursor)["after"]) if cursor else None
        page = reviews.page(program, limit=limit, after=after)
        return ReferralReviewsPage(
            items=[ReferralReviewView.of(one) for one in page.items],
            next_cursor=None if page.next is None else cursors.write(resource, {"after": page.next}),
        )

    @router.get(
        f"{REVIEWS}/feedback", summary="Read how well screening does, by what people decided", tags=["Referrals"]
    )
    def get_referral_feedback(
        program: ProgramId,
        first: Annotated[date, Query(alias="from", description="The first day.", examples=["2026-11-01"])],
        last: Annotated[date | None, Query(alias="until", description="The last day. Left out: the first one.")] = None,
    ) -> ReferralFeedbackView:
        current = programs.for_client(program, caller(router))
        return ReferralFeedbackView.of(reviews.feedback(current, first, last or first, bounded=True))

    @router.get(f"{REFERRAL}/review", summary="Read what speaks against a referral", tags=["Referrals"])
    def get_referral_review(program: ProgramId, member_id: MemberId) -> ReferralReviewView:
        programs.for_client(program, caller(router))
        referral = reviews.get(program, member_id)
        return ReferralReviewView.of(referral, reproduced=reviews.reproduced(referral))

    @router.post(
        f"{REFERRAL}/review/approve",
        summary="Have a referral rewarded, or ask a second person for it",
        tags=["Referrals"],
        responses=_ONE_OR_TWO,
    )
    def post_referral_approval(
        program: ProgramId, member_id: MemberId, body: _Decision
    ) -> Response[ReferralReviewView]:
        current, person = decider(program, body)
        return _answer("ReferralsApproved", reviews.approve(current, member_id, person, body.reason), approved=True)

    @router.post(f"{REFERRAL}/review/reject", summary="End a referral without a reward", tags=["Referrals"])
    def post_referral_rejection(program: ProgramId, member_id: MemberId, body: _Decision) -> ReferralReviewView:
        current, person = decider(program, body)
        return _told("ReferralsRejected", reviews.reject(current, member_id, person, body.reason))

    @router.post(
        f"{REFERRAL}/review/revoke",
        summary="Take back what both sides of a rewarded referral got, or ask a second person for it",
        tags=["Referrals"],
        responses=_ONE_OR_TWO,
    )
    def post_referral_revocation(
        program: ProgramId, member_id: MemberId, body: _Decision
    ) -> Response[ReferralReviewView]:
        current, person = decider(program, body)
        return _answer("ReferralsRevoked", reviews.revoke(current, member_id, person, body.reason), approved=False)

    @router.post(
        f"{REFERRAL}/appeal",
        summary="Ask for another look at a referral",
        tags=["Referrals"],
        responses={202: {"description": "Taken note of", "content": {"application/json": {"model": AppealView}}}},
    )
    def post_referral_appeal(
        program: ProgramId, member_id: MemberId, body: Annotated[AppealBody, Body()]
    ) -> Response[AppealView]:
        client_id = caller(router)
        programs.for_client(program, client_id)
        referral, changed = reviews.appeal(program, member_id, body.reason, client_id)
        count("ReferralsAppealed" if changed else "ReferralAppealsWithoutEffect")
        logger.info("referral appealed", extra={"member_id": member_id, "changed": changed, "status": referral.status})
        # The same whatever came of it, and of whatever it is about: it would tell of screening.
        return Response(
            status_code=HTTPStatus.ACCEPTED,
            content_type="application/json",
            body=AppealView(member_id=member_id),
        )

    return router


def _answer(metric: str, referral: Referral, *, approved: bool) -> Response[ReferralReviewView]:
    proposed = asked(referral)
    waits = proposed is not None and proposed.approved is approved
    return Response(
        status_code=HTTPStatus.ACCEPTED if waits else HTTPStatus.OK,
        content_type="application/json",
        body=_told("ReferralDecisionsProposed" if waits else metric, referral),
    )


def _told(metric: str, referral: Referral) -> ReferralReviewView:
    count(metric)
    logger.info("referral reviewed", extra={"member_id": referral.member_id, "status": referral.status})
    return ReferralReviewView.of(referral)
