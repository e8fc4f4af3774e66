"""Fulfilment runs, totals and exports for finance, over HTTPS."""

from typing import Any

from functions.finance.routes import routes
from loyalty.core.clock import system_clock
from loyalty.core.cursor import Cursors
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsMac
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.finance.services import FinanceServices
from loyalty.fulfillment.decisions import Decisions
from loyalty.programs.store import ProgramStore


class FinanceSettings(Settings):
    """What this function is told."""

    lookup_key: str


SETTINGS = FinanceSettings.load()
TABLE = Table(SETTINGS.table)
APP = api(
    routes(
        ProgramStore(TABLE, system_clock),
        FinanceServices.over(TABLE, system_clock),
        Decisions(),
        Cursors(KmsMac(SETTINGS.lookup_key)),
    )
)
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
