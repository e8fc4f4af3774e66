"""Referrals, over HTTPS: codes, and whether one may be used."""

import random
from functools import partial
from typing import Any

from functions.referral_validation.codes import code_routes
from functions.referral_validation.links import link_routes
from functions.referral_validation.routes import routes
from loyalty.abuse.clients import ClientSignal
from loyalty.abuse.edge import Misses
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsMac
from loyalty.core.pii import Lookups
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.members.store import MemberStore
from loyalty.programs.store import ProgramStore
from loyalty.referrals.choosing import MemberCodes
from loyalty.referrals.code_store import CodeStore
from loyalty.referrals.link_store import LinkStore
from loyalty.referrals.service import ReferralService
from loyalty.referrals.sharing import Sharing


class ReferralSettings(Settings):
    """What this function is told."""

    lookup_key: str
    links_url: str


SETTINGS = ReferralSettings.load()
TABLE = Table(SETTINGS.table)
CODE_STORE = CodeStore(TABLE)
REFERRALS = ReferralService(CODE_STORE, Lookups(KmsMac(SETTINGS.lookup_key)), system_clock)
PROGRAMS = ProgramStore(TABLE, system_clock)
MISSES = Misses(TABLE, PROGRAMS, system_clock)
CODES = MemberCodes(MemberStore(TABLE), CODE_STORE, system_clock)
SHARING = Sharing(CODES, LinkStore(TABLE, draw=random.randrange), SETTINGS.links_url, system_clock)
APP = api(
    routes(PROGRAMS, REFERRALS, unknown=partial(MISSES.missed, signal=ClientSignal.CODES)),
    code_routes(PROGRAMS, CODES, system_clock),
    link_routes(PROGRAMS, SHARING),
)
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context, told=MISSES)
