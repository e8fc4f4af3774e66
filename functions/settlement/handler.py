"""Closes the settlement batches of days that are over, and writes them out. Started by the clock."""

from typing import Any

from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.files import Bucket
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty.delivery.lines import BatchStore
from loyalty.delivery.settlement import SettlementService


class SettlementSettings(Settings):
    """What this function is told."""

    reports: str


SETTINGS = SettlementSettings.load()
BATCHES = SettlementService(BatchStore(Table(SETTINGS.table)), Bucket(SETTINGS.reports, client("s3")), system_clock)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Closes what is due. What fails is left to the next run, which finds it due."""
    report = BATCHES.close_due()
    count("SettlementsClosed", report.closed)
    done = {"closed": report.closed, "lines": report.lines}
    logger.info("settlements", extra=done)
    return done
