"""Accruals and reversals, over HTTPS."""

from typing import Any

from functions.accrual.routes import routes
from loyalty.abuse.edge import Misses
from loyalty.accruals.awaited import AwaitedReversals
from loyalty.accruals.service import AccrualService
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore

TABLE = Table(Settings.load().table)
ACCRUALS = AccrualService(Ledger(TABLE, system_clock), system_clock)
REVERSALS = AwaitedReversals(TABLE, ACCRUALS, system_clock)
PROGRAMS = ProgramStore(TABLE, system_clock)
MISSES = Misses(TABLE, PROGRAMS, system_clock)
APP = api(routes(PROGRAMS, ACCRUALS, REVERSALS))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context, told=MISSES)
