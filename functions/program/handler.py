"""Programs, over HTTPS: what they offer, their drafts and versions."""

from typing import Any

from functions.program.routes import routes
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.programs.drafts import DraftStore
from loyalty.programs.lifecycle import ProgramLifecycle
from loyalty.programs.store import ProgramStore
from loyalty.programs.versions import VersionStore

TABLE = Table(Settings.load().table)
LIFECYCLE = ProgramLifecycle(DraftStore(TABLE), VersionStore(TABLE, system_clock), system_clock)
APP = api(routes(ProgramStore(TABLE, system_clock), LIFECYCLE, system_clock))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
