"""The catalogue and redemptions, over HTTPS."""

from typing import Any

from functions.redemption.routes import routes
from loyalty.abuse.edge import Misses
from loyalty.core.clock import system_clock
from loyalty.core.cursor import Cursors
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsMac
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.rewards.catalogue import Catalogue
from loyalty.rewards.history import History
from loyalty.rewards.pictures import S3Pictures
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore


class RedemptionSettings(Settings):
    """What this function is told."""

    lookup_key: str
    pictures: str


SETTINGS = RedemptionSettings.load()
TABLE = Table(SETTINGS.table)
REDEMPTIONS = RedemptionService(Ledger(TABLE, system_clock), RedemptionStore(TABLE), system_clock)
PICTURES = S3Pictures(SETTINGS.pictures)
CATALOGUE = Catalogue(TABLE, system_clock, PICTURES)
HISTORY = History(TABLE, system_clock, Cursors(KmsMac(SETTINGS.lookup_key)))
PROGRAMS = ProgramStore(TABLE, system_clock)
MISSES = Misses(TABLE, PROGRAMS, system_clock)
APP = api(routes(PROGRAMS, REDEMPTIONS, CATALOGUE, HISTORY))
# Made now, so that they are in the snapshot and not in the first request.
TABLE.client, PICTURES.client  # noqa: B018


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context, told=MISSES)
