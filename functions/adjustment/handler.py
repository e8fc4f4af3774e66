"""Adjustments and granted tiers, over HTTPS."""

from typing import Any

from functions.adjustment.routes import routes
from loyalty.adjustments.service import AdjustmentService
from loyalty.adjustments.store import AdjustmentStore
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.tiers.grants import TierGrants

TABLE = Table(Settings.load().table)
STORE = AdjustmentStore(TABLE)
LEDGER = Ledger(TABLE, system_clock)
ADJUSTMENTS = AdjustmentService(LEDGER, STORE, system_clock)
APP = api(routes(ProgramStore(TABLE, system_clock), ADJUSTMENTS, STORE, TierGrants(LEDGER)))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
