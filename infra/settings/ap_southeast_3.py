"""ap-southeast-3 (Jakarta)."""

from typing import Final

from infra.settings.model import StageSettings

AP_SOUTHEAST_3: Final = StageSettings(name="ap-southeast-3", region="ap-southeast-3")
