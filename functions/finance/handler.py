"""Fulfilment runs, totals and exports for finance, over HTTPS."""

from typing import Any

from functions.finance.routes import routes
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.cursor import Cursors
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsMac
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.finance.services import FinanceServices
from loyalty.fulfillment.decisions import Decisions
from loyalty.fulfillment.executions import Executions
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore


class FinanceSettings(Settings):
    """What this function is told."""

    lookup_key: str
    state_machine: str


SETTINGS = FinanceSettings.load()
TABLE = Table(SETTINGS.table)
PROGRAMS = ProgramStore(TABLE, system_clock)
DECISIONS = Decisions(
    table=TABLE,
    programs=PROGRAMS,
    redemptions=RedemptionService(Ledger(TABLE, system_clock), RedemptionStore(TABLE), system_clock),
    executions=Executions(client("stepfunctions"), SETTINGS.state_machine),
    clock=system_clock,
)
APP = api(
    routes(
        PROGRAMS,
        FinanceServices.over(TABLE, system_clock),
        DECISIONS,
        Cursors(KmsMac(SETTINGS.lookup_key)),
    )
)
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
