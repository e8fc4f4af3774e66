"""Rotates the credentials of a supplier whose API makes new ones, called by Secrets Manager step by step."""

from typing import Any

from pydantic import Json

from loyalty.core.aws import client
from loyalty.core.settings import Settings
from loyalty.core.telemetry import count, logger, metrics
from loyalty.suppliers.registry import SuppliersSettings
from loyalty.suppliers.rotation import Rotation, RotationRefused, probe, refreshed


class RotationSettings(Settings):
    """What this function is told; it never looks at the table."""

    table: str = ""
    suppliers: Json[SuppliersSettings]


XOXODAY = RotationSettings.load().suppliers.xoxoday


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> None:
    """Takes one step. What it raises fails the rotation, which Secrets Manager begins anew later; the old value stays."""
    step = str(event.get("Step"))
    if XOXODAY is None:
        raise RotationRefused("this stage has no supplier whose credentials can be rotated")
    url = XOXODAY.url
    rotation = Rotation(
        secret=XOXODAY.secret,
        secrets_manager=client("secretsmanager"),
        refresh=lambda keys: refreshed(url, keys),
        probe=lambda keys: probe(url, keys),
    )
    rotation.take(step, str(event.get("SecretId")), str(event.get("ClientRequestToken")))
    count("SupplierRotationSteps")
    logger.info("rotation step", extra={"step": step})
