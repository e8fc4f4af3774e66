"""Points from commerce events: the bus, through a queue. A refused event goes to the dead-letter queue with its reason."""

from typing import Any

from loyalty.accruals.service import AccrualService
from loyalty.commerce.batch import LEDGER_ATTEMPTS, BatchRunner, Message, failures
from loyalty.commerce.buyers import Buyers
from loyalty.commerce.dead_letters import DeadLetters
from loyalty.commerce.observation import observe
from loyalty.commerce.service import InboundService
from loyalty.commerce.store import CommerceStore
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.keys import KmsMac
from loyalty.core.pii import Lookups
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import logger, metrics
from loyalty.ledger.service import Ledger
from loyalty.members.store import MemberStore
from loyalty.programs.store import ProgramStore


class EventSettings(Settings):
    """What this function is told; ``default_program`` may be empty."""

    lookup_key: str
    inbound_dlq: str
    default_program: str = ""


SETTINGS = EventSettings.load()
TABLE = Table(SETTINGS.table)
SERVICE = InboundService(
    store=CommerceStore(TABLE),
    programs=ProgramStore(TABLE, system_clock),
    members=MemberStore(TABLE),
    buyers=Buyers(Lookups(KmsMac(SETTINGS.lookup_key))),
    accruals=AccrualService(Ledger(TABLE, system_clock, attempts=LEDGER_ATTEMPTS), system_clock),
    clock=system_clock,
    default_program=SETTINGS.default_program or None,
)
RUNNER = BatchRunner(SERVICE, lambda body, why: DeadLetters(client("sqs"), SETTINGS.inbound_dlq).send(body, why))
TABLE.client  # noqa: B018 - made now, and not by several threads in the first event


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Applies a batch of the queue; the failed messages are delivered again."""
    results = RUNNER.run([Message(record["messageId"], record["body"]) for record in event["Records"]])
    observe(results)
    return failures(results)
