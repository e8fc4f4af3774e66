"""One step of a gift card's fulfilment, called by the state machine."""

from typing import Any

from pydantic import Json

from loyalty.core.clock import system_clock
from loyalty.core.keys import KmsDataKeys
from loyalty.core.pii import Vault
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty.fulfillment.model import METRICS, StepRequest
from loyalty.fulfillment.service import FulfillmentService
from loyalty.fulfillment.store import FulfillmentStore
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore
from loyalty.suppliers.registry import Suppliers, SuppliersSettings


class FulfillmentSettings(Settings):
    """What this function is told."""

    pii_key: str
    suppliers: Json[SuppliersSettings]


SETTINGS = FulfillmentSettings.load()
TABLE = Table(SETTINGS.table)
SERVICE = FulfillmentService(
    store=FulfillmentStore(TABLE),
    programs=ProgramStore(TABLE, system_clock),
    redemptions=RedemptionService(Ledger(TABLE, system_clock), RedemptionStore(TABLE), system_clock),
    supplier=Suppliers(SETTINGS.suppliers).get("tremendous"),
    vault=Vault(KmsDataKeys(SETTINGS.pii_key)),
    clock=system_clock,
)
STEPS = {"order": SERVICE.order, "query": SERVICE.query, "capture": SERVICE.capture, "release": SERVICE.release}


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Takes one step. What it raises fails the task under the error's own name, by which the state machine goes on."""
    count("FulfillmentSteps")
    request = StepRequest.model_validate(event)
    status = STEPS[request.step](request.program, request.member_id, request.redemption_id)
    count(METRICS[status])
    logger.info(
        "fulfilment step", extra={"step": request.step, "status": status, "redemption_id": request.redemption_id}
    )
    return {"status": status}
