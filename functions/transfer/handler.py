"""Transfers between members and households' pools, over HTTPS."""

from typing import Any

from functions.transfer.routes import routes
from loyalty.abuse.edge import Misses
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.households.pooling import PoolingService
from loyalty.households.service import HouseholdService
from loyalty.households.store import HouseholdStore
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.transfers.service import TransferService

TABLE = Table(Settings.load().table)
LEDGER = Ledger(TABLE, system_clock)
STORE = HouseholdStore(TABLE)
PROGRAMS = ProgramStore(TABLE, system_clock)
MISSES = Misses(TABLE, PROGRAMS, system_clock)
APP = api(
    routes(
        PROGRAMS,
        TransferService(LEDGER, system_clock),
        HouseholdService(STORE, system_clock),
        PoolingService(LEDGER, STORE, system_clock),
    )
)
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context, told=MISSES)
