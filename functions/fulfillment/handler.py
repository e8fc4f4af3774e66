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
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.service import FulfillmentService
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore
from loyalty.suppliers.registry import Suppliers, SuppliersSettings
from loyalty.vault.store import CardVault


class FulfillmentSettings(Settings):
    """What this function is told."""

    vault_key: str
    suppliers: Json[SuppliersSettings]
    fulfillment: Json[FulfillmentPolicy]


SETTINGS = FulfillmentSettings.load()
TABLE = Table(SETTINGS.table)
SERVICE = FulfillmentService(
    table=TABLE,
    programs=ProgramStore(TABLE, system_clock),
    redemptions=RedemptionService(Ledger(TABLE, system_clock), RedemptionStore(TABLE), system_clock),
    suppliers=Suppliers(SETTINGS.suppliers),
    vault=CardVault(Vault(KmsDataKeys(SETTINGS.vault_key))),
    policy=SETTINGS.fulfillment,
    clock=system_clock,
)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, str | int]:
    """Takes one step. What it raises fails the task under the error's own name, by which the state machine goes on."""
    count("FulfillmentSteps")
    request = StepRequest.model_validate(event)
    answer = SERVICE.step(request)
    count(METRICS[answer.status])
    logger.info(
        "fulfilment step",
        extra={"step": request.step, "status": answer.status, "redemption_id": request.redemption_id},
    )
    return answer.document()
