"""One step of the reconciliation with suppliers, called by the state machine."""

from typing import Any, Final

from pydantic import Json

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
from loyalty.suppliers.registry import Suppliers, SuppliersSettings
from loyalty_contract import OPEN_DIFFERENCES, RECONCILIATION_REPORTS


class ReconciliationSettings(Settings):
    """What this function is told."""

    reports: str
    suppliers: Json[SuppliersSettings]


SETTINGS: Final = ReconciliationSettings.load()
TABLE: Final = Table(SETTINGS.table)
SUPPLIERS: Final = Suppliers(SETTINGS.suppliers)
RECONCILIATION: Final = Reconciliation(
    orders=OrderStore(TABLE),
    suppliers=SUPPLIERS.get,
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
        return (asked.request or ReconciliationRequest()).reports(SUPPLIERS.names, system_clock)
    logger.append_keys(supplier=asked.supplier, day=str(asked.day))
    report, still_open = RECONCILIATION.make(asked.supplier, asked.day)
    count(RECONCILIATION_REPORTS)
    count(OPEN_DIFFERENCES, still_open)
    told = {"matched": report.matched, "differences": dict(report.differences), "open": still_open}
    logger.info("reconciled", extra=told)
    return {"made": True, "supplier": asked.supplier, "day": str(asked.day), **told}
