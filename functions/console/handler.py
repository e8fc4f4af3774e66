"""The console: pages of finance, for people who sign in."""

from typing import Any

from functions.console.routes import Console
from loyalty.abuse.desk import CaseDesk
from loyalty.console.assets import static_files
from loyalty.console.cookies import Cookies, Sealer
from loyalty.console.languages import languages
from loyalty.console.pages import Pages
from loyalty.console.session import Sessions
from loyalty.console.sign_in import SignIn
from loyalty.console.tokens import Pool, Tokens
from loyalty.console.web import Headers
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.http import Event
from loyalty.core.keys import KmsMac
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.tokens import PoolWeb
from loyalty.finance.services import FinanceServices
from loyalty.fulfillment.decisions import Decisions
from loyalty.fulfillment.executions import Executions
from loyalty.ledger.service import Ledger
from loyalty.people.store import PersonStore
from loyalty.programs.store import ProgramStore
from loyalty.reconciliation.store import ReportStore
from loyalty.referrals.desk import ReferralDesk
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore


class ConsoleSettings(Settings):
    """What this function is told."""

    console_key: str
    console_url: str
    sign_in_url: str
    issuer: str
    jwks_url: str
    people_client: str
    state_machine: str


SETTINGS = ConsoleSettings.load()
TABLE = Table(SETTINGS.table)
PROGRAMS = ProgramStore(TABLE, system_clock)
DECISIONS = Decisions(
    table=TABLE,
    programs=PROGRAMS,
    redemptions=RedemptionService(Ledger(TABLE, system_clock), RedemptionStore(TABLE), system_clock),
    executions=Executions(client("stepfunctions"), SETTINGS.state_machine),
    clock=system_clock,
)
POOL = Pool(SETTINGS.issuer, SETTINGS.jwks_url, SETTINGS.sign_in_url, SETTINGS.people_client)
COOKIES = Cookies(secure=SETTINGS.console_url.startswith("https://"))
SEALER = Sealer(KmsMac(SETTINGS.console_key), system_clock)
CONSOLE = Console(
    pages=Pages(SETTINGS.console_url),
    headers=Headers(SETTINGS.console_url, SETTINGS.sign_in_url),
    cookies=COOKIES,
    sessions=Sessions(SEALER, COOKIES, PersonStore(TABLE, system_clock), system_clock),
    sign_in=SignIn(
        pool=POOL,
        tokens=Tokens(POOL, PoolWeb(), system_clock),
        sealer=SEALER,
        cookies=COOKIES,
        clock=system_clock,
        console_url=SETTINGS.console_url,
    ),
    finance=FinanceServices.over(TABLE, system_clock),
    decisions=DECISIONS,
    reports=ReportStore(TABLE, system_clock),
    cases=CaseDesk.over(TABLE, system_clock),
    referrals=ReferralDesk.over(TABLE, system_clock),
    clock=system_clock,
)
languages()
static_files()
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> dict[str, Any]:
    """Answers one request."""
    return CONSOLE.answer(event, context)
