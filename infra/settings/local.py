"""The local cloud: the same template, with settings for a stack that comes and goes."""

from decimal import Decimal
from typing import Final

from infra.settings.model import (
    AuditSettings,
    Fulfillment,
    Plan,
    StageSettings,
    SuppliersSettings,
    Throttle,
    TremendousSettings,
    WafOff,
)

LOCAL: Final = StageSettings(
    name="local",
    region="us-east-1",
    target="local",
    retain=False,
    log_retention=7,
    archive_retention=1,
    throttle=Throttle(rate=5_000, burst=5_000),
    plans={
        "standard": Plan(rate=5_000, burst=5_000),
        "trial": Plan(rate=2, burst=5, requests_a_day=20),
    },
    waf=WafOff(reason="it listens on loopback only, and the local cloud cannot attach a firewall to an API"),
    default_program="aurora",
    fulfillment=Fulfillment(retry_seconds=1, funds_seconds=2, permits_per_second=50, breaker_seconds=2),
    suppliers=SuppliersSettings(
        tremendous=TremendousSettings(
            url=None, rates={"EUR": Decimal("1.25"), "AED": Decimal("0.28"), "IDR": Decimal("0.000065")}
        )
    ),
    supplier_settle_seconds=1,
    audit=AuditSettings(mode="governance", years=0, days=1),
    sweepers=1,
)
