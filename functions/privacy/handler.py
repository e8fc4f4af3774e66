"""Rights of members over their data, over HTTPS."""

from typing import Any

from functions.privacy.routes import routes
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.files import Bucket
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.households.service import HouseholdService
from loyalty.households.store import HouseholdStore
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.privacy.consent_store import ConsentStore
from loyalty.privacy.consenting import ConsentService
from loyalty.privacy.erasing import Erasing
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.privacy.export_store import ExportStore
from loyalty.privacy.exporting import ExportService
from loyalty.privacy.restricting import Restricting
from loyalty.privacy.starting import Machine
from loyalty.privacy.steps import ErasureSteps
from loyalty.programs.store import ProgramStore
from loyalty.referrals.memory import Memory


class PrivacySettings(Settings):
    """What this function is told."""

    reports: str
    privacy_machine: str
    export_days: int


SETTINGS = PrivacySettings.load()
TABLE = Table(SETTINGS.table)
FILES = Bucket(SETTINGS.reports, client("s3"))
MACHINE = Machine(client("stepfunctions"), SETTINGS.privacy_machine)
CONSENTS, ERASURES, BOOKS = ConsentStore(TABLE), ErasureStore(TABLE), LedgerStore(TABLE)
EXPORTS = ExportService(
    store=ExportStore(TABLE),
    consents=CONSENTS,
    files=FILES,
    clock=system_clock,
    days=SETTINGS.export_days,
    start=MACHINE.export,
)
STEPS = ErasureSteps(
    store=ERASURES,
    ledger=Ledger(TABLE, system_clock),
    books=BOOKS,
    households=HouseholdService(HouseholdStore(TABLE), system_clock),
    screening=Memory(TABLE, system_clock),
    files=FILES,
    clock=system_clock,
)
ERASING = Erasing(store=ERASURES, books=BOOKS, steps=STEPS, clock=system_clock, start=MACHINE.erase)
APP = api(
    routes(
        ProgramStore(TABLE, system_clock),
        ConsentService(CONSENTS, system_clock),
        Restricting(TABLE, system_clock),
        EXPORTS,
        ERASING,
    )
)
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
