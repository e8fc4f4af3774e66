"""What referrals brought, over HTTPS."""

from typing import Any

from functions.referral_report.routes import routes
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.referrals.reporting import ReferralReports

TABLE = Table(Settings.load().table)
APP = api(routes(ProgramStore(TABLE, system_clock), ReferralReports.over(TABLE, system_clock)))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
