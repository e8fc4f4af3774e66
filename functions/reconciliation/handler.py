"""One step of the reconciliation with suppliers, called by the state machine."""

from collections.abc import Mapping
from typing import Any, Final

from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.files import Bucket
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty.fulfillment.orders import OrderStore
from loyalty.reconciliation.service import Reconciliation
from loyalty.reconciliation.steps import ReconciliationRequest, StepRequest
from loyalty.reconciliation.store import ReportStore
from loyalty.suppliers.model import Supplier
from loyalty.suppliers.secret import SecretApiKey
from loyalty.suppliers.tremendous import Tremendous
from loyalty_contract import OPEN_DIFFERENCES, RECONCILIATION_REPORTS


class ReconciliationSettings(Settings):
    """What this function is told."""

    reports: str
    supplier_url: str
    supplier_secret: str


SETTINGS: Final = ReconciliationSettings.load()
TABLE: Final = Table(SETTINGS.table)
_TREMENDOUS: Final = Tremendous(SETTINGS.supplier_url, SecretApiKey(SETTINGS.supplier_secret))
SUPPLIERS: Final[Mapping[str, Supplier]] = {_TREMENDOUS.name: _TREMENDOUS}
RECONCILIATION: Final = Reconciliation(
    orders=OrderStore(TABLE),
    suppliers=SUPPLIERS.__getitem__,
    reports=ReportStore(TABLE, system_clock),
    files=Bucket(SETTINGS.reports, client("s3")),
    clock=system_clock,
)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> Any:
    """Takes one step. What it raises fails the task under the error's own name, by which the state machine goes on."""
    asked = StepRequest.model_validate(event)
    if asked.supplier is None or asked.day is None:
        return (asked.request or ReconciliationRequest()).reports(list(SUPPLIERS), system_clock)
    logger.append_keys(supplier=asked.supplier, day=str(asked.day))
    report, still_open = RECONCILIATION.make(asked.supplier, asked.day)
    count(RECONCILIATION_REPORTS)
    count(OPEN_DIFFERENCES, still_open)
    told = {"matched": report.matched, "differences": dict(report.differences), "open": still_open}
    logger.info("reconciled", extra=told)
    return {"made": True, "supplier": asked.supplier, "day": str(asked.day), **told}
