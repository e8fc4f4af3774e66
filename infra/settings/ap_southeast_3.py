"""ap-southeast-3 (Jakarta)."""

from typing import Final

from infra.settings.model import StageSettings, SuppliersSettings, TremendousSettings, XoxodaySettings

AP_SOUTHEAST_3: Final = StageSettings(
    name="ap-southeast-3",
    region="ap-southeast-3",
    suppliers=SuppliersSettings(
        tremendous=TremendousSettings(url="https://www.tremendous.com"),
        xoxoday=XoxodaySettings(url="https://accounts.xoxoday.com/chef"),
    ),
    supplier_settle_seconds=150,
)
