"""The catalogue and redemptions, over HTTPS."""

from typing import Any

from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore

from functions.redemption.routes import routes

TABLE = Table(Settings.load().table)
STORE = RedemptionStore(TABLE)
APP = api(routes(ProgramStore(TABLE, system_clock), RedemptionService(Ledger(TABLE, system_clock), STORE), STORE))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
