"""One step of an export or an erasure, called by the state machine."""

from typing import Any, Final

from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.files import Bucket
from loyalty.core.keys import KmsDataKeys
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty.households.service import HouseholdService
from loyalty.households.store import HouseholdStore
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.members.opening import OwnProfiles
from loyalty.members.store import MemberStore
from loyalty.members.vault import MemberVault
from loyalty.privacy.archive import Archive
from loyalty.privacy.consent_store import ConsentStore
from loyalty.privacy.erasing import Erasing
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.privacy.export_store import ExportStore
from loyalty.privacy.exporting import ExportService
from loyalty.privacy.steps import ErasureSteps
from loyalty.privacy.work import PrivacyWork, StepRequest
from loyalty.programs.store import ProgramStore
from loyalty.referrals.memory import Memory


class PrivacySettings(Settings):
    """What this function is told."""

    reports: str
    pii_key: str
    export_days: int


SETTINGS: Final = PrivacySettings.load()
TABLE: Final = Table(SETTINGS.table)
FILES: Final = Bucket(SETTINGS.reports, client("s3"))
ERASURES, BOOKS = ErasureStore(TABLE), LedgerStore(TABLE)
PROFILES: Final = OwnProfiles(MemberStore(TABLE), MemberVault(KmsDataKeys(SETTINGS.pii_key), system_clock))
EXPORTS: Final = ExportService(
    store=ExportStore(TABLE),
    consents=ConsentStore(TABLE),
    files=FILES,
    clock=system_clock,
    days=SETTINGS.export_days,
)
STEPS: Final = ErasureSteps(
    store=ERASURES,
    ledger=Ledger(TABLE, system_clock),
    books=BOOKS,
    households=HouseholdService(HouseholdStore(TABLE), system_clock),
    screening=Memory(TABLE, system_clock),
    files=FILES,
    clock=system_clock,
)
# A store for each step: one that is kept remembers versions for a minute.
WORK: Final = PrivacyWork(
    lambda program: ProgramStore(TABLE, system_clock).current(program),
    EXPORTS,
    Archive(TABLE, PROFILES, system_clock),
    Erasing(store=ERASURES, books=BOOKS, steps=STEPS, clock=system_clock),
)
TABLE.client  # noqa: B018 - made now, and not in the first step


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> Any:
    """Takes one step. What it raises fails the task under the error's own name, by which the state machine goes on."""
    asked = StepRequest.model_validate(event)
    logger.append_keys(step=asked.step, program=asked.program, member_id=asked.member_id)
    count("PrivacySteps")
    told = WORK.take(asked)
    logger.info("privacy step", extra=told)
    return told
