"""Wallets, statements and health, over HTTPS. Reads only: its role can write nothing but counts of misses."""

from typing import Any

from functions.wallet.routes import routes
from loyalty.abuse.edge import Misses
from loyalty.core.clock import system_clock
from loyalty.core.cursor import Cursors
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsMac
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.ledger.store import LedgerStore
from loyalty.programs.store import ProgramStore


class WalletSettings(Settings):
    """What this function is told."""

    lookup_key: str


SETTINGS = WalletSettings.load()
TABLE = Table(SETTINGS.table)
CURSORS = Cursors(KmsMac(SETTINGS.lookup_key))
PROGRAMS = ProgramStore(TABLE, system_clock)
MISSES = Misses(TABLE, PROGRAMS, system_clock)
APP = api(routes(PROGRAMS, LedgerStore(TABLE), CURSORS, system_clock))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context, told=MISSES)
