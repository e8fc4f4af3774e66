"""Gives what the platform gives by itself, for each redemption that is held: events from the bus, through a queue."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loyalty.core.clock import system_clock
from loyalty.core.errors import Rejected
from loyalty.core.keys import KmsDataKeys, KmsMac
from loyalty.core.pii import Lookups, Vault
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty.delivery.codes import CodeHandler
from loyalty.delivery.events import held
from loyalty.delivery.lines import BatchStore
from loyalty.delivery.model import Outcome
from loyalty.delivery.pool import CodePool
from loyalty.delivery.service import DeliveryService
from loyalty.delivery.settlement import SettlementHandler
from loyalty.ledger.service import Ledger
from loyalty.programs.rewards import RewardType
from loyalty.programs.store import ProgramStore
from loyalty.programs.versions import VersionStore
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore
from loyalty.vault.store import CardVault
from loyalty_contract import CODE_POOL_LOW, DELIVERIES_REFUSED


class DeliverySettings(Settings):
    """What this function is told: below ``code_pool_low`` free codes, an alarm tells so."""

    vault_key: str
    lookup_key: str
    code_pool_low: int = 100


SETTINGS = DeliverySettings.load()
TABLE = Table(SETTINGS.table)
VAULT = Vault(KmsDataKeys(SETTINGS.vault_key))
POOL = CodePool(TABLE)
PROGRAMS = ProgramStore(TABLE, system_clock)
MONEY = SettlementHandler(BatchStore(TABLE), PROGRAMS, system_clock)
CODES = CodeHandler(
    POOL, pool_vault=VAULT, cards=CardVault(VAULT), lookups=Lookups(KmsMac(SETTINGS.lookup_key)), clock=system_clock
)
DELIVERIES = DeliveryService(
    RedemptionService(Ledger(TABLE, system_clock), RedemptionStore(TABLE), system_clock),
    PROGRAMS,
    VersionStore(TABLE, system_clock),
    {RewardType.DISCOUNT: CODES, RewardType.CASHBACK: MONEY, RewardType.DONATION: MONEY},
)
PROCESSOR = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def deliver(record: SQSRecord) -> None:
    """One event; what it raises sends this record, and no other, back to the queue and at last to its dead letters."""
    try:
        event = held(record.body)
    except Rejected as rejection:
        count("DeliveryEventsRejected")
        logger.error(str(rejection), extra={"reason": rejection.reason, "message_id": record.message_id})
        raise
    delivered = DELIVERIES.deliver(event.program, event.member_id, event.redemption_id)
    logger.info("delivery", extra={"redemption_id": event.redemption_id, "outcome": delivered.outcome})
    if delivered.outcome is Outcome.DELIVERED:
        count("Deliveries")
    elif delivered.outcome is Outcome.RELEASED:
        count(DELIVERIES_REFUSED)
        logger.error("nothing to give", extra={"redemption_id": event.redemption_id, "reason": delivered.reason})
    if delivered.from_pool is not None and POOL.left(event.program, delivered.from_pool) < SETTINGS.code_pool_low:
        count(CODE_POOL_LOW)
        logger.warning("few codes are left", extra={"program": event.program, "reward_id": delivered.from_pool})


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Delivers a batch; the failed records are reported and delivered again."""
    return process_partial_response(event, deliver, PROCESSOR, context)
