"""What households refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Unacceptable


class HouseholdsNotOffered(Unacceptable):
    code = "households_not_offered"


class DailyHouseholdLimitExceeded(Conflict):
    code = "daily_household_limit_exceeded"


class MemberInHousehold(Conflict):
    code = "member_in_household"


class MemberNotInHousehold(Conflict):
    code = "member_not_in_household"


class HouseholdFull(Conflict):
    code = "household_full"


class HouseholdClosed(Conflict):
    code = "household_closed"


class HouseholdHasPoints(Conflict):
    code = "household_has_points"
