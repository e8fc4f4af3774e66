"""Referral codes: may this one be used?"""

from collections.abc import Callable
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from loyalty.attribution.codes import CodeText, Reason
from loyalty.core.fields import Email, MemberId, ProgramId, RequestBody, ResponseBody
from loyalty.core.http import caller
from loyalty.core.pii import normal_email
from loyalty.programs.store import ProgramStore
from loyalty.referrals.service import ReferralService

_REASONS: Final = (
    "`malformed`: mistyped, or no code at all, as a till knows without asking; `unknown`: nobody has it; `own_code`: it is that of "
    "the person who wants to use it; `expired`, `exhausted`: it was given too long ago, or has brought as many as it may."
)


class ValidationBody(RequestBody):
    """A code, and who wants to use it, where that is known."""

    referral_code: CodeText
    member_id: MemberId | None = None
    email: Email | None = None


class ValidationView(ResponseBody):
    """Whether the code may be used, and why not."""

    valid: bool
    reason: Annotated[Reason, Field(description=_REASONS)]


def routes(
    programs: ProgramStore,
    referrals: ReferralService,
    unknown: Callable[[str, str], None] = lambda _program, _client: None,
) -> Router:
    """``POST …/referrals/validate``. ``unknown`` is told the program and the client of each code that nobody has, or can have."""
    router = Router()

    @router.post("/v1/programs/<program>/referrals/validate", summary="Validate a referral code", tags=["Referrals"])
    def post_validation(program: ProgramId, body: Annotated[ValidationBody, Body()]) -> ValidationView:
        client_id = caller(router)
        current = programs.for_client(program, client_id)
        email = normal_email(body.email) if body.email else None
        reason = referrals.validate(current, body.referral_code, member_id=body.member_id, email=email)
        if reason in {Reason.UNKNOWN, Reason.MALFORMED}:
            unknown(program, client_id)
        return ValidationView(valid=reason is Reason.VALID, reason=reason)

    return router
