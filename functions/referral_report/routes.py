"""What referrals brought."""

from datetime import date
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from loyalty.core.fields import ProgramId
from loyalty.core.http import caller
from loyalty.core.telemetry import logger
from loyalty.programs.store import ProgramStore
from loyalty.referrals.report_views import ReferralReportView
from loyalty.referrals.reporting import ReferralReports

REPORT = "/v1/programs/<program>/reports/referrals"

_First = Annotated[
    date, Query(alias="from", description="The first day, by the program's calendar.", examples=["2026-11-01"])
]
_Last = Annotated[date | None, Query(alias="until", description="The last day. Left out: the first one.")]


def routes(programs: ProgramStore, reports: ReferralReports) -> Router:
    """``GET …/reports/referrals``."""
    router = Router()

    @router.get(REPORT, summary="Read what referrals brought", tags=["Referrals"])
    def get_referral_report(program: ProgramId, first: _First, last: _Last = None) -> ReferralReportView:
        current = programs.for_client(program, caller(router))
        report = reports.report(current, first, last or first)
        logger.info("referral report", extra={"referrals": report.total.enrolled, "members": report.growth.members})
        return ReferralReportView.of(report)

    return router
