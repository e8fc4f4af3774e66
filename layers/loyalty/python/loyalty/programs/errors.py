"""What programs, their versions and their rules refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Missing, Stale, Unacceptable


class CurrencyNotInProgram(Unacceptable):
    code = "currency_not_in_program"


class ActivityNotRewarded(Unacceptable):
    code = "activity_not_rewarded"


class AmountRequired(Unacceptable):
    code = "amount_required"


class VersionNotSchedulable(Unacceptable):
    code = "version_not_schedulable"


class ShopsLimitExceeded(Unacceptable):
    code = "shops_limit_exceeded"


class DraftNotFound(Missing):
    code = "draft_not_found"


class NothingScheduled(Missing):
    code = "nothing_scheduled"


class ShopTaken(Conflict):
    code = "shop_taken"


class VersionScheduled(Conflict):
    code = "version_scheduled"


class ScheduleDue(Conflict):
    code = "schedule_due"


class VersionInForce(Conflict):
    code = "version_in_force"


class TimeZoneFixed(Conflict):
    code = "time_zone_fixed"


class WalletFixed(Conflict):
    code = "wallet_fixed"


class ProgramChanged(Stale):
    code = "program_changed"
