"""Merging members, over HTTPS. Rare and far-reaching, so its role is its own."""

from typing import Any

from functions.merge.routes import routes
from loyalty.accruals.awaited import AwaitedReversals
from loyalty.accruals.service import AccrualService
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.merging.service import MergeService
from loyalty.programs.store import ProgramStore

TABLE = Table(Settings.load().table)
LEDGER = Ledger(TABLE, system_clock)
REVERSALS = AwaitedReversals(TABLE, AccrualService(LEDGER, system_clock), system_clock)
APP = api(routes(ProgramStore(TABLE, system_clock), MergeService(LEDGER, REVERSALS)))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
