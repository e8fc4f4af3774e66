"""eu-south-1 (Milan)."""

from typing import Final

from infra.settings.model import StageSettings

EU_SOUTH_1: Final = StageSettings(name="eu-south-1", region="eu-south-1")
