"""The stages that can be deployed, one typed file each."""

from typing import Final

from infra.settings.ap_southeast_3 import AP_SOUTHEAST_3
from infra.settings.eu_south_1 import EU_SOUTH_1
from infra.settings.local import LOCAL
from infra.settings.me_central_1 import ME_CENTRAL_1
from infra.settings.model import Fulfillment, Plan, StageSettings, SuppliersSettings, Throttle, WafOff, WafOn

CLOUD_STAGES: Final = (AP_SOUTHEAST_3, EU_SOUTH_1, ME_CENTRAL_1)
STAGES: Final = (*CLOUD_STAGES, LOCAL)

__all__ = [
    "CLOUD_STAGES",
    "STAGES",
    "Fulfillment",
    "Plan",
    "StageSettings",
    "SuppliersSettings",
    "Throttle",
    "WafOff",
    "WafOn",
]
