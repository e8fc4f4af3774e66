"""The local cloud: the same template, with settings for a stack that comes and goes."""

from typing import Final

from infra.settings.model import StageSettings, Throttle, WafOff

LOCAL: Final = StageSettings(
    name="local",
    region="us-east-1",
    target="local",
    retain=False,
    log_retention=7,
    archive_retention=1,
    throttle=Throttle(rate=5_000, burst=5_000),
    waf=WafOff(reason="it listens on loopback only, and the local cloud cannot attach a firewall to an API"),
    default_program="aurora",
    supplier_settle_seconds=1,
    sweepers=1,
)
