"""Bulk fulfilments, over HTTPS."""

from typing import Any

from functions.bulk.routes import routes
from loyalty.bulk.service import Campaigns
from loyalty.bulk.starting import Machine
from loyalty.bulk.store import CampaignStore
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.cursor import Cursors
from loyalty.core.files import Bucket
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsMac
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore


class BulkSettings(Settings):
    """What this function is told."""

    lookup_key: str
    reports: str
    bulk_machine: str


SETTINGS = BulkSettings.load()
TABLE = Table(SETTINGS.table)
FILES = Bucket(SETTINGS.reports, client("s3"))
STORE = CampaignStore(TABLE)
MACHINE = Machine(client("stepfunctions"), SETTINGS.bulk_machine)
CAMPAIGNS = Campaigns(STORE, FILES, system_clock, MACHINE.start)
CURSORS = Cursors(KmsMac(SETTINGS.lookup_key))
APP = api(routes(ProgramStore(TABLE, system_clock), CAMPAIGNS, STORE, FILES, CURSORS))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
