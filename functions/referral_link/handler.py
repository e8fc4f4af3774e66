"""Where members' links lead. Anybody may call: its role reads programs and codes, and writes clicks, and nothing else."""

import random
from typing import Any

from functions.referral_link.routes import routes
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.referrals.code_store import CodeStore
from loyalty.referrals.following import Links
from loyalty.referrals.link_store import LinkStore

SETTINGS = Settings.load()
TABLE = Table(SETTINGS.table)
LINKS = Links(
    ProgramStore(TABLE, system_clock), CodeStore(TABLE), LinkStore(TABLE, draw=random.randrange), system_clock
)
APP = api(routes(LINKS))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
