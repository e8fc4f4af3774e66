"""Referrals that wait for people, and what people decide about them, over HTTPS."""

from typing import Any

from functions.referral_review.routes import routes
from loyalty.core.clock import system_clock
from loyalty.core.cursor import Cursors
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsMac
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.referrals.reviewing import ReviewService


class ReviewSettings(Settings):
    """What this function is told."""

    lookup_key: str


SETTINGS = ReviewSettings.load()
TABLE = Table(SETTINGS.table)
CURSORS = Cursors(KmsMac(SETTINGS.lookup_key))
APP = api(routes(ProgramStore(TABLE, system_clock), ReviewService(TABLE, system_clock), CURSORS))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
