"""me-central-1 (UAE)."""

from typing import Final

from infra.settings.model import StageSettings

ME_CENTRAL_1: Final = StageSettings(name="me-central-1", region="me-central-1")
