"""What a hold for abuse refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Missing


class RedemptionsOnHold(Conflict):
    """Says nothing about why: whoever is told may be whom it is about."""

    code = "redemptions_on_hold"


class RiskNotFound(Missing):
    code = "risk_not_found"


class RiskReleased(Conflict):
    code = "risk_already_released"
