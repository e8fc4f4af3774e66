"""Merging members, over HTTPS. Rare and far-reaching, so its role is its own."""

from typing import Any

from functions.merge.routes import routes
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.merging.service import MergeService
from loyalty.programs.store import ProgramStore

TABLE = Table(Settings.load().table)
APP = api(routes(ProgramStore(TABLE, system_clock), MergeService(Ledger(TABLE, system_clock))))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
