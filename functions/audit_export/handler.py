"""Exports the chains of the audit trail into the bucket that nobody can take them out of. Started by the clock."""

from datetime import date
from typing import Any

from loyalty.audit.archive import BucketArchive
from loyalty.audit.exporting import Exporter
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty_contract import AUDIT_HEADS_EXPORTED


class ExportSettings(Settings):
    """What this function is told."""

    audit_trail: str


SETTINGS = ExportSettings.load()
EXPORTER = Exporter(Table(SETTINGS.table), BucketArchive(SETTINGS.audit_trail, client("s3")), system_clock)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Exports what is new. What fails is left to the next run, which finds it missing.

    An operator calls it with ``{"scope": …, "day": …}`` for a day that was linked again.
    """
    done = EXPORTER.again(event["scope"], date.fromisoformat(event["day"])) if "day" in event else EXPORTER.run()
    # Also where there was nothing to export: that it ran is what the alarm waits for.
    count(AUDIT_HEADS_EXPORTED, done.heads)
    told = {"heads": done.heads, "new_heads": done.new_heads, "days": done.days}
    logger.info("audit trail exported", extra=told)
    return told
