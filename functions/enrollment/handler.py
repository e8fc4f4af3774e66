"""Members, over HTTPS."""

from typing import Any

from functions.enrollment.routes import routes
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsDataKeys, KmsMac
from loyalty.core.pii import Lookups
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.members.service import MemberService
from loyalty.members.store import MemberStore
from loyalty.members.vault import MemberVault
from loyalty.programs.store import ProgramStore
from loyalty.segments.service import SegmentService
from loyalty.segments.store import SegmentStore


class EnrollmentSettings(Settings):
    """What this function is told."""

    pii_key: str
    lookup_key: str


SETTINGS = EnrollmentSettings.load()
TABLE = Table(SETTINGS.table)
MEMBERS = MemberService(
    MemberStore(TABLE),
    MemberVault(KmsDataKeys(SETTINGS.pii_key), system_clock),
    Lookups(KmsMac(SETTINGS.lookup_key)),
    system_clock,
)
SEGMENTS = SegmentService(SegmentStore(TABLE), system_clock)
APP = api(routes(ProgramStore(TABLE, system_clock), MEMBERS, SEGMENTS))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
